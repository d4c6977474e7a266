/** Redacts secrets in texts from a server. */
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { shapeOf } from "../schema/shape.js"

/** Length of the redacted fragments of a secret, in characters. A server may repeat a secret truncated or escaped. */
const fragmentLength = 12

/** Minimum length of a redacted secret, in characters. Shorter ones could be ordinary words. */
const minSecretLength = 8

/** A run of characters without white space, quotes and brackets. */
const tokenPattern = /[^\s"'<>()[\]{}]+/g

const separator = /[\s"'<>()[\]{}]/

/** Maximum length of a text, in characters. The service's own messages are far shorter. */
export const maxTextLength = 2_000

/** Truncates between two runs: half of a secret could be too short to be recognised. */
const truncate = (text: string): string => {
  if (text.length <= maxTextLength) return text
  let end = maxTextLength
  while (end > 0 && !separator.test(text.charAt(end))) end -= 1
  return `${text.slice(0, end)}…`
}

/** Runs that can contain a JWT. */
const jwtCharacters = /[\w.-]+/g

/** Redacts a JWT, such as the signed response of RegisterUsage. */
const redactJwt = (token: string): string => {
  const start = token.indexOf("eyJ")
  return start >= 0 && token.slice(start).split(".", 3).length === 3
    ? token.slice(0, start) + placeholder
    : token
}

const placeholder = "<redacted>"

/**
 * Truncates a text and replaces every run of characters that contains a secret, a fragment of one, or a JWT. `secrets`
 * is called only when there is a text.
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

/** Every fragment of `fragmentLength`, or all of a shorter secret. */
const fragmentsOf = (secret: string): ReadonlyArray<string> =>
  secret.length <= fragmentLength
    ? [secret]
    : Array.from({ length: secret.length - fragmentLength + 1 }, (_, i) =>
        secret.slice(i, i + fragmentLength)
      )

/** Reads the redacted fields of a request, so that error messages can be searched for them. */
export const secretsOf = (schema: Schema.Schema.All) => {
  const fields = shapeOf(schema).fields.filter(({ shape }) => shape.kind === "redacted")
  return (request: object): ReadonlyArray<string> =>
    fields.flatMap(({ name }) => {
      const secret = (request as Record<string, unknown>)[name]
      return Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []
    })
}
