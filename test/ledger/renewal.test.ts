/** Renewals: a subscription that follows another, within an hour or at its end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  makeReporter,
  makeSubscribed,
  minutesLater,
  setTime,
  subscription,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1 }

/** A ledger at 10:00 with a reporter. */
const prepare = Effect.gen(function* () {
  const made = yield* makeSubscribed()
  return { ...made, reporter: yield* makeReporter(made.store, stubService()) }
})

describe("a subscription that follows another", () => {
  const renewal = { ...subscription, id: "b", follows: "a" }

  it.scoped("goes on to take usage of the hour in which the first ends", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare
      yield* ledger.subscribe({ ...renewal, from: time("2026-11-24T10:30:00Z") })
      yield* ledger.record(calls)
      yield* setTime("2026-11-24T10:31:00Z")
      assert.deepInclude(yield* reporter.report, { sealed: 0 })
      assert.deepInclude(yield* ledger.record({ ...calls, subscription: "b" }), {
        _tag: "Recorded"
      })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 2"])
    })
  )

  it.scoped("has each of its hours open until it is over", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare
      yield* ledger.record(calls)
      yield* ledger.subscribe({ ...renewal, from: time("2026-11-24T11:00:00Z") })
      yield* setTime("2026-11-24T11:20:00Z")
      yield* ledger.record({ ...calls, subscription: "b" })
      assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
      assert.deepInclude(yield* ledger.record({ ...calls, subscription: "b" }), {
        _tag: "Recorded"
      })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 accepted 1", "a calls 11 open 2"])
    })
  )

  it.scoped("has the hours of a closed one before it sealed at once", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare
      yield* ledger.record({ ...calls, at: minutesLater(-30) })
      yield* ledger.subscribe({ ...renewal, from: time("2026-11-24T10:02:00Z") })
      yield* setTime("2026-11-24T10:03:00Z")
      yield* ledger.close("a")
      yield* ledger.record({ ...calls, subscription: "b" })
      assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 accepted 1", "a calls 10 open 1"])
    })
  )
})
