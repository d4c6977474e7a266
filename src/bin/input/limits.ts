/** Limits on what a file may hold: more than any record that can be sent needs, and little enough to keep in memory. */

/** A row of CSV or a line of NDJSON, in bytes. A whole request may have 1 MB. */
export const rowBytes = 2 * 1024 * 1024

/** A cell of CSV, in bytes. */
export const cellBytes = 1024 * 1024

/** The number of bytes that are kept of a row that is too long. */
export const excerptBytes = 200

/** The digits, points and signs of a number. Those that JavaScript prints have 25 at the most. */
export const numberLength = 40

/** How deep JSON may be nested. A record needs 5. */
export const depth = 32

/** A text that is read as a whole, such as a token or a key, in bytes. */
export const textBytes = 1024 * 1024

export const formatCount = (count: number) => count.toLocaleString("en-US")
