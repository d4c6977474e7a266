/** Credentials from code that is not ours: what it hands over, and what it says when it has none. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Credentials } from "../../AwsCredentials.js"
import { CredentialsError } from "../../MeteringError.js"

export const credentialsError = (tried: ReadonlyArray<string>, reason: string) =>
  new CredentialsError({ tried, reason }, true)

/** All that a header may carry. A key with a line break in it was cut out of its file carelessly. */
const printable = /^[ -~]+$/

/** A number is refused: nobody could tell seconds from milliseconds. */
const parseExpiration = (value: unknown) =>
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
  const issues =
    typeof identity === "object" && identity !== null ? [] : ["what came is not an object"]

  /** The text of a field, which may be redacted. What is said of a wrong one is without the value. */
  const textOf = (name: string, isRequired: boolean): string => {
    const raw = fields[name]
    const value: unknown = (Redacted.isRedacted(raw) ? Redacted.value(raw) : raw) ?? ""
    if (typeof value === "string" && printable.test(value)) return value
    if (value !== "") {
      issues.push(
        typeof value === "string"
          ? `${name} holds a line break or another character that no header can carry`
          : `${name} is not a text`
      )
    } else if (isRequired) issues.push(`${name} is missing`)
    return ""
  }

  const accessKeyId = textOf("accessKeyId", true)
  const secretAccessKey = textOf("secretAccessKey", true)
  const sessionToken = textOf("sessionToken", false)
  const { expiration } = fields
  const time = parseExpiration(expiration)
  if (expiration !== undefined && expiration !== null && Option.isNone(time)) {
    issues.push("expiration is not a time")
  }
  const [issue] = issues
  return issue === undefined
    ? Either.right({
        accessKeyId,
        secretAccessKey: Redacted.make(secretAccessKey),
        ...(sessionToken !== "" && { sessionToken: Redacted.make(sessionToken) }),
        ...(Option.isSome(time) && { expiration: DateTime.toUtc(time.value) })
      })
    : Either.left(credentialsError(tried, issue))
}

export const isSameCredentials = (a: Credentials, b: Credentials) =>
  a.accessKeyId === b.accessKeyId &&
  Equal.equals(a.secretAccessKey, b.secretAccessKey) &&
  Equal.equals(a.sessionToken, b.sessionToken)

const validated = new WeakSet<Credentials>()

/** Checks credentials of an `AwsCredentials` that is not ours, once each: text that no header can carry fails to be sent. */
export const validateCredentials = (
  credentials: Credentials
): Effect.Effect<Credentials, CredentialsError> => {
  if (validated.has(credentials)) return Effect.succeed(credentials)
  return Either.map(toCredentials(credentials, ["the AwsCredentials service"]), (copy) => {
    const result = isSameCredentials(copy, credentials) ? credentials : copy
    validated.add(result)
    return result
  })
}

/** A run of characters is taken for words, not for a key, when it is nothing but words. */
const isWords = (token: string) =>
  token.split(/[-_./=]|(?=[A-Z][a-z])/).every((word) => /^([A-Z]?[a-z]+|[A-Z]*)$/.test(word))

const arnOrToken =
  /\bprofile=[\w.-]{1,64}(?![\w.-])|\barn:aws[\w-]*:[\w-]*:[\w-]*:\d*:[\w+=,.@/-]+|[\w+/=~.%-]{16,}/g

/** An absolute path, of which each segment is judged alone. A secret can begin with a slash, but not with these. */
const absolutePath =
  /^(?:~\/|[A-Za-z]:\\|\/(?:app|data|etc|home|mnt|opt|private|root|run|srv|tmp|Users|usr|var)\/)/

/** Shorter segments of a path are names; a fragment of a secret that long cannot be told from one. */
const minSecretSegmentLength = 8

const redactPathSegments = (text: string) =>
  text.replace(/[^/\\]+/g, (segment) =>
    segment.length < minSecretSegmentLength || isWords(segment) ? segment : "…"
  )

/** What the SDK quotes and no secret can be: a command of the AWS CLI, or the name of a setting. */
const safeQuoted = /^(?:aws(?: [a-z]+(?:-[a-z]+)*)+|[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)$/

const quotePattern = /(?<!\w)["'`]/

/** Keeps the quotes of harmless words and of paths. Another one is hidden to the last quote: it may hold some itself. */
const redactQuoted = (text: string): string => {
  const start = text.search(quotePattern)
  if (start === -1) return text
  const quoteMark = text.charAt(start)
  const end = text.indexOf(quoteMark, start + 1)
  const quoted = end === -1 ? "" : text.slice(start + 1, end)
  if (safeQuoted.test(quoted) || absolutePath.test(quoted)) {
    const shown = safeQuoted.test(quoted) ? quoted : redactPathSegments(quoted)
    return `${text.slice(0, start)}${quoteMark}${shown}${quoteMark}${redactQuoted(text.slice(end + 1))}`
  }
  const last = Math.max(...['"', "'", "`"].map((character) => text.lastIndexOf(character)))
  return `${text.slice(0, start)}…${last > start ? text.slice(last + 1) : ""}`
}

const sanitizers: ReadonlyArray<(text: string) => string> = [
  // the command line of a credential_process, and what it wrote
  (text) => text.replace(/\bCommand failed:.*/, "Command failed"),
  // a parser quotes what it could not read, and that was to be the credentials
  (text) => text.replace(/\bSyntaxError:.*/, "SyntaxError"),
  (text) => text.replace(/\{.*/, "…"),
  redactQuoted,
  // the path of a container's endpoint is a password of sorts
  (text) =>
    text.replace(
      /\bhttps?:\/\/\S*/gi,
      (url) => /^https?:\/\/(?:[^/?#]*@)?([\w.:[\]-]*)/i.exec(url)?.[1] ?? "…"
    ),
  (text) => text.replace(secretAssignment, (all, name) => (name === undefined ? all : `${name} …`)),
  (text) =>
    text.replace(arnOrToken, (run) =>
      run.startsWith("arn:aws") || run.startsWith("profile=") || isWords(run)
        ? run
        : absolutePath.test(run)
          ? redactPathSegments(run)
          : "…"
    )
]

/** Of paths only that of the AWS CLI's file, before the code of an error, is not the name of a secret. */
const secretAssignment =
  /\.aws[\\/]credentials:(?= E[A-Z]+\b)|\b(\w*(?:secret|token|passw|key|credential)\w*\s*[=:])\s*\S+/gi

const maxMessageLength = 300

/** The first line of a message, without anything that could be a secret. */
export const sanitizeMessage = (message: string): string => {
  const [line = ""] = message.trim().split(/[\r\n\u2028\u2029]/, 1)
  const start =
    line.length > maxMessageLength ? line.slice(0, maxMessageLength).replace(/\S*$/, "…") : line
  return sanitizers
    .reduce((text, hide) => hide(text), start)
    .replace(/[^ -~…]/g, " ")
    .replace(/[\s.]+$/, "")
}

/** What an error may tell of itself: its name and the first line of its message, concealed. */
export const describeError = (error: unknown): string => {
  if (typeof error === "string") return sanitizeMessage(error)
  if (typeof error !== "object" || error === null) return "failed without an error"
  const { code, message, name } = error as Record<string, unknown>
  const isName = (value: unknown) => typeof value === "string" && /^[A-Za-z]\w{0,60}$/.test(value)
  // a parser quotes what it could not read
  const detail =
    name !== "SyntaxError" && typeof message === "string" ? sanitizeMessage(message) : ""
  return [isName(name) ? name : "Error", detail || (isName(code) ? code : "")]
    .filter((part) => part !== "")
    .join(": ")
}

/** What a provider has told of its search so far. */
export interface ProviderSearch {
  readonly tried: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

/** Nothing else ends the wait for a provider that never settles. */
export const providerTimeout = "1 minute"

/** Asks a provider that is not ours for credentials. */
export const callProvider = (
  provider: () => unknown,
  search: ProviderSearch
): Effect.Effect<Credentials, CredentialsError> => {
  const fail = (reason: string) => {
    const isKnownReason = search.notes.some((note) => reason.endsWith(note))
    const reasons = new Set(isKnownReason ? search.notes : [...search.notes, reason])
    return credentialsError([...search.tried], Array.from(reasons).join("; "))
  }
  return Effect.tryPromise({
    try: async () => provider(),
    catch: (error) => fail(describeError(error))
  }).pipe(
    Effect.timeoutFail({
      duration: providerTimeout,
      onTimeout: () => fail(`no answer within ${providerTimeout}`)
    }),
    Effect.flatMap((identity) => toCredentials(identity, [...search.tried]))
  )
}
