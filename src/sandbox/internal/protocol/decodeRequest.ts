/** Decodes requests strictly: keeps fields of the right type, and reports all fields of a wrong type. */
import * as Redacted from "effect/Redacted"
import { EntitlementFilter } from "../../../entitlement/GetEntitlements.js"
import {
  dateTimeOf,
  isNumber,
  isString,
  unsafeConstructor
} from "../../../internal/schema/decodeResponse.js"
import type { Shape, StructShape } from "../../../internal/schema/shape.js"

type Json = Record<string, unknown>

/** A field of the wrong type. */
export interface Mismatch {
  readonly path: string
  readonly expected: string
  /** True for an unknown key of `Filter`. Otherwise absent. */
  readonly isUnknownFilter?: true
}

/** Compiles the decoder of a request class. Missing and mismatched fields are absent in the request. */
export const makeRequestDecoder = (
  shape: StructShape
): ((json: Json, mismatches: Array<Mismatch>) => object) => {
  const decode = structDecoder(shape)
  return (json, mismatches) => decode(json, "", mismatches)
}

/** Decodes a value. Adds a mismatch and returns `undefined` if the value has the wrong type. */
type Decode = (json: unknown, path: string, mismatches: Array<Mismatch>) => unknown

const reportMismatch = (expected: string, path: string, mismatches: Array<Mismatch>): undefined => {
  mismatches.push({ path, expected })
}

const decoderOf = (shape: Shape): Decode => {
  switch (shape.kind) {
    case "string":
      return scalarDecoder("a string", isString, (text) => text)
    case "redacted":
      return scalarDecoder("a string", isString, (text) => Redacted.make(text))
    case "number":
      return scalarDecoder("a number", isNumber, (number) => number)
    case "boolean":
      return scalarDecoder("true or false", isBoolean, (value) => value)
    case "dateTime": {
      const decode = scalarDecoder("a number of seconds", isNumber, (seconds) => seconds)
      return (json, path, mismatches) => {
        const seconds = decode(json, path, mismatches)
        return isNumber(seconds)
          ? (dateTimeOf(seconds) ?? reportMismatch("a time that a calendar has", path, mismatches))
          : undefined
      }
    }
    case "array":
      return arrayDecoder(decoderOf(shape.element))
    case "struct": {
      const decode = structDecoder(shape)
      return (json, path, mismatches) =>
        typeof json === "object" && !Array.isArray(json)
          ? decode(json as Json, path, mismatches)
          : reportMismatch("an object", path, mismatches)
    }
  }
}

const isBoolean = (json: unknown): json is boolean => typeof json === "boolean"

const scalarDecoder =
  <A>(expected: string, is: (json: unknown) => json is A, make: (json: A) => unknown): Decode =>
  (json, path, mismatches) =>
    is(json) ? make(json) : reportMismatch(expected, path, mismatches)

const structDecoder = (shape: StructShape) => {
  const fields = shape.fields.map((field) => ({ ...field, decode: decoderOf(field.shape) }))
  const wireNames = fields.map(({ wireName }) => wireName)
  // `Filter` is a map in the service's model. The service rejects unknown keys of a map, but ignores unknown fields of a structure
  const isMap = shape.prototype === EntitlementFilter.prototype
  const Instance = unsafeConstructor(shape)
  return (json: Json, path: string, mismatches: Array<Mismatch>): object => {
    const value = new Instance()
    for (const name of isMap ? Object.keys(json) : []) {
      if (wireNames.includes(name)) continue
      const expected = `one of ${wireNames.join(", ")}`
      mismatches.push({ path: `${path}.${name}`, expected, isUnknownFilter: true })
    }
    for (const { decode, defaultValue, name, wireName } of fields) {
      const encoded = json[wireName]
      const field =
        encoded === undefined || encoded === null
          ? undefined
          : decode(encoded, path === "" ? wireName : `${path}.${wireName}`, mismatches)
      const resolved = field === undefined ? defaultValue() : field
      if (resolved !== undefined) value[name] = resolved
    }
    return value
  }
}

const arrayDecoder =
  (decode: Decode): Decode =>
  (json, path, mismatches) => {
    if (!Array.isArray(json)) return reportMismatch("a list", path, mismatches)
    return json.flatMap((element: unknown, i) => {
      const elementPath = `${path}[${i}]`
      const value =
        element === null
          ? reportMismatch("not null", elementPath, mismatches)
          : decode(element, elementPath, mismatches)
      return value === undefined ? [] : [value]
    })
  }
