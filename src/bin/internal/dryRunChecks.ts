/** Losses that a dry run can tell of: usage that the service would certainly not bill as the file has it. */
import * as DateTime from "effect/DateTime"
import { splitOf } from "../../sandbox/internal/operations/recordUsage.js"
import { UsageRecord } from "../../UsageRecord.js"
import { acceptedKey, digest } from "./repeatedRows.js"
import type { RowOutcome } from "./rowOutcome.js"
import type { RowResult } from "./submitRows.js"

/** Usage may be as far ahead of the service's clock, in milliseconds. */
const maxFutureMillis = 5 * 60_000

interface FirstRow {
  readonly line: number
  readonly quantity: number
  /** Of all orders of the same allocations the same. */
  readonly allocations: string
}

export interface Options {
  readonly productCode: string | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * Looks at the rows that a dry run accepts. Of each customer, product or licence, dimension and hour the first row is
 * remembered, which takes about 175 bytes.
 */
export const make = ({ now, productCode }: Options) => {
  const firstRows = new Map<string, FirstRow>()

  /** The same, or with what is foreseen of it. */
  return (result: RowResult): RowResult => {
    const { record, row } = result
    const key = acceptedKey(result, productCode)
    if (key === undefined || !(record instanceof UsageRecord)) return result
    const ahead = record.timestamp.epochMillis - now()
    if (ahead > maxFutureMillis) return { ...result, outcome: futureOutcome(record) }
    const { quantity = 0, usageAllocations } = record
    const allocations = usageAllocations === undefined ? "" : digest(splitOf(usageAllocations))
    const first = firstRows.get(key)
    if (first === undefined) {
      firstRows.set(key, { line: row.line, quantity, allocations })
      return result
    }
    return first.quantity === quantity && first.allocations === allocations
      ? { ...result, isRepeated: true }
      : { ...result, outcome: duplicateOf(first) }
  }
}

const futureOutcome = ({ timestamp }: UsageRecord): RowOutcome => ({
  status: "Rejected",
  reason: `${DateTime.formatIso(timestamp)} is in the future. Submit it once that time has come.`
})

const duplicateOf = ({ line, quantity }: FirstRow): RowOutcome => ({
  status: "Duplicate",
  reason: `Line ${line} has a quantity of ${quantity} for the same customer, dimension and hour. Only one of them is billed: add them up.`
})
