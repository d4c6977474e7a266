/**
 * Text that every store keeps. PostgreSQL has no place for NUL, and UTF-8 cannot write half of a surrogate pair: it would become
 * another text, or end the process in the driver's native code.
 */

const unstorable = /\0|\p{Surrogate}/gu

export const isStorable = (text: string): boolean => text.search(unstorable) === -1

/** The text with U+FFFD for each character that cannot be stored, and at most `maxLength` UTF-16 code units of it. */
export const toStorable = (text: string, maxLength: number): string =>
  text.slice(0, maxLength).replace(unstorable, "\ufffd")
