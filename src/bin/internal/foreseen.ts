/** Losses that a dry run can tell of: usage that the service would certainly not bill as the file has it. */
import * as DateTime from "effect/DateTime"
import { splitOf } from "../../sandbox/internal/metered.js"
import { UsageRecord } from "../../UsageRecord.js"
import { digest, keyOfAccepted } from "./repeated.js"
import type { Settled } from "./submitRows.js"
import type { Verdict } from "./verdict.js"

/** Usage may be as far ahead of the service's clock, in milliseconds. */
const aheadAtMost = 5 * 60_000

interface First {
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
  const firsts = new Map<string, First>()

  /** The same, or with what is foreseen of it. */
  return (settled: Settled): Settled => {
    const { record, row } = settled
    const key = keyOfAccepted(settled, productCode)
    if (key === undefined || !(record instanceof UsageRecord)) return settled
    const ahead = record.timestamp.epochMillis - now()
    if (ahead > aheadAtMost) return { ...settled, verdict: inFuture(record) }
    const { quantity = 0, usageAllocations } = record
    const allocations = usageAllocations === undefined ? "" : digest(splitOf(usageAllocations))
    const first = firsts.get(key)
    if (first === undefined) {
      firsts.set(key, { line: row.line, quantity, allocations })
      return settled
    }
    return first.quantity === quantity && first.allocations === allocations
      ? { ...settled, isRepeated: true }
      : { ...settled, verdict: secondTo(first) }
  }
}

const inFuture = ({ timestamp }: UsageRecord): Verdict => ({
  status: "Rejected",
  reason: `${DateTime.formatIso(timestamp)} is in the future. Submit it once that time has come.`
})

const secondTo = ({ line, quantity }: First): Verdict => ({
  status: "Duplicate",
  reason: `Line ${line} has a quantity of ${quantity} for the same customer, dimension and hour. Only one of them is billed: add them up.`
})
