/** The building blocks of request and response schemas: fields with wire names, preflight rules and common types. */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Rule } from "../../Preflight.js"
import * as millis from "./millis.js"

export interface RuleIssue {
  readonly path: ReadonlyArray<PropertyKey>
  readonly expected: string
  readonly value?: unknown
}

/** A preflight rule as the annotation of a refinement. */
export interface PreflightRule<A = unknown> {
  readonly name: Rule
  readonly expected: string
  readonly validate: (value: A) => ReadonlyArray<RuleIssue>
  /** Hides the value from issues, even if it has the wrong type. */
  readonly hidden?: boolean
}

/** Annotates a refinement with its `PreflightRule`. */
export const PreflightRuleId: unique symbol = Symbol.for("effect-marketplace-metering/Preflight")

/** Annotates a transformation with the kind of its shape: `dateTime` or `redacted`. */
export const KindId: unique symbol = Symbol.for("effect-marketplace-metering/Kind")

export const noIssues: ReadonlyArray<RuleIssue> = []

/** A preflight rule that can find several issues, each with its own path. */
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

/** Text of `min` to `max` characters, optionally of one format. `hidden` keeps the text out of issues. */
export const boundedString = (
  name: Rule,
  min: number,
  max: number,
  format?: { readonly pattern: RegExp; readonly description: string },
  shown?: "hidden"
) => {
  const expected = `${min} to ${max} characters${format === undefined ? "" : `, ${format.description}`}`
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

/** Counts code points as the service does, whereas `length` counts UTF-16 units. */
const isAtMost = (s: string, max: number) =>
  s.length <= max || (s.length <= 2 * max && [...s].length <= max)

export const Quantity = Schema.Number.pipe(
  rule(
    "quantity",
    "a whole number from 0 to 2147483647",
    (n) => Number.isInteger(n) && n >= 0 && n <= 2_147_483_647
  )
)

export const ProductCode = boundedString("productCode", 1, 255, {
  pattern: /^[-a-zA-Z0-9/=:_.@]+$/,
  description: "letters, digits and -/=:_.@"
})

export const Dimension = boundedString("dimension", 1, 255)

/** Identifies the buyer in older listings. */
export const CustomerIdentifier = boundedString("customerIdentifier", 1, 255)

export const CustomerAWSAccountId = boundedString("customerAWSAccountId", 1, 255, {
  pattern: /^[0-9]+$/,
  description: "digits only"
})

export const LicenseArn = boundedString("licenseArn", 1, 2048, {
  pattern: /^arn:aws[a-z-]*:[a-z-]+:[a-z0-9-]*:[0-9]*:\S+$/,
  description: "an ARN of a license"
})

/** Returns an issue if the allocated quantities do not add up to the quantity. */
export const allocationSum = (
  quantity: number,
  allocations: ReadonlyArray<{ readonly allocatedUsageQuantity: number }> | undefined
): ReadonlyArray<RuleIssue> => {
  if (allocations === undefined) return noIssues
  let sum = 0
  for (const { allocatedUsageQuantity } of allocations) sum += allocatedUsageQuantity
  return sum === quantity
    ? noIssues
    : [
        {
          path: ["usageAllocations"],
          expected: `allocated quantities that add up to ${quantity}`,
          value: sum
        }
      ]
}

const validTime = { message: () => "Expected a time within the range of dates" }

/** Epoch seconds on the wire, possibly fractional. Whole milliseconds are kept. Fractions of a millisecond are cut off. */
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
).annotations({ [KindId]: "dateTime" })

/** Replaces Schema's own messages, which would quote the value. */
const messageWithoutValue = {
  message: () => ({ message: "Expected a redacted text", override: true })
}

/** A smaller `Schema.RedactedFromSelf`, for text only. */
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

/** Text that is `Redacted` when decoded. */
export const RedactedString = (schema: Schema.Schema<string>) =>
  Schema.transform(schema.annotations(messageWithoutValue), redactedFromSelf(schema), {
    strict: true,
    decode: (text) => Redacted.make(text),
    encode: Redacted.value
  }).annotations({ [KindId]: "redacted", ...messageWithoutValue })

/** A required field with the wire name `name`. */
export const field = <K extends string, A, I>(name: K, schema: Schema.Schema<A, I>) =>
  Schema.propertySignature(schema).pipe(Schema.fromKey(name))

/** An optional field with the wire name `name`. */
export const optionalField = <K extends string, A, I>(name: K, schema: Schema.Schema<A, I>) =>
  Schema.optional(schema).pipe(Schema.fromKey(name))

/** A field that may be absent on the wire, and is then decoded as its default. */
export const fieldWithDefault = <K extends string, A, I>(
  name: K,
  schema: Schema.Schema<A, I>,
  defaultValue: () => A
) =>
  Schema.optionalToRequired(schema, Schema.typeSchema(schema), {
    decode: Option.getOrElse(defaultValue),
    encode: Option.some
  }).pipe(Schema.fromKey(name))

/** A smaller `Schema.optionalWith`, without the other options, which would be in every bundle. */
export const optionalWithDefault = <A, I>(
  schema: Schema.Schema<A, I>,
  defaultValue: () => NoInfer<A>
) =>
  Schema.optionalToRequired(Schema.UndefinedOr(schema), Schema.typeSchema(schema), {
    decode: (value) => Option.getOrUndefined(value) ?? defaultValue(),
    encode: Option.some
  }).pipe(Schema.withConstructorDefault(defaultValue))
