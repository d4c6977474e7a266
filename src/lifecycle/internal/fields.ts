/** Schemas of the fields of events. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type { ParseOptions } from "effect/SchemaAST"

/** Requires a UTC offset, because JavaScript reads a time without one in the machine's time zone. */
const zonedTimePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/

const timeDescription = "an ISO 8601 time with its zone, such as 2026-11-25T10:00:00Z"

export const parseTime = (text: string): Option.Option<DateTime.Utc> =>
  zonedTimePattern.test(text) && isDate(text.slice(0, 10))
    ? Option.map(DateTime.make(text), DateTime.toUtc)
    : Option.none()

/** Returns false for a day that does not exist. JavaScript reads 30 February as 2 March. */
const isDate = (date: string): boolean =>
  Option.exists(DateTime.make(`${date}T00:00:00Z`), (time) =>
    DateTime.formatIso(time).startsWith(date)
  )

/** An ISO 8601 time as text. */
export const timeText = Schema.String.pipe(
  Schema.filter((text) => Option.isSome(parseTime(text)))
).annotations({ identifier: "TimeText", description: timeDescription })

/** Formats a time like EventBridge, which prints whole seconds without a fraction. */
export const formatTime = (time: DateTime.Utc): string =>
  DateTime.formatIso(time).replace(".000Z", "Z")

/** A `DateTime.Utc` of the years 0 to 9999, encoded as ISO 8601. */
export const Time = Schema.transformOrFail(
  Schema.String,
  Schema.DateTimeUtcFromSelf.pipe(
    Schema.filter((time) => /^\d/.test(DateTime.formatIso(time)), {
      message: () => "Expected a time of the years 0 to 9999",
      arbitrary: () => (fc) =>
        fc
          .date({
            min: new Date("0000-01-01T00:00:00.000Z"),
            max: new Date("9999-12-31T23:59:59.999Z"),
            noInvalidDate: true
          })
          .map(DateTime.unsafeFromDate)
    })
  ),
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.fromOption(
        parseTime(text),
        () => new ParseResult.Type(ast, text, `Expected ${timeDescription}`)
      ),
    encode: (time) => Either.right(formatTime(time))
  }
).annotations({ identifier: "Time", description: timeDescription })

export const Text = Schema.NonEmptyString.annotations({
  identifier: "Text",
  description: "text that is not empty"
})

/** A field that may be missing or `null`. A value that the schema cannot decode is read as absent. */
export const optional = <A, I>(schema: Schema.Schema<A, I>) =>
  Schema.optionalToOptional(
    Schema.NullishOr(schema).annotations({ decodingFallback: () => Either.right(null) }),
    Schema.UndefinedOr(Schema.typeSchema(schema)),
    { decode: Option.filter(Predicate.isNotNull), encode: (value) => value }
  )

/** A boolean that AWS sends as text. Decoding ignores the case, and accepts JSON booleans as well. */
export const BooleanText = Schema.transform(
  Schema.Union(Schema.Boolean, Schema.String.pipe(Schema.pattern(/^(?:true|false)$/i))),
  Schema.Boolean,
  { strict: true, decode: (value) => String(value).toLowerCase() === "true", encode: String }
)

/** A string with known values, to which AWS may add others. */
export const OpenText = <Known extends string>(): Schema.Schema<Known | (string & {}), string> =>
  Schema.String

/** A value that `JSON.parse` returned. It is not validated. */
export const Json = Schema.Unknown.annotations({
  identifier: "Json",
  arbitrary: () => (fc) => fc.jsonValue()
})

/** The index signature of a struct that keeps unknown fields. */
export const otherFields = { key: Schema.String, value: Json }

/** Returns a valid value itself and not a copy, because Schema would copy a field `__proto__` as the prototype. */
export const uncopied = <A>(schema: Schema.Schema<A>) => {
  const validate = ParseResult.validate(schema)
  const parse = () => (input: unknown, options: ParseOptions) =>
    ParseResult.map(validate(input, options), () => input as A)
  return Schema.declare(
    [schema],
    { decode: parse, encode: parse },
    { arbitrary: (arbitrary) => arbitrary }
  )
}

export const Party = Schema.Struct({ accountId: Text, name: optional(Schema.String) })

export const Product = Schema.Struct({
  code: optional(Schema.String),
  id: optional(Schema.String),
  title: optional(Schema.String)
})

export const Offer = Schema.Struct({ id: Schema.String })

/** The fields of an EventBridge event around its `detail`. */
export const envelopeFields = {
  id: Text,
  time: Time,
  account: Schema.String,
  region: Schema.String,
  resources: Schema.Array(Schema.String)
}
