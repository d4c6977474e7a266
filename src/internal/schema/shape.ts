/**
 * Reads a schema once into plain data: kinds, fields with their names in code and on the wire, and preflight rules.
 * Validators, encoders and decoders are compiled from it, because Schema's own encoder takes 40 times as long for 25
 * records, and its decoder rejects a whole response for one invalid field.
 */
import * as Either from "effect/Either"
import { constUndefined } from "effect/Function"
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import type * as AST from "effect/SchemaAST"
import { KindId, type PreflightRule, PreflightRuleId } from "./fields.js"

export type Shape = ScalarShape | ArrayShape | StructShape

export interface ScalarShape {
  readonly kind: "string" | "number" | "boolean" | "dateTime" | "redacted"
  readonly rules: ReadonlyArray<PreflightRule>
}

export interface ArrayShape {
  readonly kind: "array"
  readonly rules: ReadonlyArray<PreflightRule>
  readonly element: Shape
  readonly nonEmpty: boolean
}

export interface StructShape {
  readonly kind: "struct"
  readonly rules: ReadonlyArray<PreflightRule>
  readonly fields: ReadonlyArray<Field>
  /** Names of the fields that describe a response and are not part of its body. */
  readonly metadataFields: ReadonlyArray<string>
  readonly prototype: object
}

export interface Field {
  readonly name: string
  readonly wireName: string
  readonly required: boolean
  readonly shape: Shape
  /** Returns the value of a field that is absent on the wire. */
  readonly defaultValue: () => unknown
}

const cache = new WeakMap<AST.AST, StructShape>()

/** Returns the shape of a `Schema.Class`. */
export const shapeOf = (schema: Schema.Schema.All): StructShape => {
  const cached = cache.get(schema.ast)
  if (cached !== undefined) return cached
  // the shape of a class is a struct
  const shape = shapeOfAst(schema.ast) as StructShape
  cache.set(schema.ast, shape)
  return shape
}

const shapeOfAst = (ast: AST.AST): Shape => {
  const { base, rules } = splitRules(ast)
  const shape = shapeOfBase(base)
  return { ...shape, rules: [...shape.rules, ...rules] }
}

/** Separates a schema from its rules, the innermost rule first. */
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
  StringKeyword: "string",
  NumberKeyword: "number",
  BooleanKeyword: "boolean"
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
        return { kind: "array", rules: [], element: shapeOfAst(element.type), nonEmpty }
      }
      break
    }
    case "Transformation": {
      const kind = ast.annotations[KindId]
      if (kind === "dateTime") return { kind, rules: [] }
      if (kind === "redacted") return { kind, rules: shapeOfAst(ast.from).rules }
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

/**
 * Returns the prototype of a class. Makes an instance for it, because the AST of a class does not refer to the class itself.
 */
const prototypeOf = (ast: AST.Transformation): object => {
  const instance =
    ast.transformation._tag === "FinalTransformation" && ast.transformation.decode({}, {}, ast, {})
  if (!Either.isEither(instance) || Either.isLeft(instance)) throw unsupportedSchema(ast)
  return Object.getPrototypeOf(instance.right)
}

const unsupportedSchema = (ast: AST.AST) => new Error(`unsupported schema: ${ast}`)
