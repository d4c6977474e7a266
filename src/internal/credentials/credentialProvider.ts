/** Calls an application's or the SDK's credential provider, and describes its errors without secrets. */
import * as Effect from "effect/Effect"
import type { CredentialsError } from "../../MeteringError.js"
import { type Credentials, credentialsError, toCredentials } from "./credentials.js"

/** Returns whether every part of a token is a word or all capitals, as in names and file paths, but not in keys. */
const isWords = (token: string) =>
  token.split(/[-_./=]|(?=[A-Z][a-z])/).every((word) => /^([A-Z]?[a-z]+|[A-Z]*)$/.test(word))

const arnOrToken =
  /\bprofile=[\w.-]{1,64}(?![\w.-])|\barn:aws[\w-]*:[\w-]*:[\w-]*:\d*:[\w+=,.@/-]+|[\w+/=~.%-]{16,}/g

/** Matches the start of an absolute path. A secret can begin with a slash, but not with one of these directories. */
const absolutePath =
  /^(?:~\/|[A-Za-z]:\\|\/(?:app|data|etc|home|mnt|opt|private|root|run|srv|tmp|Users|usr|var)\/)/

/** Minimum length of a path segment that may be a fragment of a secret. Shorter segments are shown. */
const minSecretSegmentLength = 8

const redactPathSegments = (text: string) =>
  text.replace(/[^/\\]+/g, (segment) =>
    segment.length < minSecretSegmentLength || isWords(segment) ? segment : "…"
  )

/** Matches quoted text that is not a secret: a command of the AWS CLI, or the name of a setting. */
const safeQuoted = /^(?:aws(?: [a-z]+(?:-[a-z]+)*)+|[a-z]+(?:_[a-z]+)+|[A-Z]+(?:_[A-Z]+)+)$/

const quotePattern = /(?<!\w)["'`]/

/**
 * Keeps quoted safe words and paths. Hides other quoted text up to the last quote mark, because it may contain quote marks.
 */
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
  // removes the command line and the output of a credential_process
  (text) => text.replace(/\bCommand failed:.*/, "Command failed"),
  // a parser quotes its input, which may be the credentials
  (text) => text.replace(/\bSyntaxError:.*/, "SyntaxError"),
  (text) => text.replace(/\{.*/, "…"),
  redactQuoted,
  // the path of a container's endpoint grants access
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

/** Matches the name of a secret with its value, and the path of the AWS CLI's credentials file before an error code, which is kept. */
const secretAssignment =
  /\.aws[\\/]credentials:(?= E[A-Z]+\b)|\b(\w*(?:secret|token|passw|key|credential)\w*\s*[=:])\s*\S+/gi

const maxMessageLength = 300

/** Returns the first line of a message, without anything that could be a secret. */
export const sanitizeMessage = (message: string): string => {
  const [line = ""] = message.trim().split(/[\r\n\u2028\u2029]/, 1)
  const start =
    line.length > maxMessageLength ? line.slice(0, maxMessageLength).replace(/\S*$/, "…") : line
  return sanitizers
    .reduce((text, sanitize) => sanitize(text), start)
    .replace(/[^ -~…]/g, " ")
    .replace(/[\s.]+$/, "")
}

/** Describes an error by its name and the first line of its message, without secrets. */
export const describeError = (error: unknown): string => {
  if (typeof error === "string") return sanitizeMessage(error)
  if (typeof error !== "object" || error === null) return "failed without an error"
  const { code, message, name } = error as Record<string, unknown>
  const isName = (value: unknown) => typeof value === "string" && /^[A-Za-z]\w{0,60}$/.test(value)
  // a parser quotes its input
  const detail =
    name !== "SyntaxError" && typeof message === "string" ? sanitizeMessage(message) : ""
  return [isName(name) ? name : "Error", detail || (isName(code) ? code : "")]
    .filter((part) => part !== "")
    .join(": ")
}

/** The sources that a provider tried, and its notes about their failures. */
interface ProviderSearch {
  readonly tried: ReadonlyArray<string>
  readonly notes: ReadonlyArray<string>
}

/** Time limit of a provider, whose promise may never settle. */
const providerTimeout = "1 minute"

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
      onTimeout: () => fail(`no response within ${providerTimeout}`)
    }),
    Effect.flatMap((identity) => toCredentials(identity, [...search.tried]))
  )
}
