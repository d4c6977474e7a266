/** Many records of one product, and an error that concerns all of it. */
import { Effect } from "effect"
import type { UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { UnknownServiceError } from "effect-marketplace-metering/MeteringError"
import { account, hour, start } from "../ledgerSupport.js"
import { event } from "../rows.js"

/** Stores usage of an hour, a record for each name, in their order. */
export const addRecords = (store: UsageLedgerStore.Service, names: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const keys = yield* store.transaction((tables) =>
      tables.addKeys(
        names.map((dimension) => ({
          ...{ lineage: `analytics-${account}`, dimension, scale: 0 },
          ...{ region: "us-east-1", product: "analytics" }
        }))
      )
    )
    yield* store.recordEvents(
      keys.map(({ id }) => event({ id: `event-${id}`, key: id, hour: start / hour, at: start })),
      start
    )
  })

export const namesOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}${index}`)

/** A code that no model has counts for the whole product. */
export const productError = new UnknownServiceError(
  {
    operation: "BatchMeterUsage",
    code: "AgreementSuspendedException",
    statusCode: 400,
    requestId: "sandbox-1"
  } as never,
  true
)
