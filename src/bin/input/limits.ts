/** Limits of input: more than any valid record needs, and small enough for memory. */

/** At most this many bytes in a CSV row or an NDJSON line. A whole request may have 1 MB. */
export const rowBytes = 2 * 1024 * 1024

/** At most this many bytes in a CSV cell. */
export const cellBytes = 1024 * 1024

/** At most this many bytes are kept of a row that is too long. */
export const excerptBytes = 200

/** At most this many characters in a number. JavaScript prints at most 25. */
export const numberLength = 40

/** At most this many levels of nested JSON. A record needs 5. */
export const depth = 32

/** At most this many bytes in a file that is read as a whole, such as a token or a key. */
export const textBytes = 1024 * 1024
