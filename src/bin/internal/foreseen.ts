/** Losses that a dry run can tell of: usage that the service would certainly not bill as the file has it. */
import { createHash } from "node:crypto"
import * as DateTime from "effect/DateTime"
import { keyOf } from "../../internal/submission/key.js"
import { UsageRecord } from "../../UsageRecord.js"
import type { Settled } from "./submitRows.js"
import type { Verdict } from "./verdict.js"

/** Usage may be as far ahead of the service's clock, in milliseconds. */
const aheadAtMost = 5 * 60_000

interface First {
  readonly line: number
  readonly quantity: number
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
  let repeated = 0

  const verdictOf = (record: UsageRecord, product: string | undefined, line: number) => {
    const ahead = record.timestamp.epochMillis - now()
    if (ahead > aheadAtMost) return inFuture(record)
    const key = digest(keyOf(record, product))
    const { quantity = 0, usageAllocations } = record
    const allocations =
      usageAllocations === undefined ? "" : digest(JSON.stringify(usageAllocations))
    const first = firsts.get(key)
    if (first === undefined) {
      firsts.set(key, { line, quantity, allocations })
      return undefined
    }
    if (first.quantity !== quantity || first.allocations !== allocations) return secondTo(first)
    repeated += 1
    return undefined
  }

  return {
    /** The same, or with what is foreseen of it. */
    look: (settled: Settled): Settled => {
      const { record, row, verdict } = settled
      if (verdict.status !== "Accepted" || !(record instanceof UsageRecord)) return settled
      const content = row.content._tag === "Right" ? row.content.right : undefined
      const foreseen = verdictOf(record, content?.productCode ?? productCode, row.line)
      return foreseen === undefined ? settled : { ...settled, verdict: foreseen }
    },
    /** Rows that say the same as an earlier one. */
    repeated: () => repeated
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest("base64").slice(0, 24)

const inFuture = ({ timestamp }: UsageRecord): Verdict => ({
  status: "Rejected",
  reason: `${DateTime.formatIso(timestamp)} is in the future. Submit it once that time has come.`
})

const secondTo = ({ line, quantity }: First): Verdict => ({
  status: "Duplicate",
  reason: `Line ${line} has a quantity of ${quantity} for the same customer, dimension and hour. Only one of them is billed: add them up.`
})
