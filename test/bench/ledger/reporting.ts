/** Records per second through the reporter, against a client in this process that accepts everything at once. */
import { join } from "node:path"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import { BatchMeterUsageResponse } from "effect-marketplace-metering/BatchMeterUsage"
import {
  SqliteLedgerStore,
  UsageLedgerStore,
  UsageReporter
} from "effect-marketplace-metering/ledger"
import { MeteringClient, type Service } from "effect-marketplace-metering/MeteringClient"
import { type UsageRecord, UsageRecordResult } from "effect-marketplace-metering/UsageRecord"
import { withFolder } from "./folder.js"
import type { Options } from "./options.js"
import { makeTable, print, type Row, whole } from "./table.js"
import { dimensionOf, makeId, openLedger, subscriptionOf } from "./usage.js"

/** Dimensions of the product. */
const dimensions = 50

/** Calls per second and records per call that AWS accepts. */
const quota = { calls: 10, records: 25 }

const notUsed = () => Effect.dieMessage("only BatchMeterUsage is used")

/** Accepts everything. `onRecords` is called with the records of each call. */
const makeClient = (onRecords: (count: number) => void): Service => ({
  meterUsage: notUsed,
  meterUsageDryRun: notUsed,
  registerUsage: notUsed,
  resolveCustomer: notUsed,
  batchMeterUsage: ({ usageRecords }) =>
    Effect.sync(() => {
      if (usageRecords.length > 0) onRecords(usageRecords.length)
      return new BatchMeterUsageResponse({
        requestId: makeId("random"),
        results: usageRecords.map(
          (record) =>
            new UsageRecordResult({
              usageRecord: record as UsageRecord,
              meteringRecordId: makeId("random"),
              status: "Success"
            })
        )
      })
    })
})

const measureStore = <E>(
  name: string,
  store: Layer.Layer<UsageLedgerStore.UsageLedgerStore, E>,
  records: number
) =>
  Effect.gen(function* () {
    const customers = Math.ceil(records / dimensions)
    const { context, ledger } = yield* openLedger(store, { customers, dimensions })
    const at = DateTime.subtract(yield* DateTime.now, { hours: 1 })
    const results = yield* ledger.recordAll(
      Array.from({ length: records }, (_, i) => ({
        id: makeId("ordered"),
        subscription: subscriptionOf(i % customers),
        dimension: dimensionOf(Math.floor(i / customers)),
        quantity: 1 + (i % 1_000),
        at
      }))
    )
    const failed = results.find(Either.isLeft)
    if (failed !== undefined) return yield* Effect.die(failed.left)

    let calls = 0
    let firstCall = 0
    const reporter = yield* UsageReporter.make({
      sealAfter: 0,
      rate: Number.POSITIVE_INFINITY
    }).pipe(
      Effect.provideService(
        UsageLedgerStore.UsageLedgerStore,
        Context.get(context, UsageLedgerStore.UsageLedgerStore)
      ),
      Effect.provideService(
        MeteringClient,
        makeClient(() => {
          calls += 1
          if (calls === 1) firstCall = performance.now()
        })
      )
    )
    const cpuBefore = process.cpuUsage()
    const start = performance.now()
    const { accepted, sealed } = yield* reporter.report
    const end = performance.now()
    const { system, user } = process.cpuUsage(cpuBefore)
    if (accepted !== records || sealed !== records) {
      return yield* Effect.dieMessage(`${sealed} records were sealed and ${accepted} accepted`)
    }
    return {
      reporting: name,
      "sealed/s": whole((records * 1_000) / (firstCall - start)),
      "sent/s": whole((records * 1_000) / (end - firstCall)),
      "calls/s": whole((calls * 1_000) / (end - firstCall)),
      "records/s": whole((records * 1_000) / (end - start)),
      "of the quota": `${whole((records * 1_000) / (end - start) / (quota.calls * quota.records))} x`,
      "CPU a record": `${((user + system) / records).toFixed(0)} µs`
    } satisfies Row
  })

export const reporting = ({ drivers, folder, records }: Options): Effect.Effect<void, unknown> =>
  withFolder(folder, (path) =>
    Effect.gen(function* () {
      const [driver] = drivers
      if (driver === undefined) return print("reporting needs a driver for SQLite")
      const store = SqliteLedgerStore.layer({ file: join(path, "ledger.db"), driver })
      makeTable()(yield* measureStore(`SQLite, ${driver}`, store, records))
      print(
        `\nThe limit of calls per second is lifted. In practice the quota of AWS binds: ${quota.calls} calls per second with ${quota.records} records each.\n`
      )
    })
  )
