/** Limits of input: more than any valid record needs, and small enough for memory. */

/** Maximum length of a CSV row or an NDJSON line, in bytes. A whole request may have 1 MB. */
export const rowBytes = 2 * 1024 * 1024

/** Maximum length of a CSV cell, in bytes. */
export const cellBytes = 1024 * 1024

/** Length of the beginning that is kept of a row that is too long, in bytes. */
export const excerptBytes = 200

/** Maximum length of a number, in characters. JavaScript prints at most 25. */
export const numberLength = 40

/** Maximum levels of nested JSON. A record needs 5. */
export const depth = 32

/** Maximum length of a file that is read as a whole, such as a token or a key, in bytes. */
export const textBytes = 1024 * 1024
