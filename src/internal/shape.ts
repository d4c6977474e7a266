/**
 * A schema of the wire, read once into plain data: kinds, fields with both their names, preflight rules.
 * The check and the codec are compiled from it.
 */
import * as Either from "effect/Either"
import { constUndefined } from "effect/Function"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import { KindId, type Preflight, PreflightId } from "./wire.js"

export type Shape = Scalar | List | Struct

export interface Scalar {
  readonly kind: "text" | "number" | "flag" | "time" | "secret"
  readonly rules: ReadonlyArray<Preflight>
}

export interface List {
  readonly kind: "list"
  readonly rules: ReadonlyArray<Preflight>
  readonly element: Shape
  readonly nonEmpty: boolean
}

export interface Struct {
  readonly kind: "struct"
  readonly rules: ReadonlyArray<Preflight>
  readonly fields: ReadonlyArray<Field>
  /** Names of the fields that say something about an answer and are not in it. */
  readonly about: ReadonlyArray<string>
  readonly prototype: object
}

export interface Field {
  readonly name: string
  readonly wire: string
  readonly required: boolean
  readonly shape: Shape
  /** What stands for it where the wire leaves it out. */
  readonly absent: () => unknown
}

const cache = new WeakMap<AST.AST, Struct>()

/** The shape of a `Schema.Class`. */
export const of = (schema: Schema.Schema.All): Struct => {
  const known = cache.get(schema.ast)
  if (known !== undefined) return known
  // what is read of a class is a struct
  const shape = read(schema.ast) as Struct
  cache.set(schema.ast, shape)
  return shape
}

const read = (ast: AST.AST): Shape => {
  const { base, rules } = peel(ast)
  const shape = readBase(base)
  return { ...shape, rules: [...shape.rules, ...rules] }
}

/** Takes the rules off a schema, the innermost first. */
const peel = (ast: AST.AST) => {
  const rules: Array<Preflight> = []
  let base = ast
  while (base._tag === "Refinement") {
    const rule = base.annotations[PreflightId] as Preflight | undefined
    if (rule !== undefined) rules.unshift(rule)
    base = base.from
  }
  return { base, rules }
}

const scalars = {
  StringKeyword: "text",
  NumberKeyword: "number",
  BooleanKeyword: "flag"
} as const

const readBase = (ast: AST.AST): Shape => {
  switch (ast._tag) {
    case "StringKeyword":
    case "NumberKeyword":
    case "BooleanKeyword":
      return { kind: scalars[ast._tag], rules: [] }
    case "Union": {
      const [only, ...others] = ast.types.filter((type) => type._tag !== "UndefinedKeyword")
      if (only !== undefined && others.length === 0) return read(only)
      break
    }
    case "TupleType": {
      const nonEmpty = ast.elements.length > 0
      const element = ast.rest[0]
      if (element !== undefined) {
        return { kind: "list", rules: [], element: read(element.type), nonEmpty }
      }
      break
    }
    case "Transformation": {
      const kind = ast.annotations[KindId]
      if (kind === "time") return { kind, rules: [] }
      if (kind === "secret") return { kind, rules: read(ast.from).rules }
      if (ast.to._tag === "Declaration") return readClass(ast)
    }
  }
  throw noShape(ast)
}

const readClass = (ast: AST.Transformation): Struct => {
  const { base, rules } = peel(ast.from)
  const isRenamed = base._tag === "Transformation"
  const renamed =
    isRenamed && base.transformation._tag === "TypeLiteralTransformation"
      ? base.transformation.propertySignatureTransformations
      : []
  const [from, to] = isRenamed ? [base.from, base.to] : [base, base]
  if (from._tag !== "TypeLiteral" || to._tag !== "TypeLiteral") throw noShape(ast)
  const fields: Array<Field> = []
  const about: Array<string> = []
  for (const { name: key, type } of from.propertySignatures) {
    const rename = renamed.find((one) => one.from === key && one.to !== key)
    if (rename === undefined) {
      about.push(String(key))
      continue
    }
    const isRequired = to.propertySignatures.some(
      (one) => one.name === rename.to && !one.isOptional
    )
    const absent = () => Option.getOrUndefined(rename.decode(Option.none()))
    fields.push({
      name: String(rename.to),
      wire: String(key),
      required: isRequired,
      shape: read(type),
      absent: absent() === undefined ? constUndefined : absent
    })
  }
  return { kind: "struct", rules, fields, about, prototype: prototypeOf(ast) }
}

/** A class stands in its schema only as the function that makes an instance, so it is asked for one. */
const prototypeOf = (ast: AST.Transformation): object => {
  const made =
    ast.transformation._tag === "FinalTransformation" && ast.transformation.decode({}, {}, ast, {})
  if (!Either.isEither(made) || Either.isLeft(made)) throw noShape(ast)
  return Object.getPrototypeOf(made.right)
}

const noShape = (ast: AST.AST) => new Error(`no shape on the wire: ${ast}`)
