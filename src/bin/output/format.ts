/** Formats values as text that is safe on a terminal, even if a file or the service contains control characters. */
import * as DateTime from "effect/DateTime"
import * as Predicate from "effect/Predicate"

/** Control characters (C0, DEL, C1), lone surrogates, line and paragraph separators, and marks that reorder text. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

const escape = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Escapes unprintable characters, including line breaks, as in `\u001b`. */
export const printable = (text: string): string => text.replace(unprintable, escape)

/** Like `printable`, but keeps line breaks and tabs. */
export const printableLines = (text: string): string =>
  text.replace(unprintable, (character) =>
    character === "\n" || character === "\t" ? character : escape(character)
  )

/** Maximum length of a truncated text, in characters. */
const maxLength = 60

export const truncateText = (text: string): string =>
  text.length > maxLength ? `${printable(text.slice(0, maxLength))}…` : printable(text)

/** Formats a number with commas between thousands. */
export const formatCount = (count: number): string => count.toLocaleString("en-US")

/** Maximum number of names in a list. The rest are counted. */
const maxNames = 5

export const listSome = (names: ReadonlyArray<string>): string => {
  const shown = names.slice(0, maxNames).map(truncateText)
  const more = names.length - shown.length
  return (more > 0 ? [...shown, `${formatCount(more)} more`] : shown).join(", ")
}

export const bulletList = (title: string, items: ReadonlyArray<string>): string =>
  [title, ...items.map((item) => `- ${item}`)].join("\n")

/** Formats one field per line. Omits missing and empty values. */
export const formatFields = (
  all: ReadonlyArray<readonly [name: string, value: string | number | undefined]>
): string => {
  const present = all.filter(([, value]) => value !== undefined && value !== "")
  const width = Math.max(...present.map(([name]) => name.length))
  return present
    .map(([name, value]) => `${name.padEnd(width)}  ${printable(String(value))}`)
    .join("\n")
}

/** Formats JSON on one line, with times in ISO 8601. Omits `_tag` and functions. */
export const formatJson = (value: object): string => printable(JSON.stringify(value, replacer))

const replacer = (key: string, value: unknown) =>
  key === "_tag" || Predicate.isFunction(value) ? undefined : value

/** Formats a time in ISO 8601, without milliseconds if they are 0. */
export const formatTime = (time: DateTime.DateTime): string =>
  DateTime.formatIso(time).replace(/\.000Z$/, "Z")
