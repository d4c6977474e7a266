/** Values to the plain objects of the wire and back, compiled from a shape. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Field, Shape, Struct } from "./shape.js"

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
      return (time: DateTime.Utc) => time.epochMillis / 1000
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

/** A member of a request that is not of its type. */
export interface Mismatch {
  readonly path: string
  readonly expected: string
}

/**
 * How strictly to read.
 *
 * A request (`mismatches`) keeps every value that has the right type, and what has another is reported. An
 * answer (`unreadable`) is read leniently: what is null or empty is absent, numbers may be text. A value that
 * lacks what it must have, or of which a part cannot be read, is not altered into one that can: it is left
 * out as a whole, and from a list of the answer it goes to `unreadable` as it is.
 */
export interface Reading {
  readonly mismatches?: Array<Mismatch>
  readonly unreadable?: Array<unknown>
}

/** Compiles the reading of a class. The fields about an answer are the caller's to give. */
export const reader = (shape: Struct): ((json: Json, reading: Reading, about?: Json) => object) => {
  const fields = shape.fields.map((field) => ({
    ...field,
    read:
      field.shape.kind === "list"
        ? listReader(readerOf(field.shape.element), keepUnreadable)
        : readerOf(field.shape)
  }))
  const construct = bareConstructor(shape)
  return (json, reading, about) => {
    const value = new construct()
    fill(value, fields, json, "", reading, false)
    return Object.assign(value, about)
  }
}

/** Nothing is absent; what is there and cannot be read is this. */
const unreadable: unique symbol = Symbol()

type Read = (json: unknown, path: string, reading: Reading) => unknown

interface ReadableField extends Field {
  readonly read: Read
}

const readerOf = (shape: Shape): Read => {
  switch (shape.kind) {
    case "text":
      return scalar("a string", isString, (json) =>
        isNumber(json) ? String(json) : json === "" ? undefined : isString(json) ? json : unreadable
      )
    case "secret": {
      const read = scalar("a string", isString, (json) => (isString(json) ? json : unreadable))
      return (json, path, reading) => {
        const text = read(json, path, reading)
        return isString(text) ? Redacted.make(text) : text
      }
    }
    case "number":
      return scalar("a number", isNumber, toNumber)
    case "flag":
      return scalar("true or false", isFlag, (json) => (isFlag(json) ? json : unreadable))
    case "time": {
      const read = scalar("a number of seconds", isNumber, toSeconds)
      // the records of one call are mostly of one time, and times never change
      let last: DateTime.Utc | undefined
      return (json, path, reading) => {
        const seconds = read(json, path, reading)
        if (!isNumber(seconds)) return seconds
        const millis = Math.round(seconds * 1000)
        if (last?.epochMillis === millis) return last
        const time = DateTime.make(millis)
        return Option.isSome(time)
          ? (last = time.value)
          : mismatch(reading, path, "a time that a calendar has")
      }
    }
    case "list":
      return listReader(readerOf(shape.element), refuseUnreadable)
    case "struct":
      return structReader(shape)
  }
}

const structReader = (shape: Struct): Read => {
  const fields = shape.fields.map((field) => ({ ...field, read: readerOf(field.shape) }))
  const construct = bareConstructor(shape)
  // what must have something is a value of its own; what need not have anything only gathers others
  const isValue = fields.some((field) => field.required && field.absent() === undefined)
  return (json, path, reading) => {
    if (typeof json !== "object" || Array.isArray(json)) return mismatch(reading, path, "an object")
    const value = new construct()
    return fill(value, fields, json as Json, path, reading, isValue) ? value : unreadable
  }
}

/** Fills in what the wire has. False where that does not make a whole value, and it has to. */
const fill = (
  value: Json,
  fields: ReadonlyArray<ReadableField>,
  json: Json,
  path: string,
  reading: Reading,
  isValue: boolean
): boolean => {
  const isLenient = reading.mismatches === undefined
  for (const { absent, name, read, required, wire } of fields) {
    const member = json[wire]
    const field =
      member === undefined || member === null
        ? undefined
        : read(member, isLenient ? "" : path === "" ? wire : `${path}.${wire}`, reading)
    if (field === unreadable && isValue && isLenient) return false
    const settled = field === undefined || field === unreadable ? absent() : field
    if (settled !== undefined) value[name] = settled
    else if (required && isValue && isLenient) return false
  }
  return true
}

/** Makes instances with the class's prototype and none of its checks and defaults. */
const bareConstructor = (shape: Struct): (new () => Json) => {
  function Instance() {}
  Instance.prototype = shape.prototype
  // a function is a constructor, which its type does not tell
  return Instance as unknown as new () => Json
}

type OnUnreadable = (element: unknown, reading: Reading) => boolean

/** A list of the answer itself keeps what can be read, and the rest is kept beside it. */
const keepUnreadable: OnUnreadable = (element, reading) => {
  reading.unreadable?.push(element)
  return true
}

/** A list within a value would be another one without its unreadable elements. */
const refuseUnreadable: OnUnreadable = (_, reading) => reading.mismatches !== undefined

const listReader =
  (read: Read, onUnreadable: OnUnreadable): Read =>
  (json, path, reading) => {
    if (!Array.isArray(json)) {
      onUnreadable(json, reading)
      return mismatch(reading, path, "a list")
    }
    const values: Array<unknown> = []
    for (let i = 0; i < json.length; i++) {
      const element: unknown = json[i]
      const at = reading.mismatches === undefined ? "" : `${path}[${i}]`
      const value =
        element === undefined || element === null
          ? mismatch(reading, at, "not null")
          : read(element, at, reading)
      if (value !== undefined && value !== unreadable) values.push(value)
      else if (!onUnreadable(element, reading)) return unreadable
    }
    return reading.mismatches === undefined && values.length === 0 ? undefined : values
  }

const scalar =
  (expected: string, is: (json: unknown) => boolean, lenient: (json: unknown) => unknown): Read =>
  (json, path, reading) =>
    reading.mismatches === undefined
      ? lenient(json)
      : is(json)
        ? json
        : mismatch(reading, path, expected)

const mismatch = (reading: Reading, path: string, expected: string): typeof unreadable => {
  reading.mismatches?.push({ path, expected })
  return unreadable
}

const isString = (json: unknown): json is string => typeof json === "string"
const isNumber = (json: unknown): json is number => typeof json === "number"
const isFlag = (json: unknown): json is boolean => typeof json === "boolean"

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
