/** A client that sends nothing and accepts everything: it only counts the calls that would be made. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import { MeteringClient } from "../../MeteringClient.js"

export interface Packed {
  calls: number
  records: number
}

/** The calls by product, or by `undefined` where the records name theirs by a licence. */
export const make = () => {
  const packed = new Map<string | undefined, Packed>()
  const notPartOfIt = () => Effect.dieMessage("A submission makes no such call.")
  const layer = Layer.succeed(MeteringClient, {
    batchMeterUsage: ({ productCode, usageRecords }) =>
      Effect.sync(() => {
        const product = packed.get(productCode) ?? { calls: 0, records: 0 }
        packed.set(productCode, product)
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
    meterUsage: notPartOfIt,
    meterUsageDryRun: notPartOfIt,
    registerUsage: notPartOfIt,
    resolveCustomer: notPartOfIt
  })
  return { layer, packed: packed as ReadonlyMap<string | undefined, Readonly<Packed>> }
}
