type Cell = string | number

/** Columns as wide as they need to be, numbers to the right. */
export const table = (
  head: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<Cell>>
): string => {
  const all: ReadonlyArray<ReadonlyArray<Cell>> = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...all.map((row) => show(row[column]).length)))
  const line = (row: ReadonlyArray<Cell>) =>
    `  ${head
      .map((_, column) => {
        const isNumber = typeof (rows[0] ?? head)[column] === "number"
        const width = widths[column] ?? 0
        return isNumber ? show(row[column]).padStart(width) : show(row[column]).padEnd(width)
      })
      .join("  ")
      .trimEnd()}`
  const rule = `  ${widths.map((width) => "-".repeat(width)).join("  ")}`
  return `${[line(head), rule, ...rows.map(line)].join("\n")}\n`
}

const show = (cell: Cell | undefined): string =>
  typeof cell === "number" ? cell.toLocaleString("en-US") : (cell ?? "")
