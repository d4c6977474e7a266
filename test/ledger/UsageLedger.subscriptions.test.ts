/** `subscribe`, `close` and the options of a ledger. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import { failingStore } from "./support/failingStore.js"
import {
  entriesOf,
  makeLedger,
  makeReporter,
  makeSubscribed,
  minutesLater,
  now,
  otherAccount,
  passing,
  products,
  setTime,
  subscription,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1 }
const licenseArn = "arn:aws:license-manager::111122223333:license:l-0123456789abcdef"
const other = { id: "b", product: "analytics", customerAWSAccountId: otherAccount }

describe("subscribe", () => {
  it.scoped("takes usage from its start on, which defaults to now", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.subscribe(other)
      const usage = { ...calls, subscription: "b" }
      assert.deepInclude(
        yield* Effect.flip(
          ledger.record({ ...usage, at: DateTime.subtract(time(now), { millis: 1 }) })
        ),
        { _tag: "UnknownSubscription", reason: "notActive" }
      )
      assert.deepInclude(yield* ledger.record(usage), { _tag: "Recorded" })
    })
  )

  it.scoped("changes nothing when it is made again, at another time too", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.subscribe(other)
      yield* ledger.close("b")
      yield* setTime("2026-11-24T12:00:00Z")
      yield* ledger.subscribe(other)
      yield* ledger.subscribe(subscription)
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, subscription: "b" })), {
        _tag: "UnknownSubscription",
        reason: "notActive"
      })
    })
  )

  it.scoped("names the field that is invalid, and stores nothing", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeLedger({
        products: { ...products, licensed: { region: "us-east-1", dimensions: { calls: {} } } }
      })
      const rejected: ReadonlyArray<readonly [Partial<UsageLedger.Subscription>, string]> = [
        [{ id: "" }, "id"],
        [{ id: "x".repeat(256) }, "id"],
        [{ id: "a\0" }, "id"],
        [{ product: "none" }, "product"],
        [{ product: "toString" }, "product"],
        [{ customerAWSAccountId: undefined }, "customerAWSAccountId"],
        [{ customerIdentifier: "c" }, "customerAWSAccountId"],
        [{ customerAWSAccountId: "" }, "customerAWSAccountId"],
        [{ customerAWSAccountId: "12x" }, "customerAWSAccountId"],
        [{ customerAWSAccountId: "1".repeat(256) }, "customerAWSAccountId"],
        [{ customerAWSAccountId: undefined, customerIdentifier: "" }, "customerIdentifier"],
        [{ customerAWSAccountId: undefined, customerIdentifier: "c\0" }, "customerIdentifier"],
        [
          { customerAWSAccountId: undefined, customerIdentifier: "c".repeat(256) },
          "customerIdentifier"
        ],
        [{ licenseArn: "l-1" }, "licenseArn"],
        [{ product: "licensed" }, "licenseArn"],
        [{ from: minutesLater(0), until: minutesLater(0) }, "until"]
      ]
      for (const [changes, field] of rejected) {
        assert.deepInclude(
          yield* Effect.flip(ledger.subscribe({ ...subscription, ...changes })),
          { _tag: "InvalidEvent", field },
          JSON.stringify(changes)
        )
      }
      assert.deepInclude(yield* Effect.flip(ledger.record(calls)), { reason: "missing" })
      yield* ledger.subscribe({ ...subscription, product: "licensed", licenseArn })
    })
  )

  it.scoped("does not take an id with other contents", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      for (const changes of [
        { product: "search" },
        { customerAWSAccountId: otherAccount },
        { customerAWSAccountId: undefined, customerIdentifier: "c" },
        { licenseArn },
        { from: minutesLater(-60) },
        { until: minutesLater(60) },
        { follows: "s" }
      ]) {
        assert.deepInclude(
          yield* Effect.flip(ledger.subscribe({ ...subscription, ...changes })),
          { _tag: "SubscriptionConflict", subscription: "a", other: "a" },
          JSON.stringify(changes)
        )
      }
    })
  )

  it.scoped("does not take a second one of a product and customer in the same hour", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeLedger()
      yield* ledger.subscribe({ ...subscription, until: minutesLater(30) })
      const second = { ...subscription, id: "second" }
      const conflict = { _tag: "SubscriptionConflict", subscription: "second", other: "a" } as const
      for (const from of [subscription.from, minutesLater(29), minutesLater(30)]) {
        assert.deepInclude(yield* Effect.flip(ledger.subscribe({ ...second, from })), conflict)
      }
      assert.deepInclude(yield* Effect.flip(ledger.subscribe({ ...second, licenseArn })), conflict)
      yield* ledger.subscribe({ ...second, from: minutesLater(60) })
      yield* ledger.subscribe({ ...second, id: "product", product: "search" })
      yield* ledger.subscribe({ ...second, id: "customer", customerAWSAccountId: otherAccount })
    })
  )

  it.scoped("knows a license by its id, in each form of its ARN", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeLedger()
      const inRegion = "arn:aws:license-manager:us-east-1:444455556666:license:l-0123456789ABCDEF"
      yield* ledger.subscribe({ ...subscription, licenseArn })
      yield* ledger.subscribe({ ...subscription, licenseArn: inRegion })
      for (const product of ["analytics", "search"]) {
        const second = { ...subscription, id: "second", product, licenseArn: inRegion }
        assert.deepInclude(yield* Effect.flip(ledger.subscribe(second)), {
          ...{ _tag: "SubscriptionConflict", subscription: "second", other: "a" }
        } as const)
      }
    })
  )

  it.scoped("does not take a license of another customer in the same hour", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeLedger()
      const inRegion = "arn:aws:license-manager:us-east-1:444455556666:license:l-0123456789ABCDEF"
      yield* ledger.subscribe({ ...subscription, licenseArn })
      const second = { ...other, from: subscription.from, licenseArn: inRegion }
      const legacy = { customerAWSAccountId: undefined, customerIdentifier: "c" }
      for (const changes of [{}, legacy, { product: "search" }]) {
        assert.deepInclude(yield* Effect.flip(ledger.subscribe({ ...second, ...changes })), {
          ...{ _tag: "SubscriptionConflict", subscription: "b", other: "a" }
        } as const)
      }
      yield* setTime(now)
      yield* ledger.close("a")
      yield* ledger.subscribe({ ...second, ...legacy, from: minutesLater(60) })
    })
  )

  it.scoped("takes no hour of another that was recorded before that one was ended", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeLedger()
      yield* ledger.subscribe({ ...subscription, licenseArn })
      yield* setTime(now)
      yield* ledger.record(calls)
      yield* ledger.record({ ...calls, at: minutesLater(-60) })
      yield* ledger.close("a", { at: minutesLater(-120) })
      const second = { ...subscription, id: "b", licenseArn }
      const another = { ...second, customerAWSAccountId: otherAccount }
      for (const [changes, cure] of [
        [{}, "Let this follow it, or begin at 2026-11-24T11:00:00.000Z"],
        [{ customerAWSAccountId: otherAccount }, "Begin at 2026-11-24T11:00:00.000Z"]
      ] as const) {
        for (const minutes of [-120, -60, 59]) {
          const from = minutesLater(minutes)
          const error = yield* Effect.flip(ledger.subscribe({ ...second, ...changes, from }))
          assert.deepInclude(error, { _tag: "SubscriptionConflict", other: "a" })
          assert.include(error.message, cure)
        }
      }
      const [from, until] = [minutesLater(-120), minutesLater(-60)]
      yield* ledger.subscribe({ ...another, id: "before", from, until })
      yield* ledger.subscribe({ ...second, licenseArn: `${licenseArn}0`, from })
      yield* ledger.subscribe({ ...second, id: "c", from: minutesLater(60) })
      // usage of these hours is not taken any more
      yield* setTime("2026-11-25T13:00:00Z")
      yield* ledger.subscribe({ ...second, id: "d", from: until, until: minutesLater(60) })
      for (const at of [until, minutesLater(0)]) {
        assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, subscription: "d", at })), {
          _tag: "EventTooLate",
          reason: "deadline"
        })
      }
    })
  )

  it.scoped("takes the hours of another that were not reported", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      yield* ledger.record({ ...calls, dimension: "gb", quantity: "0.4" })
      const reporter = yield* makeReporter(store, stubService())
      yield* setTime("2026-11-24T11:10:00Z")
      yield* passing(reporter.report)
      yield* ledger.close("a", { at: minutesLater(-30) })
      yield* ledger.subscribe({ ...subscription, id: "b", from: minutesLater(0) })
    })
  )

  it.scoped("bills each hour of two lineages of one customer by one of them", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      const service = stubService()
      const { report } = yield* makeReporter(store, service)
      yield* ledger.record(calls)
      yield* setTime("2026-11-24T11:10:00Z")
      yield* passing(report)
      // its end is announced late
      yield* ledger.close("a", { at: minutesLater(-30) })
      const second = { ...subscription, id: "b", from: minutesLater(10) }
      assert.deepInclude(yield* Effect.flip(ledger.subscribe(second)), { other: "a" })
      yield* ledger.subscribe({ ...second, follows: "a" })
      // the service would take a second record of hour 10 with the same quantity as the first one
      assert.deepInclude(
        yield* Effect.flip(ledger.record({ ...calls, subscription: "b", at: minutesLater(40) })),
        { _tag: "EventTooLate", reason: "sealed" }
      )
    })
  )

  it.scoped("takes two with different licenses", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeLedger()
      yield* ledger.subscribe({ ...subscription, licenseArn })
      yield* ledger.subscribe({ ...subscription, id: "b", licenseArn: `${licenseArn}0` })
      yield* setTime(now)
      for (const id of ["a", "b"]) yield* ledger.record({ ...calls, subscription: id })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 1", "b calls 10 open 1"])
    })
  )

  it.scoped("ends the one that it follows, and goes on with its usage", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const renewal = { ...subscription, id: "b", follows: "a", from: minutesLater(-30) }
      yield* ledger.subscribe(renewal)
      yield* ledger.subscribe(renewal)
      // also the first again, which now has an end
      yield* ledger.subscribe(subscription)
      yield* ledger.record({ ...calls, at: minutesLater(-31) })
      yield* ledger.record({ ...calls, subscription: "b", at: minutesLater(-30) })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 open 2"])
      assert.deepEqual(yield* textsOf(ledger, { subscription: "b" }), ["a calls 09 open 2"])
    })
  )

  it.scoped("follows none that does not exist or does not fit", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const renewal = { ...subscription, id: "b", follows: "a", from: minutesLater(0) }
      assert.deepInclude(yield* Effect.flip(ledger.subscribe({ ...renewal, follows: "none" })), {
        _tag: "UnknownSubscription",
        subscription: "none",
        reason: "missing"
      })
      for (const changes of [
        { product: "search" },
        { customerAWSAccountId: otherAccount },
        { from: subscription.from },
        { from: minutesLater(-48 * 60) }
      ]) {
        assert.deepInclude(
          yield* Effect.flip(ledger.subscribe({ ...renewal, ...changes })),
          { _tag: "SubscriptionConflict", subscription: "b", other: "a" },
          JSON.stringify(changes)
        )
      }
      // nothing of these was stored: the first has no end
      assert.deepInclude(yield* ledger.record(calls), { _tag: "Recorded" })
    })
  )

  it.scoped("fails where the store is not available", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      failing.isAway = true
      const unavailable = { _tag: "LedgerUnavailable", isStored: "no" } as const
      assert.deepInclude(yield* Effect.flip(ledger.subscribe(other)), unavailable)
      assert.deepInclude(yield* Effect.flip(ledger.close("a")), unavailable)
    })
  )
})

describe("close", () => {
  it.scoped("ends a subscription now, and takes usage from before its end", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.close("a")
      const before = DateTime.subtract(time(now), { millis: 1 })
      assert.deepInclude(yield* ledger.record({ ...calls, at: before }), { _tag: "Recorded" })
      assert.deepInclude(yield* Effect.flip(ledger.record(calls)), {
        _tag: "UnknownSubscription",
        reason: "notActive"
      })
    })
  )

  it.scoped("ends at a time in the past, and keeps the first end", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.close("a", { at: minutesLater(-30) })
      yield* ledger.close("a")
      yield* ledger.close("a", { at: minutesLater(-50) })
      assert.deepInclude(yield* ledger.record({ ...calls, at: minutesLater(-31) }), {
        _tag: "Recorded"
      })
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, at: minutesLater(-30) })), {
        _tag: "UnknownSubscription"
      })
    })
  )

  it.scoped("ends now where the time is ahead", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.close("a", { at: minutesLater(60) })
      assert.deepInclude(yield* Effect.flip(ledger.record(calls)), { reason: "notActive" })
    })
  )

  it.scoped("fails for a subscription that does not exist", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      for (const id of ["none", ""]) {
        assert.deepInclude(yield* Effect.flip(ledger.close(id)), {
          _tag: "UnknownSubscription",
          subscription: id,
          reason: "missing"
        })
      }
    })
  )
})

describe("the options of a ledger", () => {
  const failureOf = (changes: Partial<UsageLedger.Options>) =>
    Effect.flip(Effect.scoped(makeLedger(changes)))
  const analytics = { region: "us-east-1", productCode: "c", dimensions: { calls: {} } }
  const tagKeys = ["a", "b", "c", "d", "e"]
  const invalid: ReadonlyArray<readonly [string, Partial<UsageLedger.Options>]> = [
    ["an empty seller", { seller: "" }],
    ["a seller of 256 characters", { seller: "x".repeat(256) }],
    ["another target", { target: "test" as "sandbox" }],
    ["an intake of 0", { intakeSize: 0 }],
    ["an intake of a fraction", { intakeSize: 1.5 }],
    ["a product without a name", { products: { "": analytics } }],
    ["a product named *", { products: { "*": analytics } }],
    ["a product without a Region", { products: { p: { ...analytics, region: "" } } }],
    ["a product without dimensions", { products: { p: { ...analytics, dimensions: {} } } }],
    ["a dimension without a name", { products: { p: { ...analytics, dimensions: { "": {} } } } }],
    [
      "a dimension of 256 characters",
      { products: { p: { ...analytics, dimensions: { ["x".repeat(256)]: {} } } } }
    ],
    ...[-1, 0.5, 10, Number.NaN].map(
      (scale) =>
        [
          `a scale of ${scale}`,
          { products: { p: { ...analytics, dimensions: { d: { scale } } } } }
        ] as const
    ),
    ["6 keys of tags", { products: { p: { ...analytics, tagKeys: [...tagKeys, "f"] } } }],
    ["a key of tags twice", { products: { p: { ...analytics, tagKeys: ["a", "a"] } } }],
    ["an empty key of tags", { products: { p: { ...analytics, tagKeys: [""] } } }]
  ]
  for (const [title, changes] of invalid) {
    it.effect(`are rejected with ${title}`, () =>
      Effect.map(failureOf(changes), (error) =>
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "invalidOptions" })
      )
    )
  }

  it.scoped("take values at their limits", () =>
    makeLedger({
      seller: "x".repeat(255),
      intakeSize: 1,
      products: {
        p: {
          ...analytics,
          tagKeys,
          dimensions: { ["x".repeat(255)]: { scale: 9 }, d: { scale: 0 } }
        }
      }
    })
  )

  it.scoped("fail where the ledger is of another seller or target", () =>
    Effect.gen(function* () {
      const { store } = yield* makeLedger()
      for (const [changes, reason] of [
        [{ seller: "other" }, "otherSeller"],
        [{ target: "service" }, "otherTarget"]
      ] as const) {
        assert.deepInclude(yield* Effect.flip(makeLedger(changes, store)), {
          _tag: "LedgerConfigError",
          reason
        })
      }
      yield* makeLedger({}, store)
      yield* makeLedger({ products: undefined }, store)
    })
  )

  it.scoped("fail where a product changes, and store nothing of it", () =>
    Effect.gen(function* () {
      const { ledger, store } = yield* makeSubscribed()
      const { analytics } = products
      if (analytics === undefined) return assert.fail("no product")
      for (const changes of [
        { region: "eu-west-1" },
        { productCode: "other" },
        { productCode: undefined },
        { dimensions: { gb: { scale: 2 } } }
      ]) {
        const changed = { new: analytics, analytics: { ...analytics, ...changes } }
        assert.deepInclude(
          yield* Effect.flip(makeLedger({ products: changed }, store)),
          { _tag: "LedgerConfigError", reason: "productConflict" },
          JSON.stringify(changes)
        )
      }
      assert.deepInclude(yield* Effect.flip(ledger.subscribe({ ...other, product: "new" })), {
        _tag: "InvalidEvent",
        field: "product"
      })
    })
  )

  it.scoped("add dimensions and products, also to subscriptions that exist", () =>
    Effect.gen(function* () {
      const { store } = yield* makeSubscribed()
      const { analytics } = products
      if (analytics === undefined) return assert.fail("no product")
      const { ledger } = yield* makeLedger(
        {
          products: {
            new: { ...analytics, productCode: "new-code" },
            analytics: { ...analytics, dimensions: { users: {} } }
          }
        },
        store
      )
      for (const dimension of ["users", "calls"]) {
        assert.deepInclude(yield* ledger.record({ ...calls, dimension }), { _tag: "Recorded" })
      }
      yield* ledger.subscribe({ ...other, product: "new" })
      assert.strictEqual((yield* entriesOf(ledger)).length, 2)
    })
  )

  it.effect("fail where the store is not available", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      failing.isAway = true
      assert.deepInclude(yield* Effect.flip(Effect.scoped(makeLedger({}, failing.store))), {
        _tag: "LedgerUnavailable"
      })
    })
  )
})
