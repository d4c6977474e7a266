/** Errors of rows, one line each. Rows with the same grouped reason share a line. */
import { formatCount, printable } from "./format.js"

interface RowError {
  readonly line: number
  /** The invalid column, from 1, if known. */
  readonly column?: number | undefined
  readonly reason: string
  /** True if all rows with this reason are reported in one line. */
  readonly isGrouped: boolean
}

/** Maximum number of error lines. The rest are counted. `--rejected` and `--json` list all rows. */
const maxReported = 50

export const make = (source: string) => {
  const reported: Array<{ readonly error: RowError; rows: number }> = []
  const grouped = new Map<string, { rows: number }>()
  let unreported = 0

  const add = (error: RowError) => {
    const same = error.isGrouped ? grouped.get(error.reason) : undefined
    if (same !== undefined) {
      same.rows += 1
      return
    }
    if (reported.length >= maxReported) {
      unreported += 1
      return
    }
    const entry = { error, rows: 1 }
    reported.push(entry)
    if (error.isGrouped) grouped.set(error.reason, entry)
  }

  const lines = (): ReadonlyArray<string> => {
    const texts = reported
      .sort((a, b) => a.error.line - b.error.line)
      .map(({ error: { column, line, reason }, rows }) => {
        const place = [source, line, ...(column === undefined ? [] : [column])].join(":")
        const others = rows === 1 ? "" : ` (the same for ${formatCount(rows)} rows)`
        return printable(`${place}: ${reason}${others}`)
      })
    return unreported === 0
      ? texts
      : [...texts, `and ${formatCount(unreported)} more; --rejected and --json have them all.`]
  }

  return { add, lines }
}
