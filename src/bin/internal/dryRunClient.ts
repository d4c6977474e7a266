/** A client that sends nothing and accepts everything: it only counts the calls that would be made. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import { MeteringClient } from "../../MeteringClient.js"

export interface ProductCalls {
  calls: number
  records: number
}

/** The calls by product, or by `undefined` where the records name theirs by a licence. */
export const make = () => {
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
  return {
    layer,
    callsByProduct: callsByProduct as ReadonlyMap<string | undefined, Readonly<ProductCalls>>
  }
}
