/** Errors of rows, as lines for a person. Rows with a shared reason have one line. */
import { formatCount, printable } from "./format.js"

export interface RowError {
  readonly line: number
  /** The invalid column, from 1, if known. */
  readonly column?: number | undefined
  readonly reason: string
  /** True for a reason that other rows have, too. */
  readonly isShared: boolean
}

/** Errors that are reported. `--rejected` and `--json` have them all. */
const maxReported = 50

export const make = (source: string) => {
  const reported: Array<{ readonly error: RowError; rows: number }> = []
  const shared = new Map<string, { rows: number }>()
  let unreported = 0

  const add = (error: RowError) => {
    const same = error.isShared ? shared.get(error.reason) : undefined
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
    if (error.isShared) shared.set(error.reason, entry)
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
