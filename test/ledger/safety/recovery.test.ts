import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { InvalidUsageDimensionException } from "effect-marketplace-metering/MeteringError"
import {
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  setTime
} from "../support/ledgerTest.js"
import { stubService } from "../support/stubService.js"

const rejection = new InvalidUsageDimensionException({ operation: "BatchMeterUsage" })

describe("after a recovery", () => {
  for (const reply of ["unprocessed", "CustomerNotSubscribed", rejection])
    it.scoped(
      `a record whose last reply is ${typeof reply === "string" ? reply : reply._tag} is in doubt, and is not carried forward`,
      () =>
        Effect.gen(function* () {
          const { ledger, store } = yield* makeSubscribed()
          const service = stubService()
          const reporter = yield* makeReporter(store, service)
          yield* ledger.record({
            ...{ id: "1", subscription: "a", dimension: "calls", quantity: 3 },
            at: minutesLater(-60)
          })
          service.reply = () => reply
          yield* setTime("2026-11-24T10:10:00Z")
          yield* passing(reporter.report)
          // the lost database may have had it accepted
          yield* ledger.operator.recover
          yield* setTime("2026-11-25T12:00:00Z")
          yield* passing(reporter.report)
          const { counts } = yield* ledger.status
          assert.deepStrictEqual(
            counts.map(({ state }) => state),
            ["inDoubt"]
          )
          const states = ["expired", "notSubscribed", "rejected"] as const
          assert.strictEqual(yield* ledger.operator.carryForward({ states }), 0)
        })
    )
})
