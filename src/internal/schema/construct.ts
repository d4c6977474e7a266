/** From a constructor's fields to a value of its class, checked or not yet checked. */
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { InvalidInputError, type OperationName, type Violation } from "../../MeteringError.js"
import type { SchemaClass } from "../../Operation.js"
import type { Rule } from "../../Preflight.js"
import { floorTimes } from "./millis.js"
import { type Shape, type StructShape, shapeOf } from "./shape.js"
import * as validate from "./validate.js"

export interface MakeOptions {
  /** Preflight rules that are not to be checked. */
  readonly skipRules?: ReadonlyArray<Rule> | undefined
}

/**
 * Fields become an instance once, plain nested values too, and times whole. Nothing is checked, nothing is refused.
 */
export const instantiate = <A>(schema: SchemaClass<A>, fields: unknown): A => {
  const shape = shapeOf(schema)
  return floorTimes(shape)(instantiateShape(shape, fields)) as A
}

/** What a call sends: for the same request the same, however often it is made. */
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
  if (shape.kind === "list") {
    return Array.isArray(value)
      ? value.map((element) => instantiateShape(shape.element, element))
      : value
  }
  if (shape.kind !== "struct" || isInstance(value, shape)) return value
  const fields: Record<string, unknown> = {}
  // only what the class has: a key such as `__proto__` would make another thing of its instance
  for (const field of shape.fields) {
    if (!(field.name in value)) continue
    fields[field.name] = instantiateShape(
      field.shape,
      (value as Record<string, unknown>)[field.name]
    )
  }
  // unlike `true`, which is how Schema decodes, this lets the class fill in what a new value has
  return new (shape.prototype.constructor as Constructor)(fields, { disableValidation: true })
}

/** The checked constructor of a class, as an `Either`. */
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

/** The checked constructor of a class. Throws what `makerEither` would be left with. */
export const maker =
  <A, Fields>(
    makeEither: (fields: Fields, options?: MakeOptions) => Either.Either<A, InvalidInputError>
  ) =>
  (fields: Fields, options?: MakeOptions): A =>
    Either.getOrThrowWith(makeEither(fields, options), (error) => error)

/** The error for what a check has found, or nothing. */
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

/** A place in a value as code would name it, or what stands for the whole value. */
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
