/** Texts of others, for a terminal: they cannot move its cursor, break a line or turn the direction of writing. */

const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

const longest = 60

/** With controls, formats and line separators as escapes. */
export const printable = (text: string): string =>
  text.replace(unseen, (character) =>
    Array.from(
      { length: character.length },
      (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`
    ).join("")
  )

/** The same, of at most 60 characters. */
export const shortened = (text: string): string =>
  text.length > longest ? `${printable(text.slice(0, longest))}…` : printable(text)

/** The first few of some names. */
export const someOf = (names: ReadonlyArray<string>): string =>
  [
    ...names.slice(0, 5).map(shortened),
    ...(names.length > 5 ? [`${(names.length - 5).toLocaleString("en-US")} more`] : [])
  ].join(", ")
