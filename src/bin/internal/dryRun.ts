/** Dry runs of a submission: a client that only counts calls, and checks of usage that the service would not bill. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import { MeteringClient } from "../../MeteringClient.js"
import { splitOf } from "../../sandbox/internal/operations/recordUsage.js"
import { UsageRecord } from "../../UsageRecord.js"
import { acceptedKey, digest } from "./repeatedRows.js"
import type { RowOutcome } from "./rowOutcome.js"
import type { RowResult } from "./submitRows.js"

export interface ProductCalls {
  calls: number
  records: number
}

/** A client that accepts everything. Counts calls by product code, or `undefined` for records with a license. */
export const makeClient = () => {
  const callsByProduct = new Map<string | undefined, ProductCalls>()
  const notSupported = () => Effect.dieMessage("A submission makes no such call.")
  const layer = Layer.succeed(MeteringClient, {
    batchMeterUsage: ({ productCode, usageRecords }) =>
      Effect.sync(() => {
        const product = callsByProduct.get(productCode) ?? { calls: 0, records: 0 }
        callsByProduct.set(productCode, product)
        product.calls += 1
        product.records += usageRecords.length
        return new BatchMeterUsage.BatchMeterUsageResponse(
          {
            results: usageRecords.map((usageRecord) => ({ usageRecord, status: "Success" })),
            unprocessedRecords: []
          } as never,
          true
        )
      }),
    meterUsage: notSupported,
    meterUsageDryRun: notSupported,
    registerUsage: notSupported,
    resolveCustomer: notSupported
  })
  return { layer, callsByProduct }
}

/** Milliseconds that usage may be ahead of the service's clock. */
const maxFutureMillis = 5 * 60_000

interface FirstRow {
  readonly line: number
  readonly quantity: number
  /** The same for every order of the same allocations. */
  readonly allocations: string
}

interface CheckOptions {
  readonly productCode: string | undefined
  /** Epoch milliseconds. */
  readonly now: () => number
}

/**
 * Checks accepted rows for usage in the future and for duplicates. Remembers the first row of each customer, product or
 * license, dimension and hour, in about 175 bytes.
 */
export const makeCheck = ({ now, productCode }: CheckOptions) => {
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
