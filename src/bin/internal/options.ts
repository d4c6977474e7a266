/** Options that say what they expect, by their name. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Time } from "../../sandbox/internal/fields.js"
import * as decimal from "./decimal.js"

/** An option whose text is read by `read`; what it cannot read is told with what was expected. */
const read = <A>(
  name: string,
  kind: string,
  expected: string,
  readText: (text: string) => Either.Either<A, unknown>
): Options.Options<A> =>
  Options.text(name).pipe(
    Options.withPseudoName(kind),
    Options.mapEffect((text) =>
      Effect.mapError(readText(text), () =>
        ValidationError.invalidValue(
          HelpDoc.p(`--${name}: expected ${expected}, got ${JSON.stringify(text)}`)
        )
      )
    )
  )

/** A text that is only taken when it is good. */
export const checked = (
  name: string,
  kind: string,
  expected: string,
  isGood: (text: string) => boolean
): Options.Options<string> =>
  read(name, kind, expected, (text) => (isGood(text) ? Either.right(text) : Either.left(text)))

export const number = (
  name: string,
  expected: string,
  isGood: (value: number) => boolean
): Options.Options<number> =>
  read(name, "number", expected, (text) => {
    const value = decimal.read(text)
    return value !== undefined && isGood(value) ? Either.right(value) : Either.left(text)
  })

export const time = (name: string): Options.Options<DateTime.Utc> =>
  read(
    name,
    "time",
    "a time with its zone, such as 2026-11-25T10:00:00Z",
    Schema.decodeEither(Time)
  )
