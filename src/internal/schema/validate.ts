/** Validates values against a shape. Accepts the same values as Schema, is faster, and finds all issues. */
import * as DateTime from "effect/DateTime"
import * as Redacted from "effect/Redacted"
import type { Rule } from "../../Preflight.js"
import type { PreflightRule } from "./fields.js"
import { isValidTime } from "./millis.js"
import type { ScalarShape, Shape, StructShape } from "./shape.js"

export interface ValidationIssue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly rule: Rule | "required" | "type"
  readonly expected: string
  readonly value?: unknown
}

/** An issue whose path each enclosing value extends by its own key. */
interface MutableIssue extends ValidationIssue {
  readonly path: Array<PropertyKey>
}

type Validate = (value: unknown, issues: Array<MutableIssue>) => void

const scalarChecks: {
  readonly [K in ScalarShape["kind"]]: readonly [name: string, is: (value: unknown) => boolean]
} = {
  string: ["text", (value) => typeof value === "string"],
  number: ["a finite number", Number.isFinite],
  boolean: ["true or false", (value) => typeof value === "boolean"],
  dateTime: [
    "a DateTime.Utc",
    (value) => DateTime.isDateTime(value) && DateTime.isUtc(value) && isValidTime(value.epochMillis)
  ],
  redacted: [
    "a Redacted<string>",
    (value) => Redacted.isRedacted(value) && typeof Redacted.value(value) === "string"
  ]
}

/** Compiles the validation of a class, without the rules in `skipRules`. */
export const compile = (
  shape: StructShape,
  skipRules: ReadonlyArray<Rule> = []
): ((value: unknown) => ReadonlyArray<ValidationIssue>) => {
  const validate = compileShape(shape, new Set(skipRules))
  return (value) => {
    const issues: Array<MutableIssue> = []
    validate(value, issues)
    return issues
  }
}

const compileShape = (shape: Shape, skipRules: ReadonlySet<Rule>): Validate => {
  const isRedactedValue = isRedacted(shape)
  const rules = compileRules(
    shape.rules.filter((rule) => !skipRules.has(rule.name)),
    isRedactedValue
  )
  switch (shape.kind) {
    case "struct": {
      const fields = shape.fields.map((field) => ({
        ...field,
        validate: compileShape(field.shape, skipRules)
      }))
      // the caller may have passed the secret instead of the struct
      const hidesValue = shape.fields.some((field) => isRedacted(field.shape))
      return (value, issues) => {
        if (typeof value !== "object" || value === null) {
          issues.push(issue("type", "an object with these fields", hidesValue ? undefined : value))
          return
        }
        const before = issues.length
        for (const { name, required, shape, validate } of fields) {
          const field = (value as Record<string, unknown>)[name]
          const start = issues.length
          if (field !== undefined) validate(field, issues)
          else if (required) issues.push(issue("required", expectedKind(shape)))
          prependPath(name, issues, start)
        }
        // rules between fields rely on the fields' types
        if (issues.length === before) rules(value, issues)
      }
    }
    case "array": {
      const validate = compileShape(shape.element, skipRules)
      // the innermost rule of a list limits its length
      const [count] = shape.rules
      const atLeastOne =
        shape.nonEmpty && count !== undefined && !skipRules.has(count.name) ? count : undefined
      return (value, issues) => {
        if (!Array.isArray(value)) {
          issues.push(issue("type", "a list", value))
          return
        }
        if (atLeastOne !== undefined && value.length === 0) {
          issues.push(issue(atLeastOne.name, atLeastOne.expected, 0))
          return
        }
        const before = issues.length
        for (let i = 0; i < value.length; i++) {
          const start = issues.length
          validate(value[i], issues)
          prependPath(i, issues, start)
        }
        if (issues.length === before) rules(value, issues)
      }
    }
    default: {
      const [type, is] = scalarChecks[shape.kind]
      const hidesValue = isRedactedValue || shape.rules.some((rule) => rule.hidden)
      return (value, issues) => {
        if (is(value))
          rules(isRedactedValue ? Redacted.value(value as Redacted.Redacted) : value, issues)
        else issues.push(issue("type", type, hidesValue ? undefined : value))
      }
    }
  }
}

const isRedacted = ({ kind }: Shape) => kind === "redacted"

const compileRules =
  (rules: ReadonlyArray<PreflightRule>, isRedactedValue: boolean): Validate =>
  (value, issues) => {
    for (const { name, validate } of rules) {
      for (const { expected, path, value: actual } of validate(value)) {
        issues.push(issue(name, expected, isRedactedValue ? undefined : actual, path))
      }
    }
  }

const expectedKind = (shape: Shape): string =>
  shape.kind === "array"
    ? "a list"
    : shape.kind === "struct"
      ? "an object"
      : (shape.rules[0]?.expected ?? scalarChecks[shape.kind][0])

/** Makes an issue. Copies the path, because `prependPath` mutates it. */
const issue = (
  rule: ValidationIssue["rule"],
  expected: string,
  value?: unknown,
  path: ReadonlyArray<PropertyKey> = []
): MutableIssue => ({
  path: [...path],
  rule,
  expected,
  ...(value !== undefined && { value: summarize(value) })
})

const prependPath = (key: PropertyKey, issues: Array<MutableIssue>, start: number) => {
  for (let i = start; i < issues.length; i++) issues[i]?.path.unshift(key)
}

const maxShownCharacters = 100

/** Summarizes a value for an issue, because the error may be logged. */
const summarize = (value: unknown): unknown => {
  switch (typeof value) {
    case "string":
      return value.length <= maxShownCharacters
        ? value
        : `${value.slice(0, maxShownCharacters)}… (${value.length} characters)`
    case "number":
    case "boolean":
      return value
    case "object":
      return value instanceof Date
        ? "a Date"
        : Array.isArray(value)
          ? `a list of ${value.length}`
          : value === null
            ? null
            : "an object"
    default:
      return `a ${typeof value}`
  }
}
