/** Counts of what became of rows, by customer, dimension and status. */

import { type RowStatus, statusLabels } from "../internal/rowOutcome.js"
import { type Cell, table } from "./table.js"

interface SummaryLine {
  readonly customer: string
  readonly dimension: string
  readonly status: RowStatus
  records: number
  units: number
}

/** What of a record is counted, as far as it could be read. */
export interface PartialUsage {
  readonly customerAWSAccountId?: unknown
  readonly customerIdentifier?: unknown
  readonly dimension?: unknown
  readonly quantity?: unknown
}

/** So many lines of one status are shown one by one. */
const maxLinesPerStatus = 40

/** What is never shown is only counted by status, however many customers there are. */
export const make = (isShown: boolean) => {
  const sums = new Map<string, SummaryLine>()
  const counts = new Map<RowStatus, number>()
  let total = 0

  /** Units of a row that is billed with an earlier one are not counted again. */
  const add = (record: PartialUsage | undefined, status: RowStatus, isRepeated = false) => {
    counts.set(status, (counts.get(status) ?? 0) + 1)
    total += 1
    if (!isShown) return
    const customer = String(record?.customerAWSAccountId ?? record?.customerIdentifier ?? "?")
    const dimension = String(record?.dimension ?? "?")
    const units = typeof record?.quantity === "number" && !isRepeated ? record.quantity : 0
    const key = JSON.stringify([customer, dimension, status])
    const sum = sums.get(key) ?? { customer, dimension, status, records: 0, units: 0 }
    sum.records += 1
    sum.units += units
    sums.set(key, sum)
  }

  /** `accepted` is how that status is told. */
  const show = (accepted: string): string => {
    const sorted = [...sums.values()].sort(
      (a, b) =>
        compare(a.customer, b.customer) ||
        compare(a.dimension, b.dimension) ||
        compare(a.status, b.status)
    )
    const word = (status: RowStatus) => (status === "Accepted" ? accepted : statusLabels[status])
    const linesByStatus = new Map<RowStatus, number>()
    const rest = new Map<RowStatus, { lines: number; records: number; units: number }>()
    const shown: Array<ReadonlyArray<Cell>> = []
    for (const { customer, dimension, records, status, units } of sorted) {
      const linesSoFar = (linesByStatus.get(status) ?? 0) + 1
      linesByStatus.set(status, linesSoFar)
      if (linesSoFar <= maxLinesPerStatus) {
        shown.push([customer, dimension, word(status), records, units])
        continue
      }
      const more = rest.get(status) ?? { lines: 0, records: 0, units: 0 }
      rest.set(status, {
        lines: more.lines + 1,
        records: more.records + records,
        units: more.units + units
      })
    }
    const more = [...rest].map(([status, { lines, records, units }]) => [
      `and ${lines.toLocaleString("en-US")} more`,
      "",
      word(status),
      records,
      units
    ])
    return table(["customer", "dimension", "status", "records", "units"], [...shown, ...more])
  }

  return {
    add,
    show,
    get total() {
      return total
    },
    count: (status: RowStatus) => counts.get(status) ?? 0,
    /** By status, those that occurred. */
    counts: () => Object.fromEntries(counts) as { readonly [S in RowStatus]?: number }
  }
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
