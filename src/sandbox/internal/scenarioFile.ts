/** A scenario in a file: JSON to a value, or everything that is wrong with it and where. */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"

/** Reads JSON by a schema. Secrets are never part of what is said. */
export const read = <A, I>(
  schema: Schema.Schema<A, I>,
  text: string
): Either.Either<A, ReadonlyArray<string>> =>
  Either.flatMap(parse(text), (json) =>
    Either.mapLeft(
      Schema.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(json),
      (error) => problemsOf(ParseResult.ArrayFormatter.formatErrorSync(error))
    )
  )

const parse = (text: string): Either.Either<unknown, ReadonlyArray<string>> =>
  Either.try({
    try: () => JSON.parse(text.replace(/^\ufeff/, "")),
    catch: (error) => [`This is not JSON: ${placeOf(text, String((error as Error).message))}`]
  })

/** Node tells the place as a position, and quotes what it could not read, which may be a secret. */
const placeOf = (text: string, message: string): string => {
  const position = /position (\d+)/.exec(message)?.[1]
  if (position === undefined) return "it ends too early."
  const lines = text.slice(0, Number(position)).split("\n")
  return `line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}.`
}

/** A union tells of each of its members: what the most specific say is enough. */
const problemsOf = (
  issues: ReadonlyArray<ParseResult.ArrayFormatterIssue>
): ReadonlyArray<string> => {
  const told = issues.map(({ message, path }) =>
    isSecret(path)
      ? `${placeIn(path)}: Expected text that is not empty`
      : `${placeIn(path)}: ${message}`
  )
  return [...new Set(told)]
}

const isSecret = (path: ReadonlyArray<PropertyKey>): boolean =>
  path.some((key) => key === "secretAccessKey" || key === "sessionToken")

const placeIn = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, key) =>
      typeof key === "number"
        ? `${text}[${key}]`
        : text === ""
          ? String(key)
          : `${text}.${String(key)}`,
    ""
  ) || "the scenario"
