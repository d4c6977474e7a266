/** The check of a value against a shape: what Schema would say, without its cost, and with all faults. */
import * as DateTime from "effect/DateTime"
import * as Redacted from "effect/Redacted"
import type { Rule } from "../Preflight.js"
import type { Shape, Struct } from "./shape.js"
import type { Preflight } from "./wire.js"

export interface Violation {
  readonly path: ReadonlyArray<PropertyKey>
  readonly rule: Rule | "required" | "type"
  readonly expected: string
  readonly value?: unknown
}

/** Where in a value a check is; only turned into a path when there is something to say. */
interface At {
  readonly up: At | undefined
  readonly key: PropertyKey
}

/** Takes the place of the value apart, and is made one only for what has others in it. */
type Check = (
  value: unknown,
  up: At | undefined,
  key: PropertyKey | undefined,
  found: Array<Violation>
) => void

const typeNames = {
  text: "text",
  number: "a finite number",
  flag: "true or false",
  time: "a DateTime.Utc",
  secret: "a Redacted<string>"
} as const

const isKind: { readonly [K in keyof typeof typeNames]: (value: unknown) => boolean } = {
  text: (value) => typeof value === "string",
  number: Number.isFinite,
  flag: (value) => typeof value === "boolean",
  time: (value) =>
    DateTime.isDateTime(value) && DateTime.isUtc(value) && Number.isFinite(value.epochMillis),
  secret: (value) => Redacted.isRedacted(value) && typeof Redacted.value(value) === "string"
}

/** Compiles the check of a class, without the rules that are switched off. */
export const compile = (
  shape: Struct,
  except: ReadonlyArray<Rule> = []
): ((value: unknown) => ReadonlyArray<Violation>) => {
  const check = compileShape(shape, new Set(except))
  return (value) => {
    const found: Array<Violation> = []
    check(value, undefined, undefined, found)
    return found
  }
}

const compileShape = (shape: Shape, except: ReadonlySet<Rule>): Check => {
  const rules = compileRules(
    shape.rules.filter((rule) => !except.has(rule.name)),
    shape.kind === "secret"
  )
  switch (shape.kind) {
    case "struct": {
      const fields = shape.fields.map((field) => ({
        ...field,
        check: compileShape(field.shape, except)
      }))
      // a secret can stand in place of the fields that it belongs in
      const secret = shape.fields.some((field) => field.shape.kind === "secret")
      return (value, up, key, found) => {
        if (typeof value !== "object" || value === null) {
          const shown = secret ? undefined : value
          found.push(violation(up, key, "type", "an object with these fields", shown))
          return
        }
        const before = found.length
        const here = key === undefined ? undefined : { up, key }
        for (const { name, required, shape, check } of fields) {
          const field = (value as Record<string, unknown>)[name]
          if (field !== undefined) check(field, here, name, found)
          else if (required) found.push(violation(here, name, "required", expected(shape)))
        }
        // rules between fields rely on the fields' types
        if (found.length === before) rules(value, up, key, found)
      }
    }
    case "list": {
      const element = compileShape(shape.element, except)
      // how many there may be is the innermost rule of a list
      const [count] = shape.rules
      const atLeastOne =
        shape.nonEmpty && count !== undefined && !except.has(count.name) ? count : undefined
      return (value, up, key, found) => {
        if (!Array.isArray(value)) {
          found.push(violation(up, key, "type", "a list", value))
          return
        }
        if (atLeastOne !== undefined && value.length === 0) {
          found.push(violation(up, key, atLeastOne.name, atLeastOne.expected, 0))
          return
        }
        const before = found.length
        const here = key === undefined ? undefined : { up, key }
        for (let i = 0; i < value.length; i++) element(value[i], here, i, found)
        if (found.length === before) rules(value, up, key, found)
      }
    }
    default: {
      const is = isKind[shape.kind]
      const type = typeNames[shape.kind]
      const secret = shape.kind === "secret"
      return (value, up, key, found) => {
        if (is(value)) {
          rules(secret ? Redacted.value(value as Redacted.Redacted) : value, up, key, found)
        } else found.push(violation(up, key, "type", type, secret ? undefined : value))
      }
    }
  }
}

const compileRules =
  (rules: ReadonlyArray<Preflight>, secret: boolean): Check =>
  (value, up, key, found) => {
    for (const rule of rules) {
      for (const fault of rule.faults(value)) {
        const shown = secret ? undefined : fault.value
        found.push(violation(up, key, rule.name, fault.expected, shown, fault.path))
      }
    }
  }

const expected = (shape: Shape): string =>
  shape.kind === "list"
    ? "a list"
    : shape.kind === "struct"
      ? "an object"
      : (shape.rules[0]?.expected ?? typeNames[shape.kind])

const violation = (
  up: At | undefined,
  key: PropertyKey | undefined,
  rule: Violation["rule"],
  expected: string,
  value?: unknown,
  below: ReadonlyArray<PropertyKey> = []
): Violation => {
  const path = key === undefined ? [...below] : [key, ...below]
  for (let here = up; here !== undefined; here = here.up) path.unshift(here.key)
  return { path, rule, expected, ...(value !== undefined && { value: brief(value) }) }
}

/** Enough of a value to recognise it by, and never more: the error may end in a log. */
const brief = (value: unknown): unknown => {
  switch (typeof value) {
    case "string":
      return value.length <= 100 ? value : `${value.slice(0, 100)}… (${value.length} characters)`
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
