/** What a scenario's fields are made of: in a file as JSON has them, in code as Effect has them. */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

export const NonEmptyText = Schema.String.pipe(
  Schema.minLength(1, { message: () => "Expected text that is not empty" })
).annotations({ identifier: "NonEmptyText", description: "text that is not empty" })

export const PositiveInt = Schema.Number.pipe(
  Schema.int({ message: () => "Expected a whole number from 1" }),
  Schema.positive({ message: () => "Expected a whole number from 1" })
).annotations({ identifier: "PositiveInt", description: "a whole number from 1" })

/** Without an offset, JavaScript would take a time for one of the machine's own zone. */
const withZone = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/

const expectedTime = "a time with its zone, such as 2026-11-25T10:00:00Z"

/** A point in time: a `DateTime.Utc`, and in JSON text in ISO 8601 with its zone. */
export const Time = Schema.transformOrFail(
  Schema.String.annotations({ jsonSchema: { type: "string", format: "date-time" } }),
  Schema.DateTimeUtcFromSelf,
  {
    strict: true,
    decode: (text, _, ast) =>
      Either.fromOption(
        withZone.test(text) ? Option.map(DateTime.make(text), DateTime.toUtc) : Option.none(),
        () => new ParseResult.Type(ast, text, `Expected ${expectedTime}`)
      ),
    encode: (time) => Either.right(DateTime.formatIso(time))
  }
).annotations({ identifier: "Time", description: expectedTime })

const expectedDuration = 'a duration, such as "5 minutes", or a number of milliseconds'

const isDuration = (input: unknown): input is Duration.DurationInput =>
  Option.isSome(Option.filter(Duration.decodeUnknown(input), Duration.isFinite))

/** How long: anything that Effect takes for a duration, and in JSON text such as `5 minutes` or milliseconds. */
export const Span = Schema.transformOrFail(
  Schema.Union(Schema.String, Schema.Number).annotations({
    jsonSchema: {
      anyOf: [
        {
          type: "string",
          pattern: "^\\d+(\\.\\d+)? (nano|micro|milli|second|minute|hour|day|week)s?$"
        },
        { type: "number", minimum: 0 }
      ]
    }
  }),
  Schema.declare(isDuration, { description: "a duration" }),
  {
    strict: true,
    decode: (input, _, ast) =>
      isDuration(input)
        ? Either.right(input)
        : Either.left(new ParseResult.Type(ast, input, `Expected ${expectedDuration}`)),
    encode: (duration) => Either.right(Duration.toMillis(duration))
  }
).annotations({ identifier: "Duration", description: expectedDuration })
