/** Decodes the service's responses leniently, compiled from a shape. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as millis from "./millis.js"
import type { Shape, StructShape } from "./shape.js"

type Json = Record<string, unknown>

/**
 * Compiles the decoder of a response's class.
 *
 * `null` and empty values count as absent, and numbers may be strings. A nested value is omitted as a whole if it lacks a
 * required field or if a part of it cannot be decoded. Elements that are omitted from a top-level list are added to
 * `undecodable`. `metadata` has the fields that describe the response, such as the status.
 */
export const decoder = (
  shape: StructShape
): ((json: Json, undecodable: Array<unknown>, metadata?: Json) => object) => {
  const decode = structDecoder(shape, false)
  return (json, undecodable, metadata) => Object.assign(decode(json, undecodable), metadata)
}

/** The result for a value that is present and cannot be decoded. An absent value is `undefined`. */
const invalid: unique symbol = Symbol()

/** Decodes a value. `undecodable` is passed only to the top-level fields of the response. */
type Decode = (json: unknown, undecodable?: Array<unknown>) => unknown

const decoderOf = (shape: Shape): Decode => {
  switch (shape.kind) {
    case "string":
      return (json) =>
        isNumber(json) ? String(json) : json === "" ? undefined : isString(json) ? json : invalid
    case "redacted":
      return (json) => (isString(json) ? Redacted.make(json) : invalid)
    case "number":
      return toNumber
    case "boolean":
      return (json) => (typeof json === "boolean" ? json : invalid)
    case "dateTime": {
      // caches the last time, because records of one call often have the same, and making a time is half the cost of a record
      let lastJson: unknown
      let lastTime: unknown
      return (json) => {
        if (json !== lastJson) {
          lastJson = json
          lastTime = toTime(json)
        }
        return lastTime
      }
    }
    case "array":
      return arrayDecoder(decoderOf(shape.element))
    case "struct": {
      // a struct with required fields is decoded as a whole or not at all
      const isWhole = shape.fields.some(
        (field) => field.required && field.defaultValue() === undefined
      )
      const decode = structDecoder(shape, isWhole)
      return (json) =>
        typeof json === "object" && !Array.isArray(json) ? decode(json as Json) : invalid
    }
  }
}

const valuesWithDefaults = new WeakSet<object>()

/** Returns whether a default replaces a field that the response lacks. */
export const hasDefaultedField = (value: object): boolean => valuesWithDefaults.has(value)

const structDecoder = <IsWhole extends boolean>(shape: StructShape, isWhole: IsWhole) => {
  type Result = Json | (IsWhole extends false ? never : typeof invalid)
  const fields = shape.fields.map((field) => ({ ...field, decode: decoderOf(field.shape) }))
  const Instance = unsafeConstructor(shape)
  return (json: Json, undecodable?: Array<unknown>): Result => {
    const value = new Instance()
    for (const { decode, defaultValue, name, required, wireName } of fields) {
      const encoded = json[wireName]
      const field =
        encoded === undefined || encoded === null ? undefined : decode(encoded, undecodable)
      const resolved = field === undefined || field === invalid ? defaultValue() : field
      if (resolved !== undefined) {
        value[name] = resolved
        if (resolved !== field) valuesWithDefaults.add(value)
      }
      if (isWhole && (field === invalid || (required && resolved === undefined))) {
        return invalid as Result
      }
    }
    return value
  }
}

/** Without `undecodable`, one invalid element makes the list invalid, because a shorter list would be a different value. */
const arrayDecoder =
  (decode: Decode): Decode =>
  (json, undecodable) => {
    if (!Array.isArray(json)) {
      undecodable?.push(json)
      return invalid
    }
    const values: Array<unknown> = []
    for (const element of json) {
      const value = element === null ? invalid : decode(element)
      if (value !== undefined && value !== invalid) values.push(value)
      else if (undecodable === undefined) return invalid
      else undecodable.push(element)
    }
    return values.length === 0 ? undefined : values
  }

const toNumber = (json: unknown): number | typeof invalid => {
  const number = isString(json) && json.trim() !== "" ? Number(json) : json
  return isNumber(number) && Number.isFinite(number) ? number : invalid
}

const toTime = (json: unknown): DateTime.DateTime | typeof invalid => {
  const seconds = toNumber(json)
  const time = isNumber(seconds)
    ? dateTimeOf(seconds)
    : isString(json)
      ? Option.getOrUndefined(DateTime.make(json))
      : undefined
  return time ?? invalid
}

/** Makes instances with the class's prototype, without its validation and defaults. */
export const unsafeConstructor = (shape: StructShape): (new () => Json) => {
  function Instance() {}
  Instance.prototype = shape.prototype
  // the type of a function does not show that it is a constructor
  return Instance as unknown as new () => Json
}

/** Returns the time at these epoch seconds, or `undefined` beyond the range of dates. */
export const dateTimeOf = (seconds: number): DateTime.Utc | undefined =>
  Option.getOrUndefined(DateTime.make(millis.fromSeconds(seconds)))

export const isString = (json: unknown): json is string => typeof json === "string"
export const isNumber = (json: unknown): json is number => typeof json === "number"
