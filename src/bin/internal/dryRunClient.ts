/** The client of a dry run of `submit`: it sends nothing, accepts every record, and counts the calls. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import { MeteringClient } from "../../MeteringClient.js"

/** The calls that a submission would make for one product, and the records in them. */
export interface ProductCalls {
  calls: number
  records: number
}

/**
 * Makes a layer whose client accepts every record, and the counts of its calls by product code. Records with a license are
 * counted under `undefined`, because their calls have no product code.
 */
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
  return { layer, callsByProduct }
}
