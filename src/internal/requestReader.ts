/** Requests from the wire, read strictly: what has the right type is kept as it is, and all that has not is reported. */
import * as Redacted from "effect/Redacted"
import { bareConstructor, isNumber, isString, timeMaker } from "./codec.js"
import type { Shape, Struct } from "./shape.js"

type Json = Record<string, unknown>

/** A member of a request that is not of its type. */
export interface Mismatch {
  readonly path: string
  readonly expected: string
}

/** Compiles the reading of a class. Members that are missing stay absent, and so do those that are reported. */
export const requestReader = (
  shape: Struct
): ((json: Json, mismatches: Array<Mismatch>) => object) => {
  const read = structReader(shape)
  return (json, mismatches) => read(json, "", mismatches)
}

/** What is there, or nothing where it is of another type. */
type Read = (json: unknown, path: string, mismatches: Array<Mismatch>) => unknown

const mismatch = (expected: string, path: string, mismatches: Array<Mismatch>): undefined => {
  mismatches.push({ path, expected })
}

const readerOf = (shape: Shape): Read => {
  switch (shape.kind) {
    case "text":
      return scalar("a string", isString, (text) => text)
    case "secret":
      return scalar("a string", isString, (text) => Redacted.make(text))
    case "number":
      return scalar("a number", isNumber, (number) => number)
    case "flag":
      return scalar("true or false", isFlag, (flag) => flag)
    case "time": {
      const timeOf = timeMaker()
      const read = scalar("a number of seconds", isNumber, (seconds) => seconds)
      return (json, path, mismatches) => {
        const seconds = read(json, path, mismatches)
        return isNumber(seconds)
          ? (timeOf(seconds) ?? mismatch("a time that a calendar has", path, mismatches))
          : undefined
      }
    }
    case "list":
      return listReader(readerOf(shape.element))
    case "struct": {
      const read = structReader(shape)
      return (json, path, mismatches) =>
        typeof json === "object" && !Array.isArray(json)
          ? read(json as Json, path, mismatches)
          : mismatch("an object", path, mismatches)
    }
  }
}

const isFlag = (json: unknown): json is boolean => typeof json === "boolean"

const scalar =
  <A>(expected: string, is: (json: unknown) => json is A, make: (json: A) => unknown): Read =>
  (json, path, mismatches) =>
    is(json) ? make(json) : mismatch(expected, path, mismatches)

const structReader = (shape: Struct) => {
  const fields = shape.fields.map((field) => ({ ...field, read: readerOf(field.shape) }))
  const construct = bareConstructor(shape)
  return (json: Json, path: string, mismatches: Array<Mismatch>): object => {
    const value = new construct()
    for (const { absent, name, read, wire } of fields) {
      const member = json[wire]
      const field =
        member === undefined || member === null
          ? undefined
          : read(member, path === "" ? wire : `${path}.${wire}`, mismatches)
      const settled = field === undefined ? absent() : field
      if (settled !== undefined) value[name] = settled
    }
    return value
  }
}

const listReader =
  (read: Read): Read =>
  (json, path, mismatches) => {
    if (!Array.isArray(json)) return mismatch("a list", path, mismatches)
    return json.flatMap((element: unknown, i) => {
      const at = `${path}[${i}]`
      const value =
        element === null ? mismatch("not null", at, mismatches) : read(element, at, mismatches)
      return value === undefined ? [] : [value]
    })
  }
