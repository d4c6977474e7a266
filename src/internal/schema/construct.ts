/** Makes instances of request classes from plain fields, and validates them. */
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { InvalidInputError, type OperationName, type Violation } from "../../MeteringError.js"
import type { SchemaClass } from "../../Operation.js"
import type { Rule } from "../../Preflight.js"
import * as millis from "./millis.js"
import { type Shape, type StructShape, shapeOf } from "./shape.js"
import * as validate from "./validate.js"

export interface MakeOptions {
  /** Preflight rules that are not checked. */
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/** Makes an instance of a class, nested values included, with whole milliseconds. Validates nothing. */
export const instantiate = <A>(schema: SchemaClass<A>, fields: unknown): A => {
  const shape = shapeOf(schema)
  return floorTimes(shape)(instantiateShape(shape, fields)) as A
}

/** Makes the request that a call sends. The same request instance always results in an equal request. */
export const requestOf = <Request>(
  {
    prepare,
    request
  }: {
    readonly request: SchemaClass<Request>
    readonly prepare?: (request: Request) => Request
  },
  input: unknown
): Request => {
  const shape = shapeOf(request)
  const instance = instantiateShape(shape, input)
  const prepared =
    prepare !== undefined && isInstance(instance, shape) ? prepare(instance as Request) : instance
  return floorTimes(shape)(prepared) as Request
}

const isInstance = (value: unknown, { prototype }: StructShape) =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === prototype

type Constructor = new (fields: object, options: Schema.MakeOptions) => object

const instantiateShape = (shape: Shape, value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (shape.kind === "array") {
    return Array.isArray(value)
      ? value.map((element) => instantiateShape(shape.element, element))
      : value
  }
  if (shape.kind !== "struct" || isInstance(value, shape)) return value
  const fields: Record<string, unknown> = {}
  // copies only the fields of the class, because a key such as `__proto__` would change the prototype of the instance
  for (const { name, shape: fieldShape } of shape.fields) {
    if (name in value) {
      fields[name] = instantiateShape(fieldShape, (value as Record<string, unknown>)[name])
    }
  }
  // unlike `true`, which is how Schema decodes, this lets the class fill in its defaults
  return new (shape.prototype.constructor as Constructor)(fields, { disableValidation: true })
}

type Floor = (value: unknown) => unknown

const compiledFloors = new WeakMap<StructShape, Floor>()

/** Compiles a function that cuts all times in a value down to whole milliseconds, and returns a value without fractions as it is. */
const floorTimes = (shape: StructShape): Floor => {
  const cached = compiledFloors.get(shape)
  if (cached !== undefined) return cached
  const floorValue = floorOf(shape) ?? ((value: unknown) => value)
  compiledFloors.set(shape, floorValue)
  return floorValue
}

/** Returns `undefined` for shapes without times, so that 2500 allocations are not searched for times. */
const floorOf = (shape: Shape): Floor | undefined => {
  switch (shape.kind) {
    case "dateTime":
      return millis.floor
    case "array": {
      const floorElement = floorOf(shape.element)
      return (
        floorElement &&
        ((values) => {
          if (!Array.isArray(values)) return values
          const floored = values.map(floorElement)
          return floored.every((value, i) => value === values[i]) ? values : floored
        })
      )
    }
    case "struct": {
      const fields = shape.fields.flatMap(({ name, shape }) => {
        const floorField = floorOf(shape)
        return floorField === undefined ? [] : [{ name, floorField }]
      })
      if (fields.length === 0) return undefined
      return (value) => {
        if (typeof value !== "object" || value === null) return value
        let copy: object | undefined
        for (const { floorField, name } of fields) {
          const field = (value as Record<string, unknown>)[name]
          const floored = floorField(field)
          if (floored !== field) {
            copy ??= Object.assign(Object.create(Object.getPrototypeOf(value)), value)
            Object.assign(copy as object, { [name]: floored })
          }
        }
        return copy ?? value
      }
    }
  }
  return undefined
}

/** Makes the validating constructor of a class. */
export const makerEither = <A, Fields>(schema: SchemaClass<A>) => {
  let validateAll: ReturnType<typeof validate.compile> | undefined
  return (fields: Fields, options?: MakeOptions): Either.Either<A, InvalidInputError> => {
    const value = instantiate(schema, fields)
    const validateFields =
      options?.skipRules === undefined
        ? (validateAll ??= validate.compile(shapeOf(schema)))
        : validate.compile(shapeOf(schema), options.skipRules)
    const error = invalidInput(validateFields(value))
    return error === undefined ? Either.right(value) : Either.left(error)
  }
}

/** Makes a validating constructor that throws. */
export const maker =
  <A, Fields>(
    makeEither: (fields: Fields, options?: MakeOptions) => Either.Either<A, InvalidInputError>
  ) =>
  (fields: Fields, options?: MakeOptions): A =>
    Either.getOrThrowWith(makeEither(fields, options), (error) => error)

/** Returns the error for the issues of a validation, or `undefined` without issues. */
export const invalidInput = (
  [first, ...others]: ReadonlyArray<validate.ValidationIssue>,
  operation?: OperationName
): InvalidInputError | undefined =>
  first === undefined
    ? undefined
    : new InvalidInputError(
        {
          ...(operation !== undefined && { operation }),
          violations: [toViolation(first), ...others.map(toViolation)]
        },
        true
      )

const toViolation = ({ path, ...violation }: validate.ValidationIssue): Violation => {
  const [list, index, ...below] = path
  return list === "usageRecords" && typeof index === "number"
    ? { index, field: below.length > 0 ? formatPath(below) : formatPath(path), ...violation }
    : { field: formatPath(path), ...violation }
}

/** Formats a path as code would access it, such as `tags[0].key`. Returns `whole` for an empty path. */
export const formatPath = (path: ReadonlyArray<PropertyKey>, whole = "value"): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : text === ""
          ? String(key)
          : `${text}.${String(key)}`,
    ""
  ) || whole
