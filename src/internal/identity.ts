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

/** A number is refused: nobody could tell seconds from milliseconds. */
const timeOf = (value: unknown) =>
  typeof value === "string" || value instanceof Date || DateTime.isDateTime(value)
    ? DateTime.make(value)
    : Option.none()

/** Checks credentials of whatever origin and hides what is secret in them. */
export const toCredentials = (
  identity: unknown,
  tried: ReadonlyArray<string>
): Either.Either<Credentials, CredentialsError> => {
  // whatever it is, its fields are asked for by name and looked at one by one
  const fields = (identity ?? "") as Record<string, unknown>
  const faults =
    typeof identity === "object" && identity !== null ? [] : ["what came is not an object"]

  /** The text of a field, which may be redacted. What is said of a wrong one is without the value. */
  const textOf = (name: string, isRequired: boolean): string => {
    const given = fields[name]
    const value: unknown = (Redacted.isRedacted(given) ? Redacted.value(given) : given) ?? ""
    if (typeof value === "string" && printable.test(value)) return value
    if (value !== "") {
      faults.push(
        typeof value === "string"
          ? `${name} holds a line break or another character that no header can carry`
          : `${name} is not a text`
      )
    } else if (isRequired) faults.push(`${name} is missing`)
    return ""
  }

  const accessKeyId = textOf("accessKeyId", true)
  const secretAccessKey = textOf("secretAccessKey", true)
  const sessionToken = textOf("sessionToken", false)
  const { expiration } = fields
  const time = timeOf(expiration)
  if (expiration !== undefined && expiration !== null && Option.isNone(time)) {
    faults.push("expiration is not a time")
  }
  const [fault] = faults
  return fault === undefined
    ? Either.right({
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey),
        ...(sessionToken !== "" && { sessionToken: Redacted.make(sessionToken) }),
        ...(Option.isSome(time) && { expiration: DateTime.toUtc(time.value) })
      })
    : Either.left(credentialsError(tried, fault))
}

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
