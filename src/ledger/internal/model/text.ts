/**
 * Text that every store can store. PostgreSQL cannot store NUL, and UTF-8 cannot encode half of a surrogate pair, which would change
 * the text or crash the process in the native code of a driver.
 */

const unstorable = /\0|\p{Surrogate}/gu

export const isStorable = (text: string): boolean => text.search(unstorable) === -1

/** Truncates a text to `maxLength` UTF-16 code units, and replaces each character that cannot be stored by U+FFFD. */
export const toStorable = (text: string, maxLength: number): string =>
  text.slice(0, maxLength).replace(unstorable, "\ufffd")
