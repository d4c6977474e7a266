/** Takes secrets out of text that someone else wrote. */
import * as Redacted from "effect/Redacted"
import type * as Schema from "effect/Schema"
import { of } from "./shape.js"

/** So much of a secret is enough to know it by: it may come cut off, or with its signs written otherwise. */
const recognisable = 12

/** What is shorter is an ordinary word, and hiding it would only garble the text. */
const shortest = 8

/** What an echo of a secret stands in: all up to white space, a quote or a bracket. */
const runs = /[^\s"'<>()[\]{}]+/g

const betweenRuns = /[\s"'<>()[\]{}]/

/** So many characters are shown at the most; the service's own messages are far shorter. */
export const longest = 2_000

/** What is too long is cut between two runs, since half of a secret could not be told from a word. */
const shortened = (text: string): string => {
  if (text.length <= longest) return text
  let end = longest
  while (end > 0 && !betweenRuns.test(text.charAt(end))) end -= 1
  return `${text.slice(0, end)}…`
}

/** What a JWT may be in. */
const dotted = /[\w.-]+/g

/** The signed answer to RegisterUsage, whoever repeats it. */
const withoutJwt = (run: string): string => {
  const start = run.indexOf("eyJ")
  return start >= 0 && run.slice(start).split(".", 3).length === 3
    ? run.slice(0, start) + hidden
    : run
}

const hidden = "<redacted>"

/**
 * Replaces every run of characters that holds a recognisable part of a secret, and keeps no more of a text than its
 * beginning. The secrets are asked for only when there is a text to search.
 */
export const concealer =
  (secrets: () => ReadonlyArray<string | undefined>) =>
  (text: string): string => {
    const known = secrets().flatMap((secret = "") => (secret.length < shortest ? [] : [secret]))
    const parts = new Set(known.flatMap(partsOf))
    const isTelling = (run: string) => {
      for (let length = shortest; length <= recognisable; length++) {
        for (let i = 0; i + length <= run.length; i++) {
          if (parts.has(run.slice(i, i + length))) return true
        }
      }
      return false
    }
    return known
      .reduce((shown, secret) => shown.replaceAll(secret, hidden), shortened(text))
      .replace(dotted, withoutJwt)
      .replace(runs, (run) => (isTelling(run) ? hidden : run))
  }

/** Every stretch of the recognisable length, or all of a shorter secret. */
const partsOf = (secret: string): ReadonlyArray<string> =>
  secret.length <= recognisable
    ? [secret]
    : Array.from({ length: secret.length - recognisable + 1 }, (_, i) =>
        secret.slice(i, i + recognisable)
      )

/** Reads the secrets of a request, for no other end than to keep them out of sight. */
export const secretsOf = (schema: Schema.Schema.All) => {
  const fields = of(schema).fields.filter(({ shape }) => shape.kind === "secret")
  return (request: object): ReadonlyArray<string> =>
    fields.flatMap(({ name }) => {
      const secret = (request as Record<string, unknown>)[name]
      return Redacted.isRedacted(secret) ? [String(Redacted.value(secret))] : []
    })
}
