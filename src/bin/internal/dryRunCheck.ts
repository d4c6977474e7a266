/** The check of a dry run of `submit`: finds accepted rows that the service would not bill as they are. */
import * as DateTime from "effect/DateTime"
import { splitOf } from "../../sandbox/internal/operations/recordUsage.js"
import { UsageRecord } from "../../UsageRecord.js"
import { acceptedKey, digest } from "./repeatedRows.js"
import type { RowOutcome } from "./rowOutcome.js"
import type { RowResult } from "./submitRows.js"

/** Maximum time that a usage timestamp may be ahead of the service's clock, in milliseconds. */
const maxFutureMillis = 5 * 60_000

interface FirstRow {
  readonly line: number
  readonly quantity: number
  /** A digest that does not depend on the order of the allocations. Empty without allocations. */
  readonly allocations: string
}

interface CheckOptions {
  readonly productCode: string | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * Makes a function that replaces the outcome of an accepted row if its usage is in the future, or if an earlier row has
 * another quantity or allocation for the same customer, product or license, dimension and hour. A row that equals the
 * earlier one is marked as repeated. Remembers the first row of each key, in about 175 bytes.
 */
export const make = ({ now, productCode }: CheckOptions) => {
  const firstRows = new Map<string, FirstRow>()

  return (result: RowResult): RowResult => {
    const { record, row } = result
    const key = acceptedKey(result, productCode)
    if (key === undefined || !(record instanceof UsageRecord)) return result
    if (record.timestamp.epochMillis - now() > maxFutureMillis) {
      return { ...result, outcome: futureOutcome(record) }
    }
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
  reason: `${DateTime.formatIso(timestamp)} is in the future. Submit it after that time.`
})

const duplicateOf = ({ line, quantity }: FirstRow): RowOutcome => ({
  status: "Duplicate",
  reason: `Line ${line} has a quantity of ${quantity} for the same customer, dimension and hour. Only one of them is billed: add them up.`
})
