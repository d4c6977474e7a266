/** Results of calls, and corrections after them. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Logger, LogLevel } from "effect"
import {
  LedgerError,
  MemoryLedgerStore,
  type UsageLedgerStore
} from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { lease } from "../../src/ledger/internal/transactions/lease.js"
import { addResults } from "../../src/ledger/internal/transactions/send.js"
import {
  account,
  at,
  entriesOf,
  makeReporter,
  products,
  record as recordUsage,
  start
} from "./ledgerSupport.js"
import { record } from "./rows.js"
import { withWorld } from "./support/ledgerWorld.js"
import { newFile, open } from "./support/sqliteFile.js"
import { addKey } from "./support/storeTest.js"

const stores = {
  memory: Effect.sync(MemoryLedgerStore.make),
  sqlite: Effect.flatMap(newFile, (file) => open(file))
}

/** Gives the lease to another worker. */
const takeLease = (store: UsageLedgerStore.Service) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    lease(store, {
      region: "us-east-1",
      worker: "another",
      now,
      duration: 600_000,
      sealAfter: 600_000,
      seen: undefined
    })
  )

describe("a result", () => {
  for (const [name, make] of Object.entries(stores)) {
    it.scoped(`of a call that the ledger has not stored is left out (${name})`, () =>
      Effect.gen(function* () {
        const store: UsageLedgerStore.Service = yield* make
        const key = yield* addKey(store)
        const [row] = yield* store.transaction((tables) =>
          Effect.gen(function* () {
            yield* tables.ensureEntries([{ key, hour: 1 }], start)
            yield* tables.sealEntries([{ key, hour: 1, rounding: 0n }])
            return yield* tables.addRecords([record({ key, deadline: 1e15 })])
          })
        )
        const id = row?.id ?? 0
        const call = { region: "r", fence: 1, worker: "w", sentAt: start }
        const success = { record: id, result: "success", meteringRecordId: "old" } as const
        const now = start
        const add = (call: number, worker: string, sentAt: number) =>
          addResults(store, { call, now, results: [success], sentBy: { worker, sentAt } })
        const none = { states: [], isHalted: false }
        // a lost timeline had a call 1 with the record
        assert.deepStrictEqual(yield* add(1, "w", start), none)
        const first = yield* store.transaction((tables) => tables.addCall(call, [id]))
        assert.strictEqual(first, 1)
        assert.deepStrictEqual(yield* add(1, "w", start - 1), none)
        assert.deepStrictEqual(yield* add(1, "v", start), none)
        const attempts = yield* store.snapshot((tables) => tables.attempts([id]))
        assert.deepStrictEqual(attempts[0]?.results, [])
        assert.deepStrictEqual((yield* add(1, "w", start)).states, [
          { record: id, was: "sealed", state: "accepted" }
        ])
      })
    )
  }
})

describe("results that cannot be stored", () => {
  it.effect("are stored when the store is back, although another worker has the lease", () =>
    withWorld(({ setTo, store }) =>
      Effect.gen(function* () {
        yield* recordUsage(store, `analytics-${account}`, "calls", start, 3)
        yield* setTo(71)
        const client = yield* MeteringClient
        let isAway = false
        const failing: UsageLedgerStore.Service = {
          ...store,
          transaction: (body) =>
            Effect.suspend(() =>
              isAway
                ? Effect.fail(
                    new LedgerError.LedgerUnavailable({ reason: "planted", isStored: "no" })
                  )
                : store.transaction(body)
            )
        }
        const { report } = yield* makeReporter(failing).pipe(
          Effect.provideService(MeteringClient, {
            ...client,
            batchMeterUsage: (request) =>
              Effect.tap(client.batchMeterUsage(request), () =>
                Effect.sync(() => {
                  isAway = request.usageRecords.length > 0
                })
              )
          })
        )
        yield* Effect.either(report)
        const before = yield* store.snapshot((tables) => tables.attempts([1]))
        assert.deepStrictEqual(before[0]?.results, [])
        isAway = false
        yield* Effect.sleep("5 minutes")
        yield* takeLease(store)
        assert.strictEqual((yield* report).lease, "other")
        assert.deepStrictEqual(yield* entriesOf(store), [
          `analytics-${account} calls 10 accepted 3`
        ])
      }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))
    )
  )
})

describe("a correction", () => {
  it.effect("to less does not take usage from another hour if its own was not billed", () =>
    withWorld(
      ({ ledger, report, setTo, store, subscribe }) =>
        Effect.gen(function* () {
          // the sandbox does not know the account
          yield* subscribe("unknown", -60)
          const usage = { subscription: "unknown", dimension: "calls", at: at(start) }
          yield* ledger.record({ ...usage, id: "event", quantity: 100 })
          yield* setTo(71)
          yield* report
          const correct = (quantity: number) =>
            ledger.adjust({ event: "event", quantity, reason: "counted wrongly" })
          const error = yield* Effect.flip(correct(40))
          assert.deepInclude(error, { _tag: "InvalidEvent", field: "quantity" })
          assert.strictEqual((yield* correct(120))._tag, "Carried")
          assert.deepStrictEqual(yield* entriesOf(store), [
            "unknown calls 10 notSubscribed 100",
            "unknown calls 11 open 20"
          ])
        }),
      { products: { analytics: { ...products.analytics, late: "carry" } as never } }
    )
  )
})
