/** Schemas of a scenario's fields. Their encoded form is JSON in a scenario file. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as fields from "../../../internal/schema/fields.js"

export const NonEmptyText = Schema.String.pipe(
  Schema.minLength(1, { message: () => "Expected text that is not empty" })
).annotations({ identifier: "NonEmptyText", title: "Text", description: "text that is not empty" })

// names have the same form as in calls, because no call can contain a name of another form
export const ProductCode = fields.ProductCode.annotations({
  identifier: "ProductCode",
  title: "Product code"
})

export const Dimension = fields.Dimension.annotations({
  identifier: "Dimension",
  title: "Dimension"
})

export const CustomerIdentifier = fields.CustomerIdentifier.annotations({
  identifier: "CustomerIdentifier",
  title: "Customer identifier"
})

export const CustomerAWSAccountId = fields.CustomerAWSAccountId.annotations({
  identifier: "CustomerAWSAccountId",
  title: "AWS account"
})

export const LicenseArn = fields.LicenseArn.annotations({
  identifier: "LicenseArn",
  title: "License"
})

const text = (identifier: string, title: string, pattern: RegExp, description: string) =>
  Schema.String.pipe(
    Schema.pattern(pattern, { message: () => `Expected ${description}` })
  ).annotations({ identifier, title, description })

export const AgreementId = text(
  "AgreementId",
  "Agreement",
  /^agmt-[a-z0-9]{1,64}$/,
  "agmt- and 1 to 64 lower-case letters and digits"
)

export const OfferId = text(
  "OfferId",
  "Offer",
  /^offer-[a-z0-9]{1,64}$/,
  "offer- and 1 to 64 lower-case letters and digits"
)

export const ProductId = text(
  "ProductId",
  "Product id",
  /^prod-[a-z0-9]{1,64}$/,
  "prod- and 1 to 64 lower-case letters and digits"
)

/** A URL of the seller. Must not contain credentials, because reports show it. */
export const HttpUrl = Schema.String.pipe(
  Schema.maxLength(2048),
  Schema.filter((address) => isHttpUrl(address))
).annotations({
  identifier: "HttpUrl",
  title: "URL",
  description: "a URL of http or https without user name and password, at most 2048 characters"
})

const isHttpUrl = (address: string): boolean => {
  try {
    const { password, protocol, username } = new URL(address)
    return /^https?:$/.test(protocol) && username === "" && password === ""
  } catch {
    return false
  }
}

/** The URL of a receiver of events, or a path of the sandbox's server, such as the path of the built-in receiver. */
export const ReceiverUrl = Schema.String.pipe(
  Schema.maxLength(2048),
  Schema.filter((address) => isHttpUrl(address) || address.startsWith("/_sandbox/"))
).annotations({
  identifier: "ReceiverUrl",
  title: "URL",
  description:
    "a URL of http or https without user name and password, or a path of the sandbox's server from /_sandbox/ on, at most 2048 characters"
})

/** Excludes the characters that end an access key id in an `Authorization` header. */
export const accessKeyIdPattern = "[^/,\\s]{1,128}"

export const AccessKeyId = Schema.String.pipe(
  Schema.pattern(new RegExp(`^${accessKeyIdPattern}$`))
).annotations({
  identifier: "AccessKeyId",
  title: "Access key id",
  description: "1 to 128 characters, without spaces, commas and slashes"
})

/** A field with a description for editors. */
export const field = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.propertySignature(schema).annotations({ description })

/** An optional field with a description for editors. */
export const optionalField = <A, I>(schema: Schema.Schema<A, I>, description: string) =>
  Schema.optional(schema).annotations({ description })

export const PositiveInt = Schema.Number.pipe(
  Schema.int({ message: () => "Expected a whole number from 1" }),
  Schema.positive({ message: () => "Expected a whole number from 1" })
).annotations({
  identifier: "PositiveInt",
  title: "Whole number",
  description: "a whole number from 1"
})

const daysMessage = () => "Expected a whole number from 1 to 3650"

export const Days = Schema.Number.pipe(
  Schema.int({ message: daysMessage }),
  Schema.between(1, 3650, { message: daysMessage })
).annotations({
  identifier: "Days",
  title: "Days",
  description: "a whole number from 1 to 3650"
})

export const Share = Schema.Number.pipe(
  Schema.between(0, 1, { message: () => "Expected a number from 0 to 1" })
).annotations({ identifier: "Share", title: "Share", description: "a number from 0 to 1" })

/** Requires an offset, because JavaScript reads a time without an offset in the machine's time zone. */
const zonedTimePattern = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/

const parseTime = (text: string): Option.Option<DateTime.Utc> => {
  const day = zonedTimePattern.exec(text)?.[1] ?? ""
  // rejects days that do not exist, because JavaScript reads 30 February as 2 March
  const isDay = Option.exists(DateTime.make(day), (time) => DateTime.formatIsoDateUtc(time) === day)
  return isDay ? Option.map(DateTime.make(text), DateTime.toUtc) : Option.none()
}

const timeDescription = "an ISO 8601 time with its zone, such as 2026-11-25T10:00:00Z"

/** A `DateTime.Utc`, encoded as ISO 8601 with a time zone. */
export const Time = Schema.transformOrFail(
  Schema.String.annotations({ jsonSchema: { type: "string", pattern: zonedTimePattern.source } }),
  Schema.DateTimeUtcFromSelf,
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.fromOption(
        parseTime(text),
        () => new ParseResult.Type(ast, text, `Expected ${timeDescription}`)
      ),
    encode: (time) => Either.right(DateTime.formatIso(time))
  }
).annotations({ identifier: "Time", description: timeDescription })

/** A number and a unit. The number may have decimals and must not be negative. */
const durationPattern = /^\d+(\.\d+)?\s+(nano|micro|milli|second|minute|hour|day|week)s?$/

const durationSchema = (identifier: string, max?: `${number} ${"day" | "days"}`) => {
  const limit = max === undefined ? Number.POSITIVE_INFINITY : Duration.toMillis(max)
  const length = max === undefined ? "" : ` of at most ${max}`
  const description = `a duration${length}, such as "5 minutes", or a number of milliseconds`
  const isDuration = (input: unknown): input is Duration.DurationInput =>
    Option.exists(
      Duration.decodeUnknown(input),
      (duration) => Duration.isFinite(duration) && Duration.toMillis(duration) <= limit
    )
  return Schema.transformOrFail(
    Schema.Union(Schema.String, Schema.Number).annotations({
      jsonSchema: {
        anyOf: [
          { type: "string", pattern: durationPattern.source },
          { type: "number", minimum: 0, ...(Number.isFinite(limit) && { maximum: limit }) }
        ]
      }
    }),
    Schema.declare(isDuration, { description }),
    {
      strict: true,
      decode: (input, _, ast) =>
        (typeof input === "number" ? input >= 0 : durationPattern.test(input)) && isDuration(input)
          ? Either.right(input)
          : Either.left(new ParseResult.Type(ast, input, `Expected ${description}`)),
      encode: (duration) => Either.right(Duration.toMillis(duration))
    }
  ).annotations({ identifier, description })
}

/** A `Duration.DurationInput`. In JSON, a string such as `5 minutes`, or a number of milliseconds. */
export const DurationInput = durationSchema("Duration")

/** The duration of a delay, at most 1 day. (Timers in JavaScript are limited to 24 days.) */
export const DelayInput = durationSchema("Wait", "1 day")

/** The skew of a clock, at most 366 days. */
export const ClockSkewInput = durationSchema("Skew", "366 days")
