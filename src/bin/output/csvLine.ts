/** Formats a line of CSV (RFC 4180). */
export const csvLine = (cells: ReadonlyArray<string>, delimiter = ","): string =>
  `${cells.map((cell) => quoteCell(cell, delimiter)).join(delimiter)}\n`

const quoteCell = (cell: string, delimiter: string) =>
  /["\r\n]/.test(cell) || cell.includes(delimiter) ? `"${cell.replaceAll('"', '""')}"` : cell
