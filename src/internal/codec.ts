/** Values to the plain objects of the wire, and answers back, compiled from a shape. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as millis from "./millis.js"
import type { Shape, Struct } from "./shape.js"

type Json = Record<string, unknown>

// ---------------------------------------------------------------------------------------------------
// to the wire
// ---------------------------------------------------------------------------------------------------

type Project = (value: never) => unknown

/** Compiles the projection of a checked value of a class onto its wire names. */
export const projection = (shape: Struct): ((value: object) => Json) => {
  const fields = shape.fields.map(({ name, shape, wire }) => ({
    name,
    wire,
    project: projectionOf(shape)
  }))
  return (value) => {
    const out: Json = {}
    for (const { name, project, wire } of fields) {
      const field = (value as Json)[name]
      if (field !== undefined) out[wire] = project === undefined ? field : project(field as never)
    }
    return out
  }
}

/** Nothing where a value is itself on the wire. */
const projectionOf = (shape: Shape): Project | undefined => {
  switch (shape.kind) {
    case "time":
      return millis.toSeconds
    case "secret":
      return Redacted.value
    case "struct":
      return projection(shape)
    case "list": {
      const element = projectionOf(shape.element)
      return (
        element &&
        ((values: ReadonlyArray<unknown>) => values.map((value) => element(value as never)))
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
export const reader = (
  shape: Struct
): ((json: Json, lost: Array<unknown>, about?: Json) => object) => {
  const read = structReader(shape, false)
  return (json, lost, about) => Object.assign(read(json, lost), about)
}

/** Nothing is absent; what is there and cannot be read is this. */
const unreadable: unique symbol = Symbol()

/** Reads what is there. Only a list of the answer itself has somewhere to put what it cannot read. */
type Read = (json: unknown, lost?: Array<unknown>) => unknown

const readerOf = (shape: Shape): Read => {
  switch (shape.kind) {
    case "text":
      return (json) =>
        isNumber(json) ? String(json) : json === "" ? undefined : isString(json) ? json : unreadable
    case "secret":
      return (json) => (isString(json) ? Redacted.make(json) : unreadable)
    case "number":
      return toNumber
    case "flag":
      return (json) => (typeof json === "boolean" ? json : unreadable)
    case "time": {
      const timeOf = timeMaker()
      return (json) => {
        const seconds = toSeconds(json)
        return isNumber(seconds) ? (timeOf(seconds) ?? unreadable) : unreadable
      }
    }
    case "list":
      return listReader(readerOf(shape.element))
    case "struct": {
      // what must have something is a value of its own; what need not have anything only gathers others
      const isValue = shape.fields.some((field) => field.required && field.absent() === undefined)
      const read = structReader(shape, isValue)
      return (json) =>
        typeof json === "object" && !Array.isArray(json) ? read(json as Json) : unreadable
    }
  }
}

/** Values of responses in which a default stands for what the wire left out. */
const completed = new WeakSet<object>()

/** Whether a default stands for a field of this value, which for all that the wire said may be anything. */
export const lacksField = (value: object): boolean => completed.has(value)

/** Fills in what the wire has. Unreadable where that does not make a whole value, and it has to. */
const structReader = <IsValue extends boolean>(shape: Struct, isValue: IsValue) => {
  type Result = Json | (IsValue extends false ? never : typeof unreadable)
  const fields = shape.fields.map((field) => ({ ...field, read: readerOf(field.shape) }))
  const construct = bareConstructor(shape)
  return (json: Json, lost?: Array<unknown>): Result => {
    const value = new construct()
    for (const { absent, name, read, required, wire } of fields) {
      const member = json[wire]
      const field = member === undefined || member === null ? undefined : read(member, lost)
      const settled = field === undefined || field === unreadable ? absent() : field
      if (settled !== undefined) {
        value[name] = settled
        if (settled !== field) completed.add(value)
      }
      if (isValue && (field === unreadable || (required && settled === undefined))) {
        return unreadable as Result
      }
    }
    return value
  }
}

/** A list within a value would be another one without its unreadable elements. */
const listReader =
  (read: Read): Read =>
  (json, lost) => {
    if (!Array.isArray(json)) {
      lost?.push(json)
      return unreadable
    }
    const values: Array<unknown> = []
    for (const element of json) {
      const value = element === null ? unreadable : read(element)
      if (value !== undefined && value !== unreadable) values.push(value)
      else if (lost === undefined) return unreadable
      else lost.push(element)
    }
    return values.length === 0 ? undefined : values
  }

const toNumber = (json: unknown): number | typeof unreadable => {
  const number = isString(json) && json.trim() !== "" ? Number(json) : json
  return isNumber(number) && Number.isFinite(number) ? number : unreadable
}

const toSeconds = (json: unknown): number | typeof unreadable => {
  const seconds = toNumber(json)
  if (isNumber(seconds) || !isString(json)) return seconds
  const time = DateTime.make(json)
  return Option.isSome(time) ? time.value.epochMillis / 1000 : unreadable
}

// ---------------------------------------------------------------------------------------------------
// from the wire, for any reader
// ---------------------------------------------------------------------------------------------------

/** Makes instances with the class's prototype and none of its checks and defaults. */
export const bareConstructor = (shape: Struct): (new () => Json) => {
  function Instance() {}
  Instance.prototype = shape.prototype
  // a function is a constructor, which its type does not tell
  return Instance as unknown as new () => Json
}

/** The time that so many seconds are, if a calendar has it. Most of a call's times are one, and times never change. */
export const timeMaker = () => {
  let last: DateTime.Utc | undefined
  return (seconds: number): DateTime.Utc | undefined => {
    const epochMillis = millis.ofSeconds(seconds)
    return last?.epochMillis === epochMillis
      ? last
      : (last = Option.getOrUndefined(DateTime.make(epochMillis)))
  }
}

export const isString = (json: unknown): json is string => typeof json === "string"
export const isNumber = (json: unknown): json is number => typeof json === "number"
