/** `adjust` by itself: results, errors and limits. */
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import { failingStore } from "./support/failingStore.js"
import {
  account,
  assertVerified,
  makeReporter,
  makeSubscribed,
  now,
  passing,
  setTime,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const reason = "the job failed"

/** A ledger at 10:00 with an event "c" of 5 calls, "g" of 0.5 gb and "q" of 5 queries. */
const prepare = (store?: Parameters<typeof makeSubscribed>[1]) =>
  Effect.gen(function* () {
    const made = yield* makeSubscribed({}, store)
    const { ledger } = made
    const tags = { team: "blue" }
    yield* ledger.record({ id: "c", subscription: "a", dimension: "calls", quantity: 5, tags })
    yield* ledger.record({ id: "g", subscription: "a", dimension: "gb", quantity: "0.5" })
    yield* ledger.record({ id: "q", subscription: "s", dimension: "queries", quantity: 5 })
    return made
  })

/** The same at 11:10, with hour 10 billed. */
const prepareSealed = Effect.gen(function* () {
  const made = yield* prepare()
  const service = stubService()
  const reporter = yield* makeReporter(made.store, service)
  yield* setTime("2026-11-24T11:10:00Z")
  yield* passing(reporter.report)
  return { ...made, reporter, service }
})

const movesOf = (ledger: UsageLedger.Service, hour: string) =>
  Effect.map(
    Stream.runCollect(ledger.statement({ customer: account, month: "2026-11" })),
    (lines) =>
      Chunk.toReadonlyArray(lines)
        .filter((line) => line.hour.epochMillis === Date.parse(`2026-11-24T${hour}:00:00Z`))
        .flatMap(({ dimension, moves }) => moves.map(({ cause }) => `${dimension}: ${cause}`))
  )

describe("adjust", () => {
  it.scoped("corrects the quantity of an event up and down, and says why", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      for (const quantity of [8, 0, 2]) {
        assert.deepEqual(yield* ledger.adjust({ event: "c", quantity, reason }), {
          _tag: "Recorded",
          id: "c",
          hour: time(now)
        })
        assert.include(yield* textsOf(ledger), `a calls 10 open ${quantity}`)
        yield* assertVerified(ledger)
      }
      yield* ledger.adjust({ event: "g", quantity: "0.125", reason })
      assert.deepEqual(yield* movesOf(ledger, "10"), [
        "calls: event c is corrected from 5 to 8: the job failed",
        "calls: event c is corrected from 8 to 0: the job failed",
        "calls: event c is corrected from 0 to 2: the job failed",
        "gb: event g is corrected from 0.5 to 0.125: the job failed"
      ])
    })
  )

  it.scoped("changes nothing when it is made again", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      const correction = { event: "c", quantity: 2, reason }
      yield* ledger.adjust(correction)
      assert.deepEqual(yield* ledger.adjust({ ...correction, reason: "other" }), {
        _tag: "AlreadyRecorded",
        id: "c",
        hour: time(now)
      })
      assert.deepInclude(yield* ledger.adjust({ event: "g", quantity: 0.5, reason }), {
        _tag: "AlreadyRecorded"
      })
      assert.strictEqual((yield* movesOf(ledger, "10")).length, 1)
    })
  )

  it.scoped("leaves the event itself as it was recorded", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      yield* ledger.adjust({ event: "c", quantity: 2, reason })
      const event = { id: "c", subscription: "a", dimension: "calls", tags: { team: "blue" } }
      assert.deepInclude(yield* ledger.record({ ...event, quantity: 5 }), {
        _tag: "AlreadyRecorded"
      })
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...event, quantity: 2 })), {
        _tag: "EventConflict"
      })
    })
  )

  it.scoped("takes reasons up to 1,000 characters, and rejects invalid fields by name", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      const correction = { event: "c", quantity: 2, reason }
      for (const [changes, field] of [
        [{ reason: "" }, "reason"],
        [{ reason: "x".repeat(1_001) }, "reason"],
        [{ reason: "a\0" }, "reason"],
        [{ event: "none" }, "event"],
        [{ event: "" }, "event"],
        [{ event: "a\0" }, "event"],
        [{ quantity: -1 }, "quantity"],
        [{ quantity: "0.5" }, "quantity"],
        [{ quantity: Number.NaN }, "quantity"]
      ] as const) {
        assert.deepInclude(
          yield* Effect.flip(ledger.adjust({ ...correction, ...changes })),
          { _tag: "InvalidEvent", field },
          JSON.stringify(changes)
        )
      }
      assert.include(yield* textsOf(ledger), "a calls 10 open 5")
      yield* ledger.adjust({ ...correction, reason: "x".repeat(1_000) })
    })
  )

  it.scoped("fails for a sealed hour where the product does not carry", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepareSealed
      assert.deepInclude(yield* Effect.flip(ledger.adjust({ event: "c", quantity: 2, reason })), {
        _tag: "EventTooLate",
        id: "c",
        hour: Date.parse(now) / 3_600_000,
        reason: "sealed"
      })
      assert.deepEqual(yield* textsOf(ledger, { product: "analytics" }), [
        "a calls 10 accepted 5",
        "a gb 10 zero 0.5"
      ])
      // the same quantity is no correction
      assert.deepInclude(yield* ledger.adjust({ event: "c", quantity: 5, reason }), {
        _tag: "AlreadyRecorded"
      })
    })
  )

  it.scoped("carries the difference of a sealed hour where the product does", () =>
    Effect.gen(function* () {
      const { ledger, reporter, service } = yield* prepareSealed
      const carried = { _tag: "Carried", id: "q", hour: time("2026-11-24T11:00:00Z") } as const
      assert.deepEqual(yield* ledger.adjust({ event: "q", quantity: 8, reason }), carried as never)
      assert.deepEqual(yield* ledger.adjust({ event: "q", quantity: 1, reason }), carried as never)
      yield* assertVerified(ledger)
      // 4 too many were billed: the next 6 come to 2
      yield* ledger.record({ id: "r", subscription: "s", dimension: "queries", quantity: 6 })
      yield* setTime("2026-11-24T12:10:00Z")
      yield* passing(reporter.report)
      assert.deepEqual(
        service.calls
          .flat()
          .flatMap(({ dimension, quantity }) => (dimension === "queries" ? [quantity] : [])),
        [5, 2]
      )
      yield* assertVerified(ledger)
    })
  )

  it.scoped("takes nothing back of what was carried forward until its new hour is billed", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* prepare()
      const service = stubService()
      const reporter = yield* makeReporter(store, service)
      const report = passing(reporter.report)
      const take = (quantity: number) => ledger.adjust({ event: "q", quantity, reason })
      const expectedOf = (quantity: number) =>
        Effect.map(Effect.flip(take(quantity)), (error) =>
          error._tag === "InvalidEvent" ? error.expected : error
        )
      service.reply = () => "CustomerNotSubscribed"
      yield* setTime("2026-11-24T11:10:00Z")
      yield* report
      yield* setTime("2026-11-25T10:00:00Z")
      yield* report
      yield* setTime("2026-11-25T11:00:00Z")
      yield* ledger.operator.carryForward({ states: ["notSubscribed"], product: "search" })
      // the hour of the carried quantity is the current one, which takes the correction itself
      assert.deepInclude(yield* take(4), { _tag: "Carried", hour: time("2026-11-25T11:00:00Z") })
      yield* setTime("2026-11-25T12:05:00Z")
      assert.match(String(yield* expectedOf(2)), /until it is known/)
      yield* setTime("2026-11-25T12:10:00Z")
      yield* report
      assert.match(String(yield* expectedOf(2)), /not billed/)
      yield* setTime("2026-11-26T11:00:00Z")
      yield* report
      assert.match(String(yield* expectedOf(2)), /not billed/)
      yield* setTime("2026-11-26T12:00:00Z")
      yield* ledger.operator.carryForward({ states: ["notSubscribed"], product: "search" })
      service.reply = () => "Success"
      yield* setTime("2026-11-26T13:10:00Z")
      yield* report
      assert.strictEqual(service.calls.at(-1)?.[0]?.quantity, 4)
      assert.deepInclude(yield* take(2), { _tag: "Carried", hour: time("2026-11-26T13:00:00Z") })
      yield* assertVerified(ledger)
    })
  )

  it.scoped("takes no correction back that was carried to an hour that is not billed", () =>
    Effect.gen(function* () {
      const { ledger, reporter, service } = yield* prepareSealed
      const report = passing(reporter.report)
      const take = (quantity: number) => ledger.adjust({ event: "q", quantity, reason })
      const expectedOf = (quantity: number) =>
        Effect.map(Effect.flip(take(quantity)), (error) =>
          error._tag === "InvalidEvent" ? error.expected : error
        )
      yield* take(9)
      // the current hour takes the correction too
      assert.deepInclude(yield* take(8), { _tag: "Carried", hour: time("2026-11-24T11:00:00Z") })
      service.reply = () => "CustomerNotSubscribed"
      yield* setTime("2026-11-24T12:05:00Z")
      assert.match(String(yield* expectedOf(5)), /^8 or more, until it is known/)
      yield* setTime("2026-11-24T12:10:00Z")
      yield* report
      assert.match(String(yield* expectedOf(5)), /^8 or more, since the hour was not billed/)
      service.reply = () => "Success"
      yield* take(9)
      assert.deepInclude(yield* take(8), { _tag: "Carried", hour: time("2026-11-24T12:00:00Z") })
      yield* take(9)
      yield* setTime("2026-11-24T13:10:00Z")
      yield* ledger.operator.retry()
      yield* report
      assert.deepInclude(yield* take(2), { _tag: "Carried", hour: time("2026-11-24T13:00:00Z") })
      assert.deepEqual(
        (yield* textsOf(ledger)).filter((text) => text.startsWith("s")),
        [
          "s queries 10 accepted 5",
          "s queries 11 accepted 3",
          "s queries 12 accepted 1",
          "s queries 13 open -7"
        ]
      )
      yield* assertVerified(ledger)
    })
  )

  it.scoped("bills nothing while less was used than was billed", () =>
    Effect.gen(function* () {
      const { ledger, reporter, service } = yield* prepareSealed
      yield* ledger.adjust({ event: "q", quantity: 0, reason })
      for (const [hour, quantity] of [
        ["11", 2],
        ["12", 2],
        ["13", 2]
      ] as const) {
        yield* setTime(`2026-11-24T${hour}:30:00Z`)
        yield* ledger.record({ id: hour, subscription: "s", dimension: "queries", quantity })
        yield* setTime(`2026-11-24T${Number(hour) + 1}:10:00Z`)
        yield* passing(reporter.report)
        yield* assertVerified(ledger)
      }
      assert.deepEqual(yield* textsOf(ledger, { product: "search" }), [
        "s queries 10 accepted 5",
        "s queries 11 zero -3",
        "s queries 12 zero 2",
        "s queries 13 accepted 2"
      ])
      assert.strictEqual(service.calls.flat().at(-1)?.quantity, 1)
    })
  )

  it.scoped("fails for a sealed hour of a subscription that has ended", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepareSealed
      yield* ledger.close("s")
      assert.deepInclude(yield* Effect.flip(ledger.adjust({ event: "q", quantity: 8, reason })), {
        _tag: "EventTooLate",
        id: "q"
      })
    })
  )

  it.scoped("fails where the store is not available", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* prepare(failing.store)
      failing.isAway = true
      assert.deepInclude(yield* Effect.flip(ledger.adjust({ event: "c", quantity: 2, reason })), {
        _tag: "LedgerUnavailable",
        isStored: "no"
      })
    })
  )

  it.scoped("keeps the last of corrections made at the same time", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepare()
      yield* Effect.forEach(
        [1, 2, 3, 4],
        (quantity) => ledger.adjust({ event: "c", quantity, reason }),
        { concurrency: "unbounded" }
      )
      yield* ledger.adjust({ event: "c", quantity: 9, reason })
      assert.include(yield* textsOf(ledger), "a calls 10 open 9")
      yield* assertVerified(ledger)
    })
  )
})
