/** Each metric is set by what it is about. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { LedgerMetrics } from "effect-marketplace-metering/ledger"
import { everyState } from "./support/everyState.js"
import { failingStore } from "./support/failingStore.js"
import {
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  setTime
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1 }

const gauge = (metric: Metric.Metric.Gauge<number>) =>
  Effect.map(Metric.value(metric), ({ value }) => value)

const eventsOf = (result: string) =>
  Effect.map(
    Metric.value(Metric.tagged(LedgerMetrics.events, "result", result)),
    ({ count }) => count
  )

/** How much a value grows while an effect runs. */
const growth = <A, E>(value: Effect.Effect<number>, effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const before = yield* value
    yield* effect
    return (yield* value) - before
  })

describe("LedgerMetrics", () => {
  it.scoped("counts events by their result", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      const record = (changes: object) => Effect.either(ledger.record({ ...calls, ...changes }))
      const away = Effect.suspend(() => {
        failing.failures.push("no", "no", "no", "no", "no")
        return passing(record({}))
      })
      for (const [result, effect] of [
        ["Recorded", record({ id: "1" })],
        ["AlreadyRecorded", record({ id: "1" })],
        ["EventConflict", record({ id: "1", quantity: 2 })],
        ["InvalidEvent", record({ quantity: -1 })],
        ["EventInFuture", record({ at: minutesLater(6) })],
        ["EventTooLate", record({ at: minutesLater(-24 * 60) })],
        ["UnknownSubscription", record({ subscription: "none" })],
        [
          "Carried",
          record({ subscription: "s", dimension: "queries", at: minutesLater(-24 * 60) })
        ],
        ["LedgerUnavailable", away]
      ] as const) {
        assert.strictEqual(yield* growth(eventsOf(result), effect), 1, result)
      }
      assert.strictEqual(
        yield* growth(eventsOf("Recorded"), ledger.recordAll([calls, calls, calls])),
        3
      )
    })
  )

  it.scoped("measures transactions, and what waits for them", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      yield* ledger.record(calls)
      const gate = yield* Deferred.make<void>()
      failing.gate = Option.some(Deferred.await(gate))
      const sizes = yield* Metric.value(LedgerMetrics.batchSize)
      const durations = yield* Metric.value(LedgerMetrics.commitDuration)
      const fibers = []
      for (let index = 0; index < 4; index += 1) {
        fibers.push(yield* Effect.fork(ledger.record(calls)))
        yield* Effect.repeatN(Effect.yieldNow(), 100)
      }
      // the first is being written
      assert.strictEqual(yield* gauge(LedgerMetrics.intakeDepth), 1)
      yield* TestClock.adjust("40 millis")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.joinAll(fibers)
      assert.strictEqual(yield* gauge(LedgerMetrics.intakeDepth), 3)
      const sizesAfter = yield* Metric.value(LedgerMetrics.batchSize)
      assert.deepEqual([sizesAfter.count - sizes.count, sizesAfter.sum - sizes.sum], [2, 4])
      const durationsAfter = yield* Metric.value(LedgerMetrics.commitDuration)
      assert.deepEqual(
        [durationsAfter.count - durations.count, durationsAfter.sum - durations.sum],
        [2, 40]
      )
    })
  )

  it.scoped("has the state of the ledger after status, and after health", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      const entries = (product: string, state: string) =>
        gauge(
          LedgerMetrics.entries.pipe(
            Metric.tagged("region", "us-east-1"),
            Metric.tagged("product", product),
            Metric.tagged("state", state)
          )
        )
      yield* setTime("2026-11-25T06:40:00Z")
      for (const read of [ledger.status, ledger.health]) {
        yield* Metric.set(LedgerMetrics.inDoubt, 99)
        yield* Effect.asVoid(read as Effect.Effect<unknown, unknown>)
        for (const state of ["accepted", "conflicting", "notSubscribed", "rejected", "expired"]) {
          assert.strictEqual(yield* entries("analytics", state), 1, state)
        }
        assert.strictEqual(yield* entries("search", "sealed"), 1)
        assert.strictEqual(yield* entries("search", "open"), 1)
        assert.strictEqual(yield* entries("search", "accepted"), 0)
        assert.strictEqual(yield* gauge(LedgerMetrics.inDoubt), 1)
        assert.strictEqual(yield* gauge(LedgerMetrics.conflicting), 1)
        assert.strictEqual(yield* gauge(LedgerMetrics.secondsToDeadline), 20 * 60)
        // of the hour 07 of the day before
        assert.strictEqual(yield* gauge(LedgerMetrics.oldestUnsentAge), (22 * 60 + 40) * 60)
        const idle = yield* gauge(Metric.tagged(LedgerMetrics.leaseIdle, "region", "us-east-1"))
        assert.isTrue(idle > 8 * 60 && idle <= 9 * 60, `${idle}`)
      }
    })
  )

  it.scoped("follows the state: none is left, another is carried", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      yield* ledger.status
      assert.strictEqual(yield* gauge(LedgerMetrics.secondsToDeadline), Number.POSITIVE_INFINITY)
      assert.strictEqual(yield* gauge(LedgerMetrics.oldestUnsentAge), 0)
      assert.strictEqual(yield* gauge(LedgerMetrics.carry), 0)
      yield* ledger.record({ ...calls, quantity: 2_147_483_648, at: minutesLater(-60) })
      const reporter = yield* makeReporter(store, stubService())
      yield* setTime("2026-11-24T10:10:00Z")
      yield* passing(reporter.report)
      yield* ledger.status
      assert.strictEqual(yield* gauge(LedgerMetrics.carry), 1)
      const idle = yield* gauge(Metric.tagged(LedgerMetrics.leaseIdle, "region", "us-east-1"))
      assert.isBelow(idle, 0)
    })
  )

  it.scoped("is set by a round of the reporter", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      const service = stubService()
      service.reply = () => "unprocessed"
      const reporter = yield* makeReporter(store, service)
      yield* ledger.record({ ...calls, at: minutesLater(-60) })
      yield* setTime("2026-11-24T10:10:00Z")
      yield* Metric.set(LedgerMetrics.secondsToDeadline, 1)
      yield* passing(reporter.report)
      const seconds = (22 * 60 + 50) * 60
      const read = yield* gauge(LedgerMetrics.secondsToDeadline)
      assert.isTrue(read > seconds - 60 && read <= seconds, `${read}`)
    })
  )
})
