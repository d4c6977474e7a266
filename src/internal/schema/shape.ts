/**
 * A schema of the wire, read once into plain data: kinds, fields with both their names, preflight rules.
 * The check and the codec are compiled from it.
 */
import * as Either from "effect/Either"
import { constUndefined } from "effect/Function"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import { KindId, type PreflightRule, PreflightRuleId } from "./fields.js"

export type Shape = ScalarShape | ArrayShape | StructShape

export interface ScalarShape {
  readonly kind: "text" | "number" | "flag" | "time" | "secret"
  readonly rules: ReadonlyArray<PreflightRule>
}

export interface ArrayShape {
  readonly kind: "list"
  readonly rules: ReadonlyArray<PreflightRule>
  readonly element: Shape
  readonly nonEmpty: boolean
}

export interface StructShape {
  readonly kind: "struct"
  readonly rules: ReadonlyArray<PreflightRule>
  readonly fields: ReadonlyArray<Field>
  /** Names of the fields that say something about an answer and are not in it. */
  readonly metadataFields: ReadonlyArray<string>
  readonly prototype: object
}

export interface Field {
  readonly name: string
  readonly wireName: string
  readonly required: boolean
  readonly shape: Shape
  /** What stands for it where the wire leaves it out. */
  readonly defaultValue: () => unknown
}

const cache = new WeakMap<AST.AST, StructShape>()

/** The shape of a `Schema.Class`. */
export const shapeOf = (schema: Schema.Schema.All): StructShape => {
  const cached = cache.get(schema.ast)
  if (cached !== undefined) return cached
  // what is read of a class is a struct
  const shape = shapeOfAst(schema.ast) as StructShape
  cache.set(schema.ast, shape)
  return shape
}

const shapeOfAst = (ast: AST.AST): Shape => {
  const { base, rules } = splitRules(ast)
  const shape = shapeOfBase(base)
  return { ...shape, rules: [...shape.rules, ...rules] }
}

/** Takes the rules off a schema, the innermost first. */
const splitRules = (ast: AST.AST) => {
  const rules: Array<PreflightRule> = []
  let base = ast
  while (base._tag === "Refinement") {
    const rule = base.annotations[PreflightRuleId] as PreflightRule | undefined
    if (rule !== undefined) rules.unshift(rule)
    base = base.from
  }
  return { base, rules }
}

const scalarKinds = {
  StringKeyword: "text",
  NumberKeyword: "number",
  BooleanKeyword: "flag"
} as const

const shapeOfBase = (ast: AST.AST): Shape => {
  switch (ast._tag) {
    case "StringKeyword":
    case "NumberKeyword":
    case "BooleanKeyword":
      return { kind: scalarKinds[ast._tag], rules: [] }
    case "Union": {
      const [only, ...others] = ast.types.filter((type) => type._tag !== "UndefinedKeyword")
      if (only !== undefined && others.length === 0) return shapeOfAst(only)
      break
    }
    case "TupleType": {
      const nonEmpty = ast.elements.length > 0
      const element = ast.rest[0]
      if (element !== undefined) {
        return { kind: "list", rules: [], element: shapeOfAst(element.type), nonEmpty }
      }
      break
    }
    case "Transformation": {
      const kind = ast.annotations[KindId]
      if (kind === "time") return { kind, rules: [] }
      if (kind === "secret") return { kind, rules: shapeOfAst(ast.from).rules }
      if (ast.to._tag === "Declaration") return shapeOfClass(ast)
    }
  }
  throw unsupportedSchema(ast)
}

const shapeOfClass = (ast: AST.Transformation): StructShape => {
  const { base, rules } = splitRules(ast.from)
  const hasWireNames = base._tag === "Transformation"
  const renamed =
    hasWireNames && base.transformation._tag === "TypeLiteralTransformation"
      ? base.transformation.propertySignatureTransformations
      : []
  const [from, to] = hasWireNames ? [base.from, base.to] : [base, base]
  if (from._tag !== "TypeLiteral" || to._tag !== "TypeLiteral") throw unsupportedSchema(ast)
  const fields: Array<Field> = []
  const metadataFields: Array<string> = []
  for (const { name: key, type } of from.propertySignatures) {
    const rename = renamed.find((signature) => signature.from === key && signature.to !== key)
    if (rename === undefined) {
      metadataFields.push(String(key))
      continue
    }
    const isRequired = to.propertySignatures.some(
      (signature) => signature.name === rename.to && !signature.isOptional
    )
    const defaultValue = () => Option.getOrUndefined(rename.decode(Option.none()))
    fields.push({
      name: String(rename.to),
      wireName: String(key),
      required: isRequired,
      shape: shapeOfAst(type),
      defaultValue: defaultValue() === undefined ? constUndefined : defaultValue
    })
  }
  return { kind: "struct", rules, fields, metadataFields, prototype: prototypeOf(ast) }
}

/** A class stands in its schema only as the function that makes an instance, so it is asked for one. */
const prototypeOf = (ast: AST.Transformation): object => {
  const instance =
    ast.transformation._tag === "FinalTransformation" && ast.transformation.decode({}, {}, ast, {})
  if (!Either.isEither(instance) || Either.isLeft(instance)) throw unsupportedSchema(ast)
  return Object.getPrototypeOf(instance.right)
}

const unsupportedSchema = (ast: AST.AST) => new Error(`no shape on the wire: ${ast}`)
