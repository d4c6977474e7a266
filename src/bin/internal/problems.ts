/** Rows that were not accepted, as a person is told of them: the first ones, and rows of one cause only once. */
import { printable } from "./printable.js"

export interface Problem {
  readonly line: number
  /** The column at fault, from 1, where there is one. */
  readonly column?: number | undefined
  readonly reason: string
  /** True if rows of the same reason are told together. */
  readonly isShared: boolean
}

interface Told {
  readonly line: number
  readonly column: number | undefined
  readonly reason: string
  rows: number
}

/** Problems that are told; all are in what `--rejected` and `--json` give. */
const limit = 50

/** Keeps no more than it tells. */
export const make = (source: string) => {
  const told: Array<Told> = []
  const shared = new Map<string, Told>()
  let total = 0

  const add = ({ column, isShared, line, reason }: Problem) => {
    total += 1
    const same = isShared ? shared.get(reason) : undefined
    if (same !== undefined) {
      same.rows += 1
      return
    }
    if (told.length >= limit) return
    const problem = { line, column, reason, rows: 1 }
    told.push(problem)
    if (isShared) shared.set(reason, problem)
  }

  const lines = (): ReadonlyArray<string> => {
    const texts = told
      .sort((a, b) => a.line - b.line)
      .map(({ column, line, reason, rows }) => {
        const place = [source, line, ...(column === undefined ? [] : [column])].join(":")
        const others = rows === 1 ? "" : ` (the same for ${shown(rows)} rows)`
        return printable(`${place}: ${reason}${others}`)
      })
    const untold = total - told.reduce((sum, { rows }) => sum + rows, 0)
    return untold === 0
      ? texts
      : [...texts, `and ${shown(untold)} more; --rejected and --json give them all.`]
  }

  return { add, lines }
}

const shown = (count: number) => count.toLocaleString("en-US")
