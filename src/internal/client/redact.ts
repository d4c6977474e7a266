/** Takes secrets out of text that someone else wrote. */
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { shapeOf } from "../schema/shape.js"

/** So much of a secret is enough to know it by: it may come cut off, or with its signs written otherwise. */
const fragmentLength = 12

/** What is shorter is an ordinary word, and hiding it would only garble the text. */
const minSecretLength = 8

/** What an echo of a secret stands in: all up to white space, a quote or a bracket. */
const tokenPattern = /[^\s"'<>()[\]{}]+/g

const separator = /[\s"'<>()[\]{}]/

/** So many characters are shown at the most; the service's own messages are far shorter. */
export const maxTextLength = 2_000

/** What is too long is cut between two runs, since half of a secret could not be told from a word. */
const truncate = (text: string): string => {
  if (text.length <= maxTextLength) return text
  let end = maxTextLength
  while (end > 0 && !separator.test(text.charAt(end))) end -= 1
  return `${text.slice(0, end)}…`
}

/** What a JWT may be in. */
const jwtCharacters = /[\w.-]+/g

/** The signed answer to RegisterUsage, whoever repeats it. */
const redactJwt = (token: string): string => {
  const start = token.indexOf("eyJ")
  return start >= 0 && token.slice(start).split(".", 3).length === 3
    ? token.slice(0, start) + placeholder
    : token
}

const placeholder = "<redacted>"

/**
 * Replaces every run of characters that holds a recognisable part of a secret, and keeps no more of a text than its
 * beginning. The secrets are asked for only when there is a text to search.
 */
export const redactor =
  (secrets: () => ReadonlyArray<string | undefined>) =>
  (text: string): string => {
    const values = secrets().flatMap((secret = "") =>
      secret.length < minSecretLength ? [] : [secret]
    )
    const fragments = new Set(values.flatMap(fragmentsOf))
    const containsFragment = (token: string) => {
      for (let length = minSecretLength; length <= fragmentLength; length++) {
        for (let i = 0; i + length <= token.length; i++) {
          if (fragments.has(token.slice(i, i + length))) return true
        }
      }
      return false
    }
    return values
      .reduce((redacted, secret) => redacted.replaceAll(secret, placeholder), truncate(text))
      .replace(jwtCharacters, redactJwt)
      .replace(tokenPattern, (token) => (containsFragment(token) ? placeholder : token))
  }

/** Every stretch of the recognisable length, or all of a shorter secret. */
const fragmentsOf = (secret: string): ReadonlyArray<string> =>
  secret.length <= fragmentLength
    ? [secret]
    : Array.from({ length: secret.length - fragmentLength + 1 }, (_, i) =>
        secret.slice(i, i + fragmentLength)
      )

/** Reads the secrets of a request, for no other end than to keep them out of sight. */
export const secretsOf = (schema: Schema.Schema.All) => {
  const fields = shapeOf(schema).fields.filter(({ shape }) => shape.kind === "redacted")
  return (request: object): ReadonlyArray<string> =>
    fields.flatMap(({ name }) => {
      const secret = (request as Record<string, unknown>)[name]
      return Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []
    })
}
