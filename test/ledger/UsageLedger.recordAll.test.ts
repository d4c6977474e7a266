/** `recordAll` by itself, and both ways of recording on a store that fails. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { UsageLedger } from "effect-marketplace-metering/ledger"
import { failingStore } from "./support/failingStore.js"
import {
  assertVerified,
  makeSubscribed,
  minutesLater,
  passing,
  textsOf
} from "./support/ledgerTest.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1 }

const many = (count: number): ReadonlyArray<UsageLedger.Event> =>
  Array.from({ length: count }, (_, index) => ({ ...calls, id: `event-${index}` }))

const tagsOf = (
  results: ReadonlyArray<Either.Either<UsageLedger.Recorded, UsageLedger.EventError>>
) => results.map((result) => (Either.isRight(result) ? result.right._tag : result.left._tag))

describe("recordAll", () => {
  it.scoped("gives each event its own result, in the order given", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.record({ ...calls, id: "known" })
      const results = yield* ledger.recordAll([
        { ...calls, id: "new" },
        { ...calls, id: "known" },
        { ...calls, id: "known", quantity: 2 },
        { ...calls, id: "invalid", quantity: -1 },
        { ...calls, id: "ahead", at: minutesLater(6) },
        { ...calls, id: "old", at: minutesLater(-24 * 60) },
        { ...calls, id: "unknown", subscription: "none" },
        { ...calls, id: "last" }
      ])
      assert.deepEqual(tagsOf(results), [
        "Recorded",
        "AlreadyRecorded",
        "EventConflict",
        "InvalidEvent",
        "EventInFuture",
        "EventTooLate",
        "UnknownSubscription",
        "Recorded"
      ])
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 3"])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("compares events of one id with one another", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const results = yield* ledger.recordAll([
        { ...calls, id: "x", quantity: -1 },
        { ...calls, id: "x", quantity: 2 },
        { ...calls, id: "x", quantity: 2 },
        { ...calls, id: "x", quantity: 3 },
        { ...calls, id: "x", quantity: 2, dimension: "gb" }
      ])
      assert.deepEqual(tagsOf(results), [
        "InvalidEvent",
        "Recorded",
        "AlreadyRecorded",
        "EventConflict",
        "EventConflict"
      ])
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 2"])
    })
  )

  it.scoped("takes no events, and stores 2,500 in transactions of 1,000", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      assert.deepEqual(yield* ledger.recordAll([]), [])
      assert.deepEqual(failing.batches, [])
      const results = yield* ledger.recordAll(many(2_500))
      assert.deepEqual(new Set(tagsOf(results)), new Set(["Recorded"]))
      assert.deepEqual(failing.batches, [1_000, 1_000, 500])
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 2500"])
      assert.deepEqual(
        new Set(tagsOf(yield* ledger.recordAll(many(2_500)))),
        new Set(["AlreadyRecorded"])
      )
    })
  )

  it.scoped("keeps the ids that it made when the same effect runs again", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const events = [calls, calls, { ...calls, dimension: "gb" }]
      for (const effect of [
        ledger.recordAll(events),
        Effect.provideService(UsageLedger.recordAll(events), UsageLedger.UsageLedger, ledger)
      ]) {
        assert.deepEqual(tagsOf(yield* effect), ["Recorded", "Recorded", "Recorded"])
        yield* TestClock.adjust("2 minutes")
        assert.deepEqual(tagsOf(yield* effect), Array(3).fill("AlreadyRecorded"))
      }
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 4", "a gb 10 open 2"])
    })
  )
})

describe("a store that is not available", () => {
  for (const failure of ["no", "unknown"] as const) {
    it.scoped(`is tried again, and the event is recorded once (stored: ${failure})`, () =>
      Effect.gen(function* () {
        const failing = failingStore()
        const { ledger } = yield* makeSubscribed({}, failing.store)
        failing.failures.push(failure, failure, failure, failure)
        assert.deepInclude(yield* passing(ledger.record({ ...calls, id: "x" })), {
          _tag: failure === "no" ? "Recorded" : "AlreadyRecorded",
          id: "x"
        })
        assert.strictEqual(failing.batches.length, 5)
        assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 1"])
      })
    )

    it.scoped(`fails each event after 5 seconds, with its id (stored: ${failure})`, () =>
      Effect.gen(function* () {
        const failing = failingStore()
        const { ledger } = yield* makeSubscribed({}, failing.store)
        failing.failures.push(failure, "no", "no", "no", "no", "no")
        const fiber = yield* Effect.fork(Effect.flip(ledger.record({ ...calls, id: "x" })))
        yield* TestClock.adjust("5 seconds")
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* Fiber.join(fiber), {
          _tag: "LedgerUnavailable",
          reason: "simulated",
          isStored: failure,
          ids: ["x"]
        })
        assert.strictEqual(failing.batches.length, 5)
        // the intake goes on
        failing.failures.length = 0
        const again = yield* ledger.record({ ...calls, id: "x" })
        assert.strictEqual(again._tag, failure === "no" ? "Recorded" : "AlreadyRecorded")
      })
    )
  }

  it.scoped("fails recordAll as a whole, with all ids and what is known of them", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      const ids = many(3).map(({ id }) => id as string)
      failing.failures.push("no", "no", "no", "no", "no")
      assert.deepInclude(yield* passing(Effect.flip(ledger.recordAll(many(3)))), {
        _tag: "LedgerUnavailable",
        isStored: "no",
        ids
      })
      assert.deepEqual(yield* textsOf(ledger), [])
      // the second transaction fails: the first is stored
      failing.failures.push(...([undefined, "no", "no", "no", "no", "no"] as never[]))
      const error = yield* passing(Effect.flip(ledger.recordAll(many(1_001))))
      assert.deepInclude(error, { _tag: "LedgerUnavailable", isStored: "unknown" })
      assert.strictEqual(error.ids?.length, 1_001)
      const again = tagsOf(yield* ledger.recordAll(many(1_001)))
      assert.strictEqual(again.filter((tag) => tag === "AlreadyRecorded").length, 1_000)
      assert.strictEqual(again[1_000], "Recorded")
    })
  )

  it.scoped("fails an event whose subscription cannot be looked up", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      failing.isAway = true
      assert.deepInclude(yield* passing(Effect.flip(ledger.record({ ...calls, id: "x" }))), {
        _tag: "LedgerUnavailable",
        isStored: "no",
        ids: ["x"]
      })
      failing.isAway = false
      assert.deepInclude(yield* ledger.record({ ...calls, id: "x" }), { _tag: "Recorded" })
    })
  )
})
