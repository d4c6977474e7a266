/** The check of a value against a shape: what Schema would say, without its cost, and with all faults. */
import * as DateTime from "effect/DateTime"
import * as Redacted from "effect/Redacted"
import type { Rule } from "../Preflight.js"
import { isInCalendar } from "./millis.js"
import type { Scalar, Shape, Struct } from "./shape.js"
import type { Preflight } from "./wire.js"

export interface Violation {
  readonly path: ReadonlyArray<PropertyKey>
  readonly rule: Rule | "required" | "type"
  readonly expected: string
  readonly value?: unknown
}

/** A fault as far as it is known: whatever the value is in puts its own key before the path. */
interface Found extends Violation {
  readonly path: Array<PropertyKey>
}

type Check = (value: unknown, found: Array<Found>) => void

const kinds: {
  readonly [K in Scalar["kind"]]: readonly [name: string, is: (value: unknown) => boolean]
} = {
  text: ["text", (value) => typeof value === "string"],
  number: ["a finite number", Number.isFinite],
  flag: ["true or false", (value) => typeof value === "boolean"],
  time: [
    "a DateTime.Utc",
    (value) =>
      DateTime.isDateTime(value) && DateTime.isUtc(value) && isInCalendar(value.epochMillis)
  ],
  secret: [
    "a Redacted<string>",
    (value) => Redacted.isRedacted(value) && typeof Redacted.value(value) === "string"
  ]
}

/** Compiles the check of a class, without the rules that are switched off. */
export const compile = (
  shape: Struct,
  except: ReadonlyArray<Rule> = []
): ((value: unknown) => ReadonlyArray<Violation>) => {
  const check = compileShape(shape, new Set(except))
  return (value) => {
    const found: Array<Found> = []
    check(value, found)
    return found
  }
}

const compileShape = (shape: Shape, except: ReadonlySet<Rule>): Check => {
  const secret = isSecret(shape)
  const rules = compileRules(
    shape.rules.filter((rule) => !except.has(rule.name)),
    secret
  )
  switch (shape.kind) {
    case "struct": {
      const fields = shape.fields.map((field) => ({
        ...field,
        check: compileShape(field.shape, except)
      }))
      // a secret can stand in place of the fields that it belongs in
      const hidden = shape.fields.some((field) => isSecret(field.shape))
      return (value, found) => {
        if (typeof value !== "object" || value === null) {
          found.push(fault("type", "an object with these fields", hidden ? undefined : value))
          return
        }
        const before = found.length
        for (const { name, required, shape, check } of fields) {
          const field = (value as Record<string, unknown>)[name]
          const sound = found.length
          if (field !== undefined) check(field, found)
          else if (required) found.push(fault("required", expected(shape)))
          within(name, found, sound)
        }
        // rules between fields rely on the fields' types
        if (found.length === before) rules(value, found)
      }
    }
    case "list": {
      const element = compileShape(shape.element, except)
      // how many there may be is the innermost rule of a list
      const [count] = shape.rules
      const atLeastOne =
        shape.nonEmpty && count !== undefined && !except.has(count.name) ? count : undefined
      return (value, found) => {
        if (!Array.isArray(value)) {
          found.push(fault("type", "a list", value))
          return
        }
        if (atLeastOne !== undefined && value.length === 0) {
          found.push(fault(atLeastOne.name, atLeastOne.expected, 0))
          return
        }
        const before = found.length
        for (let i = 0; i < value.length; i++) {
          const sound = found.length
          element(value[i], found)
          within(i, found, sound)
        }
        if (found.length === before) rules(value, found)
      }
    }
    default: {
      const [type, is] = kinds[shape.kind]
      const hidden = secret || shape.rules.some((rule) => rule.hidden)
      return (value, found) => {
        if (is(value)) rules(secret ? Redacted.value(value as Redacted.Redacted) : value, found)
        else found.push(fault("type", type, hidden ? undefined : value))
      }
    }
  }
}

const isSecret = ({ kind }: Shape) => kind === "secret"

const compileRules =
  (rules: ReadonlyArray<Preflight>, secret: boolean): Check =>
  (value, found) => {
    for (const { faults, name } of rules) {
      for (const { expected, path, value: shown } of faults(value)) {
        found.push(fault(name, expected, secret ? undefined : shown, path))
      }
    }
  }

const expected = (shape: Shape): string =>
  shape.kind === "list"
    ? "a list"
    : shape.kind === "struct"
      ? "an object"
      : (shape.rules[0]?.expected ?? kinds[shape.kind][0])

/** The path is one of its own, since it grows. */
const fault = (
  rule: Violation["rule"],
  expected: string,
  value?: unknown,
  path: ReadonlyArray<PropertyKey> = []
): Found => ({
  path: [...path],
  rule,
  expected,
  ...(value !== undefined && { value: brief(value) })
})

/** Puts a key before the paths of all that has been found from there on. */
const within = (key: PropertyKey, found: Array<Found>, from: number) => {
  for (let i = from; i < found.length; i++) found[i]?.path.unshift(key)
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
