/** From a constructor's fields to a value of its class, checked or not yet checked. */
import * as Either from "effect/Either"
import type * as Schema from "effect/Schema"
import { InvalidInputError, type OperationName, type Violation } from "../MeteringError.js"
import type { WireClass } from "../Operation.js"
import type { Rule } from "../Preflight.js"
import * as check from "./check.js"
import { floorAll } from "./millis.js"
import { of, type Shape, type Struct } from "./shape.js"

export interface MakeOptions {
  /** Preflight rules that are not to be checked. */
  readonly except?: ReadonlyArray<Rule> | undefined
}

/**
 * Fields become an instance once, plain nested values too, and times whole. Nothing is checked, nothing is refused.
 */
export const instantiate = <A>(schema: WireClass<A>, fields: unknown): A => {
  const shape = of(schema)
  return floorAll(shape)(build(shape, fields)) as A
}

/** What a call sends: for the same request the same, however often it is made. */
export const requestOf = <Request>(
  {
    prepare,
    request
  }: {
    readonly request: WireClass<Request>
    readonly prepare?: (request: Request) => Request
  },
  input: unknown
): Request => {
  const shape = of(request)
  const made = build(shape, input)
  const prepared =
    prepare !== undefined && isInstance(made, shape) ? prepare(made as Request) : made
  return floorAll(shape)(prepared) as Request
}

const isInstance = (value: unknown, { prototype }: Struct) =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === prototype

type Constructor = new (fields: object, options: Schema.MakeOptions) => object

const build = (shape: Shape, value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (shape.kind === "list") {
    return Array.isArray(value) ? value.map((element) => build(shape.element, element)) : value
  }
  if (shape.kind !== "struct" || isInstance(value, shape)) return value
  const fields: Record<string, unknown> = {}
  // only what the class has: a key such as `__proto__` would make another thing of its instance
  for (const field of shape.fields) {
    if (!(field.name in value)) continue
    fields[field.name] = build(field.shape, (value as Record<string, unknown>)[field.name])
  }
  // unlike `true`, which is how Schema decodes, this lets the class fill in what a new value has
  return new (shape.prototype.constructor as Constructor)(fields, { disableValidation: true })
}

/** The checked constructor of a class, as an `Either`. */
export const makerEither = <A, Fields>(schema: WireClass<A>) => {
  let checkAll: ReturnType<typeof check.compile> | undefined
  return (fields: Fields, options?: MakeOptions): Either.Either<A, InvalidInputError> => {
    const value = instantiate(schema, fields)
    const compiled =
      options?.except === undefined
        ? (checkAll ??= check.compile(of(schema)))
        : check.compile(of(schema), options.except)
    const error = invalidInput(compiled(value))
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
  [first, ...others]: ReadonlyArray<check.Violation>,
  operation?: OperationName
): InvalidInputError | undefined =>
  first === undefined
    ? undefined
    : new InvalidInputError(
        {
          ...(operation !== undefined && { operation }),
          violations: [publish(first), ...others.map(publish)]
        },
        true
      )

const publish = ({ path, ...violation }: check.Violation): Violation => {
  const [list, index, ...below] = path
  return list === "usageRecords" && typeof index === "number"
    ? { index, field: below.length > 0 ? dotted(below) : dotted(path), ...violation }
    : { field: dotted(path), ...violation }
}

/** A place in a value as code would name it, or what stands for the whole value. */
export const dotted = (path: ReadonlyArray<PropertyKey>, whole = "value"): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : text === ""
          ? String(key)
          : `${text}.${String(key)}`,
    ""
  ) || whole
