/** What the schemas of the wire are made of: members, preflight rules, quantities, times. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Rule } from "../../Preflight.js"
import * as millis from "./millis.js"

/** What is wrong with one field of a value. */
export interface RuleIssue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly expected: string
  readonly value?: unknown
}

/** A preflight rule as it stands on a refinement. */
export interface PreflightRule<A = unknown> {
  readonly name: Rule
  readonly expected: string
  readonly validate: (value: A) => ReadonlyArray<RuleIssue>
  /** Whether no value is to be shown, of whatever type it is. */
  readonly hidden?: boolean
}

/** On a refinement: the preflight rule that it is. */
export const PreflightRuleId: unique symbol = Symbol.for("effect-marketplace-metering/Preflight")

/** On a schema that stands for one kind of value, whatever it is made of: a time, a secret. */
export const KindId: unique symbol = Symbol.for("effect-marketplace-metering/Kind")

export const noIssues: ReadonlyArray<RuleIssue> = []

/** A preflight rule that says which fields of a value are at fault. */
export const structRule = <S extends Schema.Schema.Any>(
  name: Rule,
  expected: string,
  validate: (value: Schema.Schema.Type<NoInfer<S>>) => ReadonlyArray<RuleIssue>,
  hidden = false
): ((self: S) => Schema.filter<S>) =>
  Schema.filter(
    (value) => validate(value).map((issue) => ({ path: issue.path, message: issue.expected })),
    {
      [PreflightRuleId]: { name, expected, validate, hidden } satisfies PreflightRule<
        Schema.Schema.Type<S>
      >,
      description: expected
    }
  )

/** A preflight rule over one value as a whole. */
export const rule = <S extends Schema.Schema.Any>(
  name: Rule,
  expected: string,
  predicate: (value: Schema.Schema.Type<NoInfer<S>>) => boolean
): ((self: S) => Schema.filter<S>) =>
  structRule<S>(name, expected, (value) =>
    predicate(value) ? noIssues : [{ path: [], expected, value }]
  )

/** Text of `min` to `max` characters, of one form where the service asks for one. Violations show it unless it is hidden. */
export const boundedString = (
  name: Rule,
  min: number,
  max: number,
  format?: { readonly pattern: RegExp; readonly named: string },
  shown?: "hidden"
) => {
  const expected = `${min} to ${max} characters${format === undefined ? "" : `, ${format.named}`}`
  return Schema.String.pipe(
    structRule(
      name,
      expected,
      (s) =>
        s.length >= min && isAtMost(s, max) && (format === undefined || format.pattern.test(s))
          ? noIssues
          : [{ path: [], expected, ...(shown === undefined && { value: s }) }],
      shown === "hidden"
    )
  ).annotations({
    jsonSchema: {
      minLength: min,
      maxLength: max,
      ...(format !== undefined && { pattern: format.pattern.source })
    }
  })
}

/** The service counts characters, where a string's length counts some of them twice. */
const isAtMost = (s: string, max: number) =>
  s.length <= max || (s.length <= 2 * max && [...s].length <= max)

/** A whole number of units. */
export const Quantity = Schema.Number.pipe(
  rule(
    "quantity",
    "a whole number from 0 to 2147483647",
    (n) => Number.isInteger(n) && n >= 0 && n <= 2_147_483_647
  )
)

/** A product's code. */
export const ProductCode = boundedString("productCode", 1, 255, {
  pattern: /^[-a-zA-Z0-9/=:_.@]+$/,
  named: "letters, digits and -/=:_.@"
})

/** A dimension of a product's price. */
export const Dimension = boundedString("dimension", 1, 255)

/** A buyer's identity in older listings. */
export const CustomerIdentifier = boundedString("customerIdentifier", 1, 255)

/** A buyer's AWS account. */
export const CustomerAWSAccountId = boundedString("customerAWSAccountId", 1, 255, {
  pattern: /^[0-9]+$/,
  named: "digits only"
})

/** A licence, which names product and agreement. */
export const LicenseArn = boundedString("licenseArn", 1, 2048, {
  pattern: /^arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]*:[0-9]*:\S+$/,
  named: "an ARN of a licence"
})

const validTime = { message: () => "Expected a time that a calendar has" }

/** Epoch seconds on the wire, possibly fractional; milliseconds survive, and parts of one are cut off. */
export const Timestamp = Schema.transform(
  Schema.Number.pipe(
    Schema.filter((seconds) => millis.isValidTime(millis.fromSeconds(seconds)), validTime)
  ),
  Schema.DateTimeUtcFromSelf.pipe(
    Schema.filter((time) => millis.isValidTime(time.epochMillis), validTime)
  ),
  {
    strict: true,
    decode: (seconds) => DateTime.unsafeMake(millis.fromSeconds(seconds)),
    encode: millis.toSeconds
  }
).annotations({ [KindId]: "time" })

/** Schema's own messages would quote what stands in a secret's place. */
const messageWithoutValue = {
  message: () => ({ message: "Expected a text that is kept secret", override: true })
}

/** As `Schema.RedactedFromSelf`, of one text and with no more than that takes. */
const redactedFromSelf = (text: Schema.Schema<string>) =>
  Schema.declare(
    (value): value is Redacted.Redacted =>
      Redacted.isRedacted(value) && Schema.is(text)(Redacted.value(value)),
    {
      ...messageWithoutValue,
      arbitrary: () => (fc) => fc.string({ minLength: 1 }).map(Redacted.make<string>),
      pretty: () => String
    }
  )

/** Text that must never be shown. */
export const RedactedString = (schema: Schema.Schema<string>) =>
  Schema.transform(schema.annotations(messageWithoutValue), redactedFromSelf(schema), {
    strict: true,
    decode: (text) => Redacted.make(text),
    encode: Redacted.value
  }).annotations({ [KindId]: "secret", ...messageWithoutValue })

/** A required member, by its wire name. */
export const field = <K extends string, A, I>(name: K, schema: Schema.Schema<A, I>) =>
  Schema.propertySignature(schema).pipe(Schema.fromKey(name))

/** An optional member, by its wire name. */
export const optionalField = <K extends string, A, I>(name: K, schema: Schema.Schema<A, I>) =>
  Schema.optional(schema).pipe(Schema.fromKey(name))

/** A member that is always there in a value, though the wire may leave it out. */
export const fieldWithDefault = <K extends string, A, I>(
  name: K,
  schema: Schema.Schema<A, I>,
  defaultValue: () => A
) =>
  Schema.optionalToRequired(schema, Schema.typeSchema(schema), {
    decode: Option.getOrElse(defaultValue),
    encode: Option.some
  }).pipe(Schema.fromKey(name))

/** As `Schema.optionalWith` a default, which brings all its other options into a bundle. */
export const optionalWithDefault = <A, I>(
  schema: Schema.Schema<A, I>,
  defaultValue: () => NoInfer<A>
) =>
  Schema.optionalToRequired(Schema.UndefinedOr(schema), Schema.typeSchema(schema), {
    decode: (value) => Option.getOrUndefined(value) ?? defaultValue(),
    encode: Option.some
  }).pipe(Schema.withConstructorDefault(defaultValue))
