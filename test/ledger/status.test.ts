/** The counts of a ledger that grows old, and rounds beside their reading. */
import { assert, it } from "@effect/vitest"
import { Effect, Logger, LogLevel } from "effect"
import type { UsageLedgerStore } from "effect-marketplace-metering/ledger"
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

const readings: ReadonlyArray<readonly [string, Effect.Effect<never>]> = [
  ["does not end", Effect.never],
  ["ends by a defect", Effect.dieMessage("planted")]
]
for (const [ends, reading] of readings) {
  it.effect(`rounds are made while a reading of the counts ${ends}`, () =>
    withWorld(({ setTo, store }) =>
      Effect.gen(function* () {
        yield* support.record(store, `analytics-${account}`, "calls", start, 3)
        yield* support.record(store, `analytics-${account}`, "calls", start + support.hour, 4)
        const failing: UsageLedgerStore.Service = {
          ...store,
          snapshot: (body) =>
            Effect.suspend(() => {
              let isCounting = false
              const seen = store.snapshot((tables) =>
                body({
                  ...tables,
                  stateCounts: (hour) => {
                    isCounting = true
                    return tables.stateCounts(hour)
                  }
                })
              )
              return Effect.flatMap(seen, (value) => (isCounting ? reading : Effect.succeed(value)))
            })
        }
        const { report } = yield* support.makeReporter(failing)
        yield* setTo(71)
        assert.deepInclude(yield* report, { sealed: 1, accepted: 1 })
        yield* setTo(131)
        assert.deepInclude(yield* report, { sealed: 1, accepted: 1 })
      }).pipe(Effect.timeout("3 hours"), Logger.withMinimumLogLevel(LogLevel.None))
    )
  )
}
