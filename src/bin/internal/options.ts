/** Options that several commands share, and constructors of options whose errors name the expected value. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { Time } from "../../sandbox/internal/scenario/scenarioFields.js"
import * as decimal from "../input/decimal.js"
import { expectedTime } from "../input/time.js"
import { truncateText } from "../output/format.js"

export const jsonOption = (description = "Print one JSON object.") =>
  Options.boolean("json").pipe(Options.withDescription(description))

export const productCodeOption = Options.text("product-code").pipe(Options.withPseudoName("code"))

/** An option whose value is parsed by `parse`. `kind` is the placeholder of the value in help. */
export const parsedOption = <A>(
  name: string,
  kind: string,
  expected: string,
  parse: (text: string) => Either.Either<A, unknown>
): Options.Options<A> =>
  Options.text(name).pipe(
    Options.withPseudoName(kind),
    Options.mapEffect((text) =>
      Effect.mapError(parse(text), () =>
        ValidationError.invalidValue(
          HelpDoc.p(`--${name}: expected ${expected}, got ${JSON.stringify(truncateText(text))}`)
        )
      )
    )
  )

export const validatedOption = (
  name: string,
  kind: string,
  expected: string,
  isValid: (text: string) => boolean
): Options.Options<string> =>
  parsedOption(name, kind, expected, Either.liftPredicate(isValid, String))

export const numberOption = (
  name: string,
  expected: string,
  isValid: (value: number) => boolean,
  kind = "number"
): Options.Options<number> =>
  parsedOption(name, kind, expected, (text) => {
    const value = decimal.parse(text)
    return value !== undefined && isValid(value) ? Either.right(value) : Either.left(text)
  })

export const timeOption = (name: string): Options.Options<DateTime.Utc> =>
  parsedOption(name, "time", expectedTime, Schema.decodeEither(Time))

export const portOption = numberOption(
  "port",
  "a port from 0 to 65535",
  (port) => Number.isInteger(port) && port >= 0 && port <= 65_535,
  "port"
)

export const hostOption = Options.text("host")
