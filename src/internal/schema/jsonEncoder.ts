/** Encodes values as the service's JSON objects, compiled from a shape. */
import { identity } from "effect/Function"
import * as Redacted from "effect/Redacted"
import * as millis from "./millis.js"
import type { Shape, StructShape } from "./shape.js"

type Encode = (value: never) => unknown

/** Compiles the encoder of a class, for values that have been validated. */
export const jsonEncoder = (shape: StructShape): ((value: object) => Record<string, unknown>) => {
  const fields = shape.fields.map(({ name, shape, wireName }) => ({
    name,
    wireName,
    encode: encoderOf(shape)
  }))
  return (value) => {
    const json: Record<string, unknown> = {}
    for (const { encode, name, wireName } of fields) {
      const field = (value as Record<string, unknown>)[name]
      if (field !== undefined) json[wireName] = encode(field as never)
    }
    return json
  }
}

const encoderOf = (shape: Shape): Encode => {
  switch (shape.kind) {
    case "dateTime":
      return millis.toSeconds
    case "redacted":
      return Redacted.value
    case "struct":
      return jsonEncoder(shape)
    case "array": {
      const encode = encoderOf(shape.element)
      return (values: ReadonlyArray<unknown>) => values.map((value) => encode(value as never))
    }
    default:
      return identity
  }
}
