/** Values to the plain objects of the wire and back, compiled from a shape. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
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
      return (time: DateTime.Utc) => time.epochMillis / 1000
    case "secret":
      return Redacted.value
    case "struct":
      return projection(shape)
    case "list": {
      const element = projectionOf(shape.element)
      return element && ((values: ReadonlyArray<unknown>) => values.map((value) => element(value as never)))
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
 * Reads what came over the wire into an instance, without checking any rule.
 *
 * An answer is read leniently: what is null, empty or of another type is absent, and an element that lacks
 * what it must have goes to `unreadable`. A request (`mismatches` given) keeps every value that has the
 * right type, and what has another is reported.
 */
export interface Reading {
  readonly mismatches?: Array<Mismatch>
  readonly unreadable?: Array<unknown>
}

/** Compiles the reading of a class. The fields about an answer are the caller's to give. */
export const reader = (shape: Struct): ((json: Json, reading: Reading, about?: Json) => object) => {
  const read = structReader(shape)
  return (json, reading, about) => Object.assign(read(json, "", reading) as object, about)
}

type Read = (json: unknown, path: string, reading: Reading) => unknown

const readerOf = (shape: Shape): Read => {
  switch (shape.kind) {
    case "text":
      return scalar("a string", isString, (json) =>
        typeof json === "number" ? String(json) : isString(json) && json !== "" ? json : undefined
      )
    case "secret":
      return (json, path, reading) => {
        const text = scalar("a string", isString, (json) => json)(json, path, reading)
        return text === undefined ? undefined : Redacted.make(text)
      }
    case "number":
      return scalar("a number", isNumber, toNumber)
    case "flag":
      return scalar(
        "true or false",
        (json) => typeof json === "boolean",
        () => undefined
      )
    case "time": {
      const read = scalar(
        "a number of seconds",
        isNumber,
        (json) => toNumber(json) ?? (isString(json) ? toSeconds(json) : undefined)
      )
      return (json, path, reading) => {
        const seconds = read(json, path, reading)
        return typeof seconds === "number" ? toTime(seconds, path, reading) : undefined
      }
    }
    case "list":
      return listReader(shape.element)
    case "struct": {
      const read = structReader(shape)
      const required = shape.fields.filter((field) => field.required).map((field) => field.name)
      return (json, path, reading) => {
        if (typeof json !== "object" || Array.isArray(json))
          return mismatch(reading, path, "an object")
        const value = read(json as Json, path, reading) as Json
        const isWhole =
          reading.mismatches !== undefined || required.every((name) => value[name] !== undefined)
        return isWhole ? value : undefined
      }
    }
  }
}

const structReader = (shape: Struct): Read => {
  const fields = shape.fields.map((field) => ({ ...field, read: readerOf(field.shape) }))
  // a constructor without a body: instances get the class's prototype and none of its checks and defaults
  function Instance() {}
  Instance.prototype = shape.prototype
  const Bare = Instance as unknown as new () => Json
  return (json, path, reading) => {
    const value = new Bare()
    for (const { absent, name, read, wire } of fields) {
      const member = (json as Json)[wire]
      const field =
        member === undefined || member === null
          ? undefined
          : read(member, path === "" ? wire : `${path}.${wire}`, reading)
      const settled = field === undefined ? absent() : field
      if (settled !== undefined) value[name] = settled
    }
    return value
  }
}

const listReader = (shape: Shape): Read => {
  const read = readerOf(shape)
  return (json, path, reading) => {
    if (!Array.isArray(json)) return mismatch(reading, path, "a list")
    const values: Array<unknown> = []
    for (let i = 0; i < json.length; i++) {
      const element: unknown = json[i]
      const value =
        element === undefined || element === null
          ? mismatch(reading, `${path}[${i}]`, "not null")
          : read(element, `${path}[${i}]`, reading)
      if (value !== undefined) values.push(value)
      else reading.unreadable?.push(element)
    }
    return reading.mismatches === undefined && values.length === 0 ? undefined : values
  }
}

const scalar =
  (expected: string, is: (json: unknown) => boolean, lenient: (json: unknown) => unknown): Read =>
  (json, path, reading) =>
    reading.mismatches === undefined
      ? lenient(json)
      : is(json)
        ? json
        : mismatch(reading, path, expected)

const mismatch = (reading: Reading, path: string, expected: string): undefined => {
  reading.mismatches?.push({ path, expected })
}

const isString = (json: unknown): json is string => typeof json === "string"
const isNumber = (json: unknown): json is number => typeof json === "number"

const toNumber = (json: unknown): number | undefined => {
  const number = isString(json) && json.trim() !== "" ? Number(json) : json
  return isNumber(number) && Number.isFinite(number) ? number : undefined
}

const toSeconds = (json: string): number | undefined =>
  Option.getOrUndefined(Option.map(DateTime.make(json), (time) => time.epochMillis / 1000))

const toTime = (seconds: number, path: string, reading: Reading): DateTime.Utc | undefined => {
  const time = DateTime.make(Math.round(seconds * 1000))
  return Option.isSome(time) ? time.value : mismatch(reading, path, "a time that a calendar has")
}
