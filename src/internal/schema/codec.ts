/** Values to the plain objects of the wire, and answers back, compiled from a shape. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as millis from "./millis.js"
import type { Shape, StructShape } from "./shape.js"

type Json = Record<string, unknown>

// ---------------------------------------------------------------------------------------------------
// to the wire
// ---------------------------------------------------------------------------------------------------

type Encode = (value: never) => unknown

/** Compiles the projection of a checked value of a class onto its wire names. */
export const encoder = (shape: StructShape): ((value: object) => Json) => {
  const fields = shape.fields.map(({ name, shape, wireName }) => ({
    name,
    wire: wireName,
    project: encoderOf(shape)
  }))
  return (value) => {
    const out: Json = {}
    for (const { name, project: encode, wire: wireName } of fields) {
      const field = (value as Json)[name]
      if (field !== undefined) out[wireName] = encode === undefined ? field : encode(field as never)
    }
    return out
  }
}

/** Nothing where a value is itself on the wire. */
const encoderOf = (shape: Shape): Encode | undefined => {
  switch (shape.kind) {
    case "time":
      return millis.toSeconds
    case "secret":
      return Redacted.value
    case "struct":
      return encoder(shape)
    case "list": {
      const encodeElement = encoderOf(shape.element)
      return (
        encodeElement &&
        ((values: ReadonlyArray<unknown>) => values.map((value) => encodeElement(value as never)))
      )
    }
  }
  return undefined
}

// ---------------------------------------------------------------------------------------------------
// from the wire
// ---------------------------------------------------------------------------------------------------

/**
 * Compiles the reading of an answer, which is lenient: what is null or empty is absent, numbers may be text. A value
 * that lacks what it must have, or of which a part cannot be read, is not altered into one that can: it is left out as
 * a whole, and from a list of the answer it goes to `lost` as it is. The fields about an answer are the caller's to give.
 */
export const decoder = (
  shape: StructShape
): ((json: Json, undecodable: Array<unknown>, metadata?: Json) => object) => {
  const decode = structDecoder(shape, false)
  return (json, undecodable, metadata) => Object.assign(decode(json, undecodable), metadata)
}

/** Nothing is absent; what is there and cannot be read is this. */
const invalid: unique symbol = Symbol()

/** Reads what is there. Only a list of the answer itself has somewhere to put what it cannot read. */
type Decode = (json: unknown, lost?: Array<unknown>) => unknown

const decoderOf = (shape: Shape): Decode => {
  switch (shape.kind) {
    case "text":
      return (json) =>
        isNumber(json) ? String(json) : json === "" ? undefined : isString(json) ? json : invalid
    case "secret":
      return (json) => (isString(json) ? Redacted.make(json) : invalid)
    case "number":
      return toNumber
    case "flag":
      return (json) => (typeof json === "boolean" ? json : invalid)
    case "time": {
      const decodeTime = dateTimeDecoder()
      return (json) => {
        const seconds = toSeconds(json)
        return isNumber(seconds) ? (decodeTime(seconds) ?? invalid) : invalid
      }
    }
    case "list":
      return arrayDecoder(decoderOf(shape.element))
    case "struct": {
      // what must have something is a value of its own; what need not have anything only gathers others
      const isValue = shape.fields.some(
        (field) => field.required && field.defaultValue() === undefined
      )
      const decode = structDecoder(shape, isValue)
      return (json) =>
        typeof json === "object" && !Array.isArray(json) ? decode(json as Json) : invalid
    }
  }
}

/** Values of responses in which a default stands for what the wire left out. */
const valuesWithDefaults = new WeakSet<object>()

/** Whether a default stands for a field of this value, which for all that the wire said may be anything. */
export const hasDefaultedField = (value: object): boolean => valuesWithDefaults.has(value)

/** Fills in what the wire has. Unreadable where that does not make a whole value, and it has to. */
const structDecoder = <IsValue extends boolean>(shape: StructShape, isValue: IsValue) => {
  type Result = Json | (IsValue extends false ? never : typeof invalid)
  const fields = shape.fields.map((field) => ({ ...field, read: decoderOf(field.shape) }))
  const Instance = unsafeConstructor(shape)
  return (json: Json, undecodable?: Array<unknown>): Result => {
    const value = new Instance()
    for (const { defaultValue, name, read: decode, required, wireName } of fields) {
      const encoded = json[wireName]
      const field =
        encoded === undefined || encoded === null ? undefined : decode(encoded, undecodable)
      const resolved = field === undefined || field === invalid ? defaultValue() : field
      if (resolved !== undefined) {
        value[name] = resolved
        if (resolved !== field) valuesWithDefaults.add(value)
      }
      if (isValue && (field === invalid || (required && resolved === undefined))) {
        return invalid as Result
      }
    }
    return value
  }
}

/** A list within a value would be another one without its unreadable elements. */
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

const toSeconds = (json: unknown): number | typeof invalid => {
  const seconds = toNumber(json)
  if (isNumber(seconds) || !isString(json)) return seconds
  const time = DateTime.make(json)
  return Option.isSome(time) ? time.value.epochMillis / 1000 : invalid
}

// ---------------------------------------------------------------------------------------------------
// from the wire, for any reader
// ---------------------------------------------------------------------------------------------------

/** Makes instances with the class's prototype and none of its checks and defaults. */
export const unsafeConstructor = (shape: StructShape): (new () => Json) => {
  function Instance() {}
  Instance.prototype = shape.prototype
  // a function is a constructor, which its type does not tell
  return Instance as unknown as new () => Json
}

/** The time that so many seconds are, if a calendar has it. Most of a call's times are one, and times never change. */
export const dateTimeDecoder = () => {
  let cached: DateTime.Utc | undefined
  return (seconds: number): DateTime.Utc | undefined => {
    const epochMillis = millis.fromSeconds(seconds)
    return cached?.epochMillis === epochMillis
      ? cached
      : (cached = Option.getOrUndefined(DateTime.make(epochMillis)))
  }
}

export const isString = (json: unknown): json is string => typeof json === "string"
export const isNumber = (json: unknown): json is number => typeof json === "number"
