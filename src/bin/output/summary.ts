/** Sums of records and units, by customer, dimension and status. */
import * as Arr from "effect/Array"
import * as Order from "effect/Order"
import { type RowStatus, statusLabels } from "../internal/rowOutcome.js"
import { formatCount } from "./format.js"
import { table } from "./table.js"

interface SummaryLine {
  readonly customer: string
  readonly dimension: string
  readonly status: RowStatus
  records: number
  units: number
}

/** The fields of a record that the summary reads, before they are validated. */
export interface UncheckedUsage {
  readonly customerAWSAccountId?: unknown
  readonly customerIdentifier?: unknown
  readonly dimension?: unknown
  readonly quantity?: unknown
}

/** Maximum number of lines per status. The rest are added up in one line. */
const maxLinesPerStatus = 40

const byKey = Order.mapInput(
  Order.array(Order.string),
  ({ customer, dimension, status }: SummaryLine) => [customer, dimension, status]
)

/** Makes a summary. If `isDetailed` is false, it only counts records by status, so that memory does not grow with the customers. */
export const make = (isDetailed: boolean) => {
  const sums = new Map<string, SummaryLine>()
  const counts = new Map<RowStatus, number>()
  let total = 0

  /** Adds a record. The units of a repeated row are not added, because it is billed once. */
  const add = (record: UncheckedUsage | undefined, status: RowStatus, isRepeated = false) => {
    counts.set(status, (counts.get(status) ?? 0) + 1)
    total += 1
    if (!isDetailed) return
    const customer = String(record?.customerAWSAccountId ?? record?.customerIdentifier ?? "?")
    const dimension = String(record?.dimension ?? "?")
    const key = JSON.stringify([customer, dimension, status])
    const sum = sums.get(key) ?? { customer, dimension, status, records: 0, units: 0 }
    sum.records += 1
    if (typeof record?.quantity === "number" && !isRepeated) sum.units += record.quantity
    sums.set(key, sum)
  }

  /** Formats the sums as a table, with `accepted` as the label of accepted records. */
  const format = (accepted: string): string => {
    const labels = { ...statusLabels, Accepted: accepted }
    const sorted = Arr.sort(sums.values(), byKey)
    const byStatus = Object.values(Arr.groupBy(sorted, ({ status }) => status))
    const shown = new Set(byStatus.flatMap((lines) => lines.slice(0, maxLinesPerStatus)))
    const cells = sorted
      .filter((line) => shown.has(line))
      .map((line) => [line.customer, line.dimension, labels[line.status], line.records, line.units])
    const more = byStatus.flatMap((lines) => {
      const hidden = lines.slice(maxLinesPerStatus)
      if (hidden.length === 0) return []
      const records = hidden.reduce((sum, line) => sum + line.records, 0)
      const units = hidden.reduce((sum, line) => sum + line.units, 0)
      return [
        [`and ${formatCount(hidden.length)} more`, "", labels[lines[0].status], records, units]
      ]
    })
    return table(["customer", "dimension", "status", "records", "units"], [...cells, ...more])
  }

  return {
    add,
    format,
    total: () => total,
    count: (status: RowStatus) => counts.get(status) ?? 0,
    /** The number of records by status, without statuses that did not occur. */
    counts: () => Object.fromEntries(counts) as { readonly [S in RowStatus]?: number }
  }
}
