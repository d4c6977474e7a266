/** Parses untrusted JSON within limits. */
import * as Either from "effect/Either"
import * as Option from "effect/Option"

/** Maximum length of a JSON text, in characters. SQS, SNS and EventBridge carry at most 1 MiB. */
export const maxTextLength = 1_048_576

/** Maximum nesting of arrays and objects within a message. AWS's own events have 4 levels. */
const maxNesting = 64

export type JsonObject = Readonly<Record<string, unknown>>

export const isJsonObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Parses a JSON object. Fails with a description of the expected text. */
export const parseObject = (text: string): Either.Either<JsonObject, string> =>
  text.length > maxTextLength
    ? Either.left(`JSON of at most ${maxTextLength} characters`)
    : Option.liftThrowable(JSON.parse)(text).pipe(
        Option.filter(isJsonObject),
        Either.fromOption(() => "a JSON object")
      )

/** Fails if a value is nested too deeply. Uses no recursion, so that no value exhausts the stack. */
export const checkNesting = (value: JsonObject): Either.Either<JsonObject, string> => {
  const pending: Array<readonly [value: unknown, level: number]> = [[value, 1]]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [current, level] = next
    if (typeof current !== "object" || current === null) continue
    if (level > maxNesting) return Either.left(`JSON of at most ${maxNesting} levels`)
    for (const child of Object.values(current)) pending.push([child, level + 1])
  }
  return Either.right(value)
}
