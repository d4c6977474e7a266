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

/** Truncates between two tokens, because half of a secret could be too short to be recognized. */
const truncateText = (text: string): string => {
  if (text.length <= maxTextLength) return text
  let end = maxTextLength
  while (end > 0 && !separator.test(text.charAt(end))) end -= 1
  return `${text.slice(0, end)}…`
}

/** Matches runs of characters that can contain a JWT. */
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
    const shown = values
      .reduce((redacted, secret) => redacted.replaceAll(secret, placeholder), truncateText(text))
      .replace(jwtCharacters, redactJwt)
    const fragments = commonFragments(shown.match(tokenPattern) ?? [], values)
    const containsFragment = (token: string) =>
      fragmentsOf(token).some((fragment) => fragments.has(fragment)) ||
      values.some((secret) => secret.length < fragmentLength && token.includes(secret))
    return shown.replace(tokenPattern, (token) => (containsFragment(token) ? placeholder : token))
  }

/**
 * Returns the fragments of the tokens that are also in a secret. Building a set of all fragments of a long secret would be
 * slow.
 */
const commonFragments = (
  tokens: ReadonlyArray<string>,
  secrets: ReadonlyArray<string>
): ReadonlySet<string> => {
  const inTokens = new Set(tokens.flatMap(fragmentsOf))
  const common = new Set<string>()
  if (inTokens.size === 0) return common
  for (const secret of secrets) {
    for (let i = 0; i + fragmentLength <= secret.length; i++) {
      const fragment = secret.slice(i, i + fragmentLength)
      if (inTokens.has(fragment)) common.add(fragment)
    }
  }
  return common
}

/** Returns all substrings of `fragmentLength` characters. A shorter text has none. */
const fragmentsOf = (text: string): ReadonlyArray<string> =>
  Array.from({ length: Math.max(0, text.length - fragmentLength + 1) }, (_, i) =>
    text.slice(i, i + fragmentLength)
  )

/** Makes a function that reads the redacted fields of a request, so that error messages can be searched for them. */
export const secretsOf = (schema: Schema.Schema.All) => {
  const fields = shapeOf(schema).fields.filter(({ shape }) => shape.kind === "redacted")
  return (request: object): ReadonlyArray<string> =>
    fields.flatMap(({ name }) => {
      const secret = (request as Record<string, unknown>)[name]
      return Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []
    })
}
