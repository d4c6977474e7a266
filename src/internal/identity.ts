/** Credentials from code that is not ours: what it hands over, and what it says when it has none. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../AwsCredentials.js"
import { CredentialsError } from "../MeteringError.js"

export const credentialsError = (tried: ReadonlyArray<string>, reason: string) =>
  new CredentialsError({ tried, reason }, true)

/** All that a header may carry. A key with a line break in it was cut out of its file carelessly. */
const printable = /^[ -~]+$/

/** A text field, which may be redacted; or what is wrong with it, without the value. */
const textOf = (identity: Record<string, unknown>, name: string) => {
  const given = identity[name]
  const value: unknown = Redacted.isRedacted(given) ? Redacted.value(given) : given
  if (value === undefined || value === null || value === "") return Either.right(undefined)
  if (typeof value !== "string") return Either.left(`${name} is not a text`)
  return printable.test(value)
    ? Either.right(value)
    : Either.left(`${name} holds a line break or another character that no header can carry`)
}

const requiredTextOf = (identity: Record<string, unknown>, name: string) =>
  Either.flatMap(
    textOf(identity, name),
    Either.fromNullable(() => `${name} is missing`)
  )

/** A number is refused: nobody could tell seconds from milliseconds. */
const expirationOf = ({ expiration }: Record<string, unknown>) => {
  if (expiration === undefined || expiration === null) return Either.right(undefined)
  const time =
    typeof expiration === "string" || expiration instanceof Date || DateTime.isDateTime(expiration)
      ? DateTime.make(expiration)
      : Option.none()
  return Either.fromOption(Option.map(time, DateTime.toUtc), () => "expiration is not a time")
}

/** Checks credentials of whatever origin and hides what is secret in them. */
export const toCredentials = (
  identity: unknown,
  tried: ReadonlyArray<string>
): Either.Either<Credentials, CredentialsError> =>
  Either.gen(function* () {
    if (typeof identity !== "object" || identity === null) {
      return yield* Either.left("what came is not an object")
    }
    // whatever it is, its fields are asked for by name and looked at one by one
    const fields = identity as Record<string, unknown>
    const accessKeyId = yield* requiredTextOf(fields, "accessKeyId")
    const secretAccessKey = yield* requiredTextOf(fields, "secretAccessKey")
    const sessionToken = yield* textOf(fields, "sessionToken")
    const expiration = yield* expirationOf(fields)
    return {
      accessKeyId,
      secretAccessKey: Redacted.make(secretAccessKey),
      ...(sessionToken === undefined ? {} : { sessionToken: Redacted.make(sessionToken) }),
      ...(expiration === undefined ? {} : { expiration })
    }
  }).pipe(Either.mapLeft((reason) => credentialsError(tried, reason)))

/** A run of characters is taken for words, not for a key, when it is nothing but words. */
const isWords = (run: string) =>
  run.split(/[-_./=]|(?=[A-Z][a-z])/).every((piece) => /^([A-Z]?[a-z]+|[A-Z]*)$/.test(piece))

const arnOrRun = /\barn:aws[\w-]*:[\w-]*:[\w-]*:\d*:[\w+=,.@/-]+|[\w+/=~.%-]{16,}/g

const concealed: ReadonlyArray<readonly [RegExp, string | ((found: string) => string)]> = [
  // the command line of a credential_process, and what it wrote
  [/\bCommand failed:.*/, "Command failed"],
  // a parser quotes what it could not read, and that was to be the credentials
  [/\bSyntaxError:.*/, "SyntaxError"],
  [/\{.*/, "…"],
  [/(?<!\w)["'`](.*["'`]|.*)/, "…"],
  // the path of a container's endpoint is a password of sorts
  [/\bhttps?:\/\/\S*/gi, (url) => /^https?:\/\/(?:[^/?#]*@)?([\w.:[\]-]*)/i.exec(url)?.[1] ?? "…"],
  [/\b(\w*(?:secret|token|passw|key|credential)\w*\s*[=:])\s*\S+/gi, "$1 …"],
  [arnOrRun, (run) => (run.startsWith("arn:aws") || isWords(run) ? run : "…")]
]

const maxLength = 300

/** The first line of a message, without anything that could be a secret. */
export const conceal = (message: string): string => {
  const [line = ""] = message.trim().split(/[\r\n\u2028\u2029]/, 1)
  const start = line.length > maxLength ? line.slice(0, maxLength).replace(/\S*$/, "…") : line
  return concealed
    .reduce((text, [pattern, replacement]) => text.replace(pattern, replacement as string), start)
    .replace(/[^ -~…]/g, " ")
    .replace(/[\s.]+$/, "")
}

/** What an error may tell of itself: its name and the first line of its message, concealed. */
export const describe = (error: unknown): string => {
  if (typeof error === "string") return conceal(error)
  if (typeof error !== "object" || error === null) return "failed without an error"
  const { code, message, name } = error as Record<string, unknown>
  const isName = (value: unknown) => typeof value === "string" && /^[A-Za-z]\w{0,60}$/.test(value)
  // a parser quotes what it could not read
  const said = name !== "SyntaxError" && typeof message === "string" ? conceal(message) : ""
  return [isName(name) ? name : "Error", said || (isName(code) ? code : "")]
    .filter((part) => part !== "")
    .join(": ")
}

/** What a provider has told of its search so far. */
export interface Search {
  readonly tried: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

/** Whoever has not answered by now will not; and nothing else would end the wait. */
const timeLimit = "1 minute"

/** Asks a provider that is not ours for credentials. */
export const ask = (
  provider: () => unknown,
  search: Search
): Effect.Effect<Credentials, CredentialsError> => {
  const fail = (reason: string) => {
    const isNoted = search.notes.some((note) => reason.endsWith(note))
    const reasons = new Set(isNoted ? search.notes : [...search.notes, reason])
    return credentialsError([...search.tried], Array.from(reasons).join("; "))
  }
  return Effect.tryPromise({
    try: async () => provider(),
    catch: (error) => fail(describe(error))
  }).pipe(
    Effect.timeoutFail({
      duration: timeLimit,
      onTimeout: () => fail(`no answer within ${timeLimit}`)
    }),
    Effect.flatMap((identity) => toCredentials(identity, [...search.tried]))
  )
}
