/** Results of calls, and corrections after them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { MemoryLedgerStore, type UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { addResults } from "../../src/ledger/internal/transactions/send.js"
import { at, entriesOf, products, start } from "./ledgerSupport.js"
import { record } from "./rows.js"
import { withWorld } from "./support/ledgerWorld.js"
import { newFile, open } from "./support/sqliteFile.js"
import { addKey } from "./support/storeTest.js"

const stores = {
  memory: Effect.sync(MemoryLedgerStore.make),
  sqlite: Effect.flatMap(newFile, (file) => open(file))
}

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
        const none = { judged: [], isHalted: false }
        // a lost timeline had a call 1 with the record
        assert.deepStrictEqual(yield* add(1, "w", start), none)
        const first = yield* store.transaction((tables) => tables.addCall(call, [id]))
        assert.strictEqual(first, 1)
        assert.deepStrictEqual(yield* add(1, "w", start - 1), none)
        assert.deepStrictEqual(yield* add(1, "v", start), none)
        const evidence = yield* store.snapshot((tables) => tables.evidence([id]))
        assert.deepStrictEqual(evidence[0]?.results, [])
        assert.deepStrictEqual((yield* add(1, "w", start)).judged, [
          { record: id, was: "sealed", state: "accepted" }
        ])
      })
    )
  }
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
