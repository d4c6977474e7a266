/** Text from files and from the service, made safe for a terminal and for one line. */

/** Control characters (C0, DEL, C1), line and paragraph separators, and marks that reorder text. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

const escape = (character: string): string => {
  const code = character.charCodeAt(0)
  return `\\u${code.toString(16).padStart(4, "0")}`
}

/** Characters that move the cursor, change colors or reorder text are shown as `\u001b` and the like. */
export const printable = (text: string): string => text.replace(unprintable, escape)

/** The same for a text of several lines: its line breaks and tabs stay. */
export const printableLines = (text: string): string =>
  text.replace(unprintable, (character) =>
    character === "\n" || character === "\t" ? character : escape(character)
  )
