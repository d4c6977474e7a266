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

/** The signed answer to RegisterUsage, whoever repeats it. */
const jwts = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g

const hidden = "<redacted>"

/**
 * Replaces every run of characters that holds a recognisable part of a secret. The secrets are asked for only when
 * there is a text to search.
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
      .reduce((shown, secret) => shown.replaceAll(secret, hidden), text)
      .replace(jwts, hidden)
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
