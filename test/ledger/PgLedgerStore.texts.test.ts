/** Names that PostgreSQL cannot store are unknown or invalid there, as in any other store. */
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"
import { Postgres } from "../support/postgres.js"
import { entriesOf, makeSubscribed, minutesLater, subscription } from "./support/ledgerTest.js"

layer(Postgres.layer)("a name with NUL", (it) => {
  it.scoped("fails with a typed error, or finds nothing", () =>
    Effect.gen(function* () {
      const { createDatabase } = yield* Postgres
      const store = yield* PgLedgerStore.make({ url: yield* createDatabase })
      const { ledger } = yield* makeSubscribed({}, store)
      const name = "a\0b"
      assert.deepInclude(
        yield* Effect.flip(ledger.adjust({ event: name, quantity: 1, reason: "r" })),
        { _tag: "InvalidEvent", field: "event" }
      )
      assert.deepInclude(yield* Effect.flip(ledger.close(name)), { _tag: "UnknownSubscription" })
      assert.deepInclude(
        yield* Effect.flip(
          ledger.subscribe({ ...subscription, id: "b", follows: name, from: minutesLater(0) })
        ),
        { _tag: "InvalidEvent", field: "follows" }
      )
      assert.deepEqual(yield* entriesOf(ledger, { subscription: name }), [])
      assert.deepEqual(yield* entriesOf(ledger, { product: name }), [])
      assert.strictEqual(yield* ledger.operator.retry({ subscription: name }), 0)
    })
  )
})
