/** Options that say what they expect, by their name. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Time } from "../../sandbox/internal/scenario/scenarioFields.js"
import * as decimal from "../input/decimal.js"

/** An option whose text is read by `read`; what it cannot read is told with what was expected. */
const parsedOption = <A>(
  name: string,
  kind: string,
  expected: string,
  parseText: (text: string) => Either.Either<A, unknown>
): Options.Options<A> =>
  Options.text(name).pipe(
    Options.withPseudoName(kind),
    Options.mapEffect((text) =>
      Effect.mapError(parseText(text), () =>
        ValidationError.invalidValue(
          HelpDoc.p(`--${name}: expected ${expected}, got ${JSON.stringify(text)}`)
        )
      )
    )
  )

/** A text that is only taken when it is good. */
export const validatedOption = (
  name: string,
  kind: string,
  expected: string,
  isValid: (text: string) => boolean
): Options.Options<string> =>
  parsedOption(name, kind, expected, (text) =>
    isValid(text) ? Either.right(text) : Either.left(text)
  )

export const numberOption = (
  name: string,
  expected: string,
  isValid: (value: number) => boolean
): Options.Options<number> =>
  parsedOption(name, "number", expected, (text) => {
    const value = decimal.parse(text)
    return value !== undefined && isValid(value) ? Either.right(value) : Either.left(text)
  })

export const timeOption = (name: string): Options.Options<DateTime.Utc> =>
  parsedOption(
    name,
    "time",
    "a time with its zone, such as 2026-11-25T10:00:00Z",
    Schema.decodeEither(Time)
  )
