/** The times at which an hour is sealed, by the clock of the test. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  assertVerified,
  makeReporter,
  makeSubscribed,
  minutesLater,
  setTime,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1 }
const gb = { subscription: "a", dimension: "gb", quantity: "0.5" }

/** A ledger at 10:00 with a reporter. */
const prepare = (options: Parameters<typeof makeReporter>[2] = {}) =>
  Effect.gen(function* () {
    const made = yield* makeSubscribed()
    const service = stubService()
    return { ...made, service, reporter: yield* makeReporter(made.store, service, options) }
  })

describe("an hour", () => {
  for (const [title, options, open, sealed] of [
    ["10 minutes after its end", {}, "11:09:59.999", "11:10:00"],
    ["sealAfter its end", { sealAfter: "1 minute" }, "11:00:59.999", "11:01:00"],
    ["at once with sealAfter 0", { sealAfter: 0 }, "10:59:59.999", "11:00:00"]
  ] as const) {
    it.scoped(`is sealed ${title}`, () =>
      Effect.gen(function* () {
        const { ledger, reporter } = yield* prepare(options)
        yield* ledger.record(calls)
        yield* setTime(`2026-11-24T${open}Z`)
        assert.deepInclude(yield* reporter.report, { sealed: 0 })
        yield* setTime(`2026-11-24T${sealed}Z`)
        assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
      })
    )
  }

  it.scoped("begins with its first millisecond and ends with its last", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      yield* setTime("2026-11-24T11:30:00Z")
      for (const at of ["09:59:59.999", "10:00:00.000", "10:59:59.999", "11:00:00.000"]) {
        yield* ledger.record({ ...calls, at: time(`2026-11-24T${at}Z`) })
      }
      assert.deepEqual(yield* textsOf(ledger), [
        "a calls 09 open 1",
        "a calls 10 open 2",
        "a calls 11 open 1"
      ])
    })
  )

  it.scoped("before the last is sealed in the order of time, so that fractions go on", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare()
      for (const hours of [3, 1, 2]) {
        yield* ledger.record({ ...gb, at: minutesLater(-60 * hours) })
      }
      yield* reporter.report
      assert.deepEqual(yield* textsOf(ledger), [
        "a gb 07 zero 0.5",
        "a gb 08 accepted 0.5",
        "a gb 09 open 0.5"
      ])
      yield* setTime("2026-11-24T10:10:00Z")
      yield* reporter.report
      assert.deepEqual(yield* textsOf(ledger, { from: time("2026-11-24T09:00:00Z") }), [
        "a gb 09 zero 0.5"
      ])
      yield* assertVerified(ledger)
    })
  )
})

describe("the hour of closing", () => {
  it.scoped("is sealed at once, and again for each dimension until it is over", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare()
      yield* ledger.record(calls)
      yield* setTime("2026-11-24T10:30:00Z")
      assert.deepInclude(yield* reporter.report, { sealed: 0 })
      yield* ledger.close("a")
      assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
      assert.deepInclude(yield* reporter.report, { sealed: 0 })
      // usage before the end that comes late
      yield* setTime("2026-11-24T10:59:00Z")
      yield* ledger.record({ ...gb, at: time("2026-11-24T10:29:59.999Z") })
      assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 accepted 1", "a gb 10 accepted 0.5"])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("takes no usage of a sealed dimension, and none after the end", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare()
      yield* ledger.record(calls)
      yield* setTime("2026-11-24T10:30:00Z")
      yield* ledger.close("a")
      yield* reporter.report
      yield* setTime("2026-11-24T10:40:00Z")
      assert.deepInclude(
        yield* Effect.flip(ledger.record({ ...calls, at: time("2026-11-24T10:29:00Z") })),
        { _tag: "EventTooLate", reason: "sealed" }
      )
      assert.deepInclude(
        yield* Effect.flip(ledger.record({ ...gb, at: time("2026-11-24T10:30:00Z") })),
        { _tag: "UnknownSubscription", reason: "notActive" }
      )
    })
  )

  it.scoped("leaves the hours of other subscriptions open", () =>
    Effect.gen(function* () {
      const { ledger, reporter } = yield* prepare()
      yield* ledger.record(calls)
      yield* ledger.record({ ...calls, subscription: "s", dimension: "queries" })
      yield* setTime("2026-11-24T10:30:00Z")
      yield* ledger.close("a")
      assert.deepInclude(yield* reporter.report, { sealed: 1 })
      assert.include(yield* textsOf(ledger), "s queries 10 open 1")
    })
  )

  it.scoped("is rounded half up with what was carried to it", () =>
    Effect.gen(function* () {
      const { ledger, reporter, service } = yield* prepare()
      yield* ledger.record({ ...gb, quantity: "1.3", at: minutesLater(-60) })
      yield* setTime("2026-11-24T10:10:00Z")
      yield* reporter.report
      yield* ledger.record({ ...gb, quantity: "0.2" })
      yield* ledger.close("a", { at: time("2026-11-24T11:00:00Z") })
      yield* setTime("2026-11-24T10:30:00Z")
      yield* reporter.report
      assert.deepEqual(
        service.calls.flat().map(({ quantity }) => quantity),
        [1, 1]
      )
      yield* assertVerified(ledger)
      assert.deepEqual((yield* ledger.status).carry, [])
    })
  )
})
