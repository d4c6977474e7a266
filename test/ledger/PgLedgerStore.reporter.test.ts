import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"
import { initialize } from "../../src/ledger/internal/transactions/initialize.js"
import { subscribe } from "../../src/ledger/internal/transactions/subscribe.js"
import { Postgres } from "../support/postgres.js"
import {
  account,
  billedOf,
  entriesOf,
  hour,
  makeReporter,
  otherAccount,
  products,
  record,
  start,
  subscriptions,
  withSandbox
} from "./ledgerSupport.js"

layer(Postgres.layer)("two processes on PostgreSQL", (it) => {
  it.scoped("bill each hour once, whichever reports", () =>
    Effect.gen(function* () {
      const { createDatabase } = yield* Postgres
      const url = yield* createDatabase
      const makeStore = Effect.map(PgLedgerStore.make({ url }), (store) => ({
        ...store,
        // the server does not follow the clock of the test
        clock: undefined
      }))
      const stores = yield* Effect.all([makeStore, makeStore])
      const billed = withSandbox((time) =>
        Effect.scoped(
          Effect.gen(function* () {
            for (const store of stores) {
              yield* initialize(
                store,
                { seller: "acme", target: "sandbox", products },
                "incarnation-1"
              )
              for (const one of subscriptions) yield* subscribe(store, one, start)
            }
            const reporters = yield* Effect.forEach(stores, (store, i) =>
              makeReporter(store, { worker: `worker-${i}` })
            )
            for (let h = 0; h < 3; h++) {
              for (const [i, store] of stores.entries()) {
                yield* record(store, `analytics-${account}`, "calls", start + h * hour + i, 2 + h)
                yield* record(store, `search-${otherAccount}`, "queries", start + h * hour + i, 5)
                yield* record(store, `analytics-${otherAccount}`, "gb", start + h * hour + i, 750)
              }
              yield* Effect.sync(() => time.set((h + 1) * hour + 10 * 60_000))
              yield* Effect.forEach(reporters, ({ report }) => report, { concurrency: 2 })
            }
            return [yield* billedOf, yield* Effect.forEach(stores, entriesOf)] as const
          })
        )
      )
      const [usage, [first, second]] = yield* billed
      assert.deepEqual(usage, [
        ...[4, 6, 8].map((quantity, h) => `${account} calls ${10 + h} ${quantity}`),
        ...[1, 2, 1].map((quantity, h) => `${otherAccount} gb ${10 + h} ${quantity}`),
        ...[10, 11, 12].map((h) => `${otherAccount} queries ${h} 10`)
      ])
      assert.deepEqual(first, second)
      assert.strictEqual(first?.filter((entry) => entry.includes(" accepted ")).length, 9)
      const [store] = stores
      const totals = yield* store.snapshot((tables) => tables.keyTotals(undefined, 100))
      for (const { key, recorded, open, billed: units, carry, rounding } of totals) {
        assert.strictEqual(recorded, open + units * 10n ** BigInt(key.scale) + carry - rounding)
      }
      const { differences } = yield* store.snapshot((tables) => tables.verifySums(undefined, 100))
      assert.deepEqual(differences, [])
    })
  )
})
