/** An operator's acts: `retry`, `carryForward` and `recover`. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import {
  InvalidProductCodeException,
  InvalidUsageDimensionException
} from "effect-marketplace-metering/MeteringError"
import { everyState } from "./support/everyState.js"
import { failingStore } from "./support/failingStore.js"
import {
  assertVerified,
  makeLedger,
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  setTime,
  subscription,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { lostResponse, type Reply, stubService } from "./support/stubService.js"

const calls = { subscription: "a", dimension: "calls", at: minutesLater(-60) }

/** A ledger at 10:10 whose hour 9 is sealed, and was sent once with a reply. */
const prepare = (reply: Reply, events: ReadonlyArray<UsageLedger.Event>) =>
  Effect.gen(function* () {
    const made = yield* makeSubscribed()
    yield* made.ledger.recordAll(events)
    const service = stubService()
    service.reply = () => reply
    const reporter = yield* makeReporter(made.store, service, { lease: "10 minutes" })
    yield* setTime("2026-11-24T10:10:00Z")
    yield* passing(reporter.report)
    return { ...made, service, report: passing(reporter.report) }
  })

describe("retry", () => {
  it.scoped("sends at the next round, and counts the records that are not resolved", () =>
    Effect.gen(function* () {
      const { ledger, report, service } = yield* prepare("CustomerNotSubscribed", [
        { ...calls, quantity: 1 }
      ])
      service.reply = () => "Success"
      assert.deepInclude(yield* report, { sent: 0 })
      assert.strictEqual(yield* ledger.operator.retry(), 1)
      assert.strictEqual(yield* ledger.operator.retry(), 1)
      assert.deepInclude(yield* report, { sent: 1, accepted: 1 })
      assert.strictEqual(yield* ledger.operator.retry(), 0)
      assert.deepInclude(yield* report, { sent: 0 })
    })
  )

  it.scoped("ends a pause of a product, and leaves those of others", () =>
    Effect.gen(function* () {
      const { ledger, report, service } = yield* prepare(
        new InvalidProductCodeException({ operation: "BatchMeterUsage" }),
        [{ ...calls, quantity: 1 }]
      )
      service.reply = () => "Success"
      assert.strictEqual(yield* ledger.operator.retry({ product: "search" }), 0)
      assert.strictEqual((yield* ledger.status).pauses.length, 1)
      assert.strictEqual(yield* ledger.operator.retry({ product: "analytics" }), 1)
      assert.deepEqual((yield* ledger.status).pauses, [])
      assert.deepInclude(yield* report, { accepted: 1 })
    })
  )

  it.scoped("takes the records of its filter", () =>
    Effect.gen(function* () {
      const { ledger, report } = yield* prepare("CustomerNotSubscribed", [
        { ...calls, quantity: 1 },
        { ...calls, quantity: 1, at: minutesLater(-120) },
        { subscription: "s", dimension: "queries", quantity: 1, at: minutesLater(-60) }
      ])
      const filters: ReadonlyArray<readonly [UsageLedger.EntryFilter, number]> = [
        [{ product: "search" }, 1],
        [{ subscription: "a" }, 2],
        [{ subscription: "none" }, 0],
        [{ until: minutesLater(-60) }, 1],
        [{ states: ["notSubscribed"] }, 3],
        [{ states: ["accepted"] }, 0]
      ]
      for (const [filter, count] of filters) {
        assert.strictEqual(yield* ledger.operator.retry(filter), count, JSON.stringify(filter))
        assert.deepInclude(yield* report, { sent: count })
      }
    })
  )

  it.scoped("sends nothing of a Region that is stopped", () =>
    Effect.gen(function* () {
      const { ledger, report } = yield* prepare("DuplicateRecord", [{ ...calls, quantity: 1 }])
      assert.strictEqual(yield* ledger.operator.retry(), 0)
      assert.strictEqual((yield* ledger.status).pauses.length, 1)
      assert.deepInclude(yield* report, { sent: 0 })
    })
  )
})

describe("carryForward", () => {
  it.scoped("bills expired quantities in the current hour, an hour after the deadline", () =>
    Effect.gen(function* () {
      const { ledger, report, service } = yield* prepare("unprocessed", [
        { ...calls, quantity: 5 },
        { ...calls, dimension: "gb", quantity: "2.5" },
        { ...calls, dimension: "gb", quantity: "1", tags: { team: "blue" } }
      ])
      yield* setTime("2026-11-25T09:00:00Z")
      yield* report
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 expired 5", "a gb 09 expired 3.5"])
      yield* setTime("2026-11-25T09:59:59.999Z")
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
      yield* setTime("2026-11-25T10:00:00Z")
      assert.strictEqual(yield* ledger.operator.carryForward({}), 2)
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
      assert.deepEqual(yield* textsOf(ledger, { from: time("2026-11-25T00:00:00Z") }), [
        "a calls 10 open 5",
        "a gb 10 open 3"
      ])
      yield* assertVerified(ledger)
      service.reply = () => "Success"
      service.calls.length = 0
      yield* setTime("2026-11-25T11:10:00Z")
      yield* report
      assert.deepEqual(
        service.calls.flat().map(({ dimension, quantity, usageAllocations }) => ({
          ...{ dimension, quantity },
          shares: usageAllocations?.map(({ allocatedUsageQuantity, tags }) => [
            allocatedUsageQuantity,
            tags?.[0]?.value
          ])
        })),
        [
          { dimension: "calls", quantity: 5, shares: undefined },
          {
            ...{ dimension: "gb", quantity: 3 },
            shares: [
              [2, undefined],
              [1, "blue"]
            ]
          }
        ]
      )
      yield* assertVerified(ledger)
    })
  )

  it.scoped("takes expired records of its filter, and none in another state", () =>
    Effect.gen(function* () {
      const { ledger } = yield* everyState
      assert.strictEqual(yield* ledger.operator.carryForward({ product: "search" }), 0)
      const billed = ["open", "zero", "sealed", "accepted", "conflicting", "inDoubt"] as const
      assert.strictEqual(yield* ledger.operator.carryForward({ states: billed }), 0)
      assert.strictEqual(yield* ledger.operator.carryForward({ states: [] }), 0)
      assert.strictEqual(yield* ledger.operator.carryForward({}), 1)
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
      assert.include(yield* textsOf(ledger), "a calls 06 open 5")
      yield* assertVerified(ledger)
    })
  )

  it.scoped("bills what was rejected for a wrong license by the right one, which follows", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeLedger()
      const licenseOf = (id: string) => `arn:aws:license-manager::111122223333:license:l-${id}`
      yield* setTime("2026-11-24T10:00:00Z")
      yield* ledger.subscribe({ ...subscription, licenseArn: licenseOf("1") })
      yield* ledger.record({ ...calls, quantity: 5 })
      yield* ledger.record({ ...calls, dimension: "gb", quantity: 2 })
      const service = stubService()
      service.reply = ({ dimension, licenseArn }) =>
        licenseArn === licenseOf("2")
          ? "Success"
          : dimension === "gb"
            ? "CustomerNotSubscribed"
            : new InvalidUsageDimensionException({ operation: "BatchMeterUsage" })
      const reporter = yield* makeReporter(store, service)
      const report = passing(reporter.report)
      yield* setTime("2026-11-24T10:10:00Z")
      yield* report
      yield* ledger.subscribe({
        ...subscription,
        ...{ id: "b", follows: "a", licenseArn: licenseOf("2"), from: time("2026-11-24T10:20:00Z") }
      })
      yield* setTime("2026-11-25T09:00:00Z")
      yield* report
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 rejected 5", "a gb 09 notSubscribed 2"])
      yield* setTime("2026-11-25T09:59:59Z")
      const states = ["rejected", "notSubscribed"] as const
      assert.strictEqual(yield* ledger.operator.carryForward({ states }), 0)
      yield* setTime("2026-11-25T10:00:00Z")
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
      assert.strictEqual(yield* ledger.operator.carryForward({ states: ["rejected"] }), 1)
      assert.strictEqual(yield* ledger.operator.carryForward({ states }), 1)
      assert.strictEqual(yield* ledger.operator.carryForward({ states }), 0)
      yield* setTime("2026-11-25T11:10:00Z")
      assert.deepInclude(yield* report, { sent: 2, accepted: 2 })
      assert.deepEqual(yield* textsOf(ledger, { from: time("2026-11-25T00:00:00Z") }), [
        "a calls 10 accepted 5",
        "a gb 10 accepted 2"
      ])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("leaves what no round has resolved", () =>
    Effect.gen(function* () {
      const { ledger, report, service } = yield* prepare("CustomerNotSubscribed", [
        { ...calls, quantity: 5 }
      ])
      const states = ["notSubscribed"] as const
      yield* setTime("2026-11-25T08:00:00Z")
      yield* report
      // the clock is ahead for a while
      yield* setTime("2026-11-25T10:30:00Z")
      assert.strictEqual(yield* ledger.operator.carryForward({ states }), 0)
      service.reply = () => "Success"
      yield* setTime("2026-11-25T08:59:00Z")
      assert.deepInclude(yield* report, { accepted: 1 })
    })
  )

  it.scoped("leaves what was not resolved at a recovery, whose attempts may be lost", () =>
    Effect.gen(function* () {
      const { ledger, report } = yield* prepare("CustomerNotSubscribed", [
        { ...calls, quantity: 5 }
      ])
      yield* ledger.operator.recover
      yield* setTime("2026-11-25T09:00:00Z")
      yield* report
      yield* setTime("2026-11-25T12:00:00Z")
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 inDoubt 5"])
      assert.strictEqual(yield* ledger.operator.carryForward({ states: ["notSubscribed"] }), 0)
    })
  )

  it.scoped(
    "leaves what was resolved before a recovery: the lost database may have billed it",
    () =>
      Effect.gen(function* () {
        const { ledger, report } = yield* prepare("CustomerNotSubscribed", [
          { ...calls, quantity: 5 }
        ])
        yield* setTime("2026-11-25T09:00:00Z")
        yield* report
        yield* setTime("2026-11-25T12:00:00Z")
        yield* ledger.operator.recover
        assert.strictEqual(yield* ledger.operator.carryForward({ states: ["notSubscribed"] }), 0)
      })
  )

  it.scoped("takes what was recorded in an hour that began at or after a recovery", () =>
    Effect.gen(function* () {
      const { ledger, report } = yield* prepare("CustomerNotSubscribed", [])
      yield* setTime("2026-11-24T11:00:00Z")
      yield* ledger.operator.recover
      yield* ledger.record({ ...calls, at: minutesLater(60), quantity: 5 })
      yield* setTime("2026-11-24T12:10:00Z")
      yield* report
      yield* setTime("2026-11-25T11:00:00Z")
      yield* report
      yield* setTime("2026-11-25T12:00:00Z")
      assert.strictEqual(yield* ledger.operator.carryForward({ states: ["notSubscribed"] }), 1)
    })
  )

  it.scoped("takes nothing while a Region is stopped", () =>
    Effect.gen(function* () {
      const { ledger, report, service } = yield* prepare("unprocessed", [{ ...calls, quantity: 5 }])
      yield* ledger.record({ ...calls, at: minutesLater(5), quantity: 7 })
      service.reply = ({ quantity }) => (quantity === 7 ? "DuplicateRecord" : "unprocessed")
      yield* setTime("2026-11-24T11:10:00Z")
      yield* report
      yield* setTime("2026-11-25T09:30:00Z")
      yield* report
      yield* setTime("2026-11-25T10:30:00Z")
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 expired 5", "a calls 10 conflicting 7"])
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
      yield* ledger.operator.recover
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
    })
  )

  it.scoped("leaves what may have been billed, and what has ended", () =>
    Effect.gen(function* () {
      const { ledger, report } = yield* prepare(lostResponse, [{ ...calls, quantity: 5 }])
      yield* ledger.record({
        ...{ subscription: "s", dimension: "queries", quantity: 5 },
        at: minutesLater(-120)
      })
      yield* setTime("2026-11-25T09:00:00Z")
      yield* report
      yield* ledger.close("s")
      yield* setTime("2026-11-25T12:00:00Z")
      yield* report
      assert.deepEqual(yield* textsOf(ledger), ["s queries 08 expired 5", "a calls 09 inDoubt 5"])
      assert.strictEqual(yield* ledger.operator.carryForward({}), 0)
    })
  )
})

describe("recover", () => {
  it.scoped("goes on after a contradiction: hours that were held are sealed and sent", () =>
    Effect.gen(function* () {
      const { ledger, report, service } = yield* prepare("DuplicateRecord", [
        { ...calls, quantity: 1 }
      ])
      yield* ledger.record({ ...calls, at: minutesLater(5), quantity: 2 })
      service.reply = () => "Success"
      yield* setTime("2026-11-24T11:10:00Z")
      assert.deepInclude(yield* report, { sealed: 0, sent: 0 })
      assert.isDefined((yield* ledger.status).hold)
      yield* ledger.operator.recover
      yield* ledger.operator.recover
      const { hold, pauses } = yield* ledger.status
      assert.deepEqual([hold, pauses], [undefined, []])
      assert.deepInclude(yield* report, { sealed: 1, sent: 1, accepted: 1 })
      assert.deepEqual(yield* textsOf(ledger), [
        "a calls 09 conflicting 1",
        "a calls 10 accepted 2"
      ])
    })
  )

  it.scoped("takes a duplicate of an hour before it as known, and stops at a later one", () =>
    Effect.gen(function* () {
      const { ledger, report } = yield* prepare("DuplicateRecord", [{ ...calls, quantity: 1 }])
      yield* ledger.operator.recover
      yield* ledger.record({ ...calls, at: minutesLater(-120), quantity: 1 })
      yield* report
      assert.deepEqual((yield* ledger.status).pauses, [])
      yield* setTime("2026-11-24T11:00:00Z")
      yield* ledger.record({ ...calls, at: minutesLater(60), quantity: 1 })
      yield* setTime("2026-11-24T12:10:00Z")
      yield* report
      assert.strictEqual((yield* ledger.status).pauses[0]?.product, "*")
    })
  )

  it.scoped("goes on after a backup was restored", () =>
    Effect.gen(function* () {
      const { ledger, report, service, store } = yield* prepare("Success", [
        { ...calls, quantity: 1 }
      ])
      yield* ledger.record({ ...calls, at: minutesLater(5), quantity: 2 })
      const row = yield* store.snapshot((tables) => tables.ledger)
      if (row === undefined) return assert.fail("no ledger")
      yield* store.transaction((tables) => tables.putLedger({ ...row, tick: 0 }))
      yield* setTime("2026-11-24T11:10:00Z")
      const rolledBack = Effect.flip(report)
      assert.deepInclude(yield* rolledBack, { _tag: "LedgerRolledBack" })
      assert.deepInclude(yield* rolledBack, { _tag: "LedgerRolledBack" })
      const { hold, pauses } = yield* ledger.status
      assert.deepEqual(hold, {
        from: time("2026-11-24T10:00:00Z"),
        until: time("2026-11-24T12:00:00Z")
      })
      assert.match(pauses[0]?.cause ?? "", /older than this worker has seen it/)
      service.calls.length = 0
      yield* ledger.operator.recover
      assert.deepInclude(yield* report, { sealed: 1, accepted: 1 })
      assert.strictEqual(service.calls.length, 1)
    })
  )
})

describe("a store that is not available", () => {
  it.scoped("fails each act", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      failing.isAway = true
      const { carryForward, recover, retry } = ledger.operator
      for (const act of [retry(), retry({ subscription: "a" }), carryForward({}), recover]) {
        const error = yield* Effect.flip(act as Effect.Effect<unknown, { readonly _tag: string }>)
        assert.deepInclude(error, { _tag: "LedgerUnavailable" })
      }
    })
  )
})
