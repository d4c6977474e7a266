/** Rows that were not accepted, as they were written, each with the reason: to be corrected and submitted again. */
import * as json from "./json.js"
import type { Row, Sheet } from "./rows.js"

/** The delimiter is the file's own: the programs that it is for expect that one. */
const line = (cells: ReadonlyArray<string>, delimiter: string) =>
  `${cells.map((cell) => quoted(cell, delimiter)).join(delimiter)}\n`

const quoted = (cell: string, delimiter: string) =>
  /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell

/** The first line, where the format has one. */
export const head = (sheet: Sheet): string =>
  sheet.format === "ndjson"
    ? ""
    : line(
        [...sheet.head.filter((_, i) => sheet.columns[i] !== "reason"), "reason"],
        sheet.delimiter
      )

export const row = ({ sheet, written }: Row, reason: string): string => {
  if (sheet.format === "csv") {
    const cells = typeof written === "string" ? [written] : written
    // of too few or too many cells all are kept, for a person to see, and the reason stays in its column
    const missing = Math.max(0, sheet.columns.length - cells.length)
    const padded = [...cells, ...Array.from({ length: missing }, () => "")]
    return line(
      [...padded.filter((_, i) => sheet.columns[i] !== "reason"), reason],
      sheet.delimiter
    )
  }
  const text = String(written)
  const unreadable = `${JSON.stringify({ unreadable: text, reason })}\n`
  // to write it anew would take the last of doubled members, and round numbers
  if (json.problemIn(text) !== undefined) return unreadable
  try {
    const { reason: _, ...value } = JSON.parse(text) as Record<string, unknown>
    return `${JSON.stringify({ ...value, reason })}\n`
  } catch {
    // what is no JSON is kept as it was, beside a text that is
    return unreadable
  }
}
