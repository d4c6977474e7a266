/** Formats tables as text. */
import { formatCount, printable } from "./format.js"

export type Cell = string | number

/** Formats rows in columns as wide as their longest cell. Numbers are aligned to the right. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>
): string => {
  const columns = head.map((title, column) => {
    const cells = rows.map((row) => row[column] ?? "")
    const isNumber = cells.length > 0 && cells.every((cell) => typeof cell === "number")
    const texts = [title, ...cells.map(formatCell)]
    const width = Math.max(...texts.map((text) => text.length))
    return texts.map((text) => (isNumber ? text.padStart(width) : text.padEnd(width)))
  })
  return [head, ...rows]
    .map((_, line) => `  ${columns.map((texts) => texts[line]).join("  ")}`.trimEnd())
    .join("\n")
}

const formatCell = (cell: Cell): string =>
  typeof cell === "number" ? formatCount(cell) : printable(cell)
