/** Text from files and from the service, made safe for a terminal and for one line. */

/** Control characters (C0, DEL, C1), halves of characters, line and paragraph separators, and marks that reorder text. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

const escape = (character: string): string =>
  `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** Characters that move the cursor, change colors or reorder text are shown as `\u001b` and the like. */
export const printable = (text: string): string => text.replace(unprintable, escape)

/** The same for a text of several lines: its line breaks and tabs stay. */
export const printableLines = (text: string): string =>
  text.replace(unprintable, (character) =>
    character === "\n" || character === "\t" ? character : escape(character)
  )

const maxLength = 60

/** The same, of at most 60 characters. */
export const truncate = (text: string): string =>
  text.length > maxLength ? `${printable(text.slice(0, maxLength))}…` : printable(text)

/** The first few of some names. */
export const listSome = (names: ReadonlyArray<string>): string =>
  [
    ...names.slice(0, 5).map(truncate),
    ...(names.length > 5 ? [`${(names.length - 5).toLocaleString("en-US")} more`] : [])
  ].join(", ")
