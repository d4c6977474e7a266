/** The counts of a ledger that grows old. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as support from "./ledgerSupport.js"
import { withWorld } from "./support/ledgerWorld.js"

const { account, start } = support

it.effect("status counts accepted entries of the last 48 hours, and failed ones of any age", () =>
  withWorld(({ ledger, report, setTo, store }) =>
    Effect.gen(function* () {
      const counts = Effect.map(ledger.status, ({ counts }) =>
        counts.map(({ count, state }) => `${state} ${count}`)
      )
      yield* support.record(store, `analytics-${account}`, "calls", start, 3)
      yield* support.record(store, `search-${account}`, "queries", start - 30 * support.hour, 3)
      yield* setTo(71)
      // the deadline of the older one has passed when it is sealed
      yield* report
      yield* report
      assert.deepStrictEqual(yield* counts, ["accepted 1", "expired 1"])
      yield* setTo(49 * 60 - 1)
      assert.deepStrictEqual(yield* counts, ["accepted 1", "expired 1"])
      yield* setTo(49 * 60)
      assert.deepStrictEqual(yield* counts, ["expired 1"])
    })
  )
)
