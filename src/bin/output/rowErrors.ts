/** Rows that were not accepted, as a person is told of them: the first ones, and rows of one cause only once. */
import { printable } from "./printable.js"

export interface RowError {
  readonly line: number
  /** The column at fault, from 1, where there is one. */
  readonly column?: number | undefined
  readonly reason: string
  /** True if rows of the same reason are told together. */
  readonly isShared: boolean
}

interface ReportedError {
  readonly line: number
  readonly column: number | undefined
  readonly reason: string
  rows: number
}

/** Problems that are told; all are in what `--rejected` and `--json` give. */
const maxReported = 50

/** Keeps no more than it tells. */
export const make = (source: string) => {
  const reported: Array<ReportedError> = []
  const shared = new Map<string, ReportedError>()
  let total = 0

  const add = ({ column, isShared, line, reason }: RowError) => {
    total += 1
    const same = isShared ? shared.get(reason) : undefined
    if (same !== undefined) {
      same.rows += 1
      return
    }
    if (reported.length >= maxReported) return
    const reportedError = { line, column, reason, rows: 1 }
    reported.push(reportedError)
    if (isShared) shared.set(reason, reportedError)
  }

  const lines = (): ReadonlyArray<string> => {
    const texts = reported
      .sort((a, b) => a.line - b.line)
      .map(({ column, line, reason, rows }) => {
        const place = [source, line, ...(column === undefined ? [] : [column])].join(":")
        const others = rows === 1 ? "" : ` (the same for ${formatCount(rows)} rows)`
        return printable(`${place}: ${reason}${others}`)
      })
    const unreported = total - reported.reduce((sum, { rows }) => sum + rows, 0)
    return unreported === 0
      ? texts
      : [...texts, `and ${formatCount(unreported)} more; --rejected and --json give them all.`]
  }

  return { add, lines }
}

const formatCount = (count: number) => count.toLocaleString("en-US")
