/** Tags of a record beyond what the service takes: the bytes of a request, and the number of keys. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { UsageLedger, UsageLedgerStore } from "effect-marketplace-metering/ledger"
import * as support from "./ledgerSupport.js"
import { event } from "./rows.js"
import { withWorld } from "./support/ledgerWorld.js"

const { account, billedOf, entriesOf, products, start } = support
const analytics = `analytics-${account}`
const product = products.analytics as UsageLedger.Product

const tagKeys = ["costcenter", "department", "environment", "project", "user"]

/** Tags of about 1,400 bytes. */
const longTags = (index: number): string =>
  JSON.stringify(tagKeys.map((key) => [key, `${index} ${"\\".repeat(20)} ${"x".repeat(220)}`]))

/** Records 3 calls for each of 800 sets of tags. */
const recordTagged = (store: UsageLedgerStore.Service) =>
  Effect.gen(function* () {
    const keys = yield* store.snapshot((tables) => tables.keys({ lineages: [analytics] }))
    const key = keys.find(({ dimension }) => dimension === "calls")?.id ?? 0
    const events = Array.from({ length: 800 }, (_, index) =>
      event({
        ...{ id: `event-${index}`, key, hour: start / support.hour, at: start },
        ...{ quantity: 3, tags: longTags(index) }
      })
    )
    yield* store.recordEvents(events, start)
  })

const carried = (store: UsageLedgerStore.Service) =>
  Effect.map(
    store.snapshot((tables) =>
      Effect.flatMap(tables.keys({}), (keys) => tables.carry(keys.map(({ id }) => id)))
    ),
    (rows) => rows.reduce((sum, { amount }) => sum + amount, 0n)
  )

describe("a record", () => {
  it.effect("has as many sets of tags as a request takes, and the others in the next hour", () =>
    withWorld(
      ({ report, setTo, store }) =>
        Effect.gen(function* () {
          yield* recordTagged(store)
          yield* setTo(71)
          yield* report
          const [first] = yield* store.snapshot((tables) => tables.records([1]))
          assert.isBelow(first?.body.length ?? 0, 1_000_000)
          assert.isAbove(first?.body.length ?? 0, 800_000)
          assert.strictEqual(yield* carried(store), BigInt(2_400 - (first?.quantity ?? 0)))
          yield* setTo(131)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [
            `${account} calls 10 ${first?.quantity}`,
            `${account} calls 11 ${2_400 - (first?.quantity ?? 0)}`
          ])
          assert.strictEqual(yield* carried(store), 0n)
        }),
      { products: { analytics: { ...product, tagKeys } } }
    )
  )

  it.effect("of the last hour has the sets that do not fit without their tags", () =>
    withWorld(
      ({ ledger, report, setTo, store }) =>
        Effect.gen(function* () {
          yield* recordTagged(store)
          yield* setTo(1)
          yield* ledger.close(analytics)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 2400`])
          assert.strictEqual(yield* carried(store), 0n)
        }),
      { products: { analytics: { ...product, tagKeys } } }
    )
  )

  it.effect("has five keys of tags: sets of keys that the product had before lose theirs", () =>
    withWorld(({ report, setTo, store }) =>
      Effect.gen(function* () {
        const change = (keys: ReadonlyArray<string>) =>
          UsageLedger.make({
            seller: "acme",
            target: "sandbox",
            products: { analytics: { ...product, tagKeys: keys } }
          }).pipe(Effect.provideService(UsageLedgerStore.UsageLedgerStore, store))
        const before = yield* change(["a", "b", "c"])
        yield* before.record({
          ...{ subscription: analytics, dimension: "calls", quantity: 3 },
          tags: { a: "1", b: "1", c: "1" }
        })
        const after = yield* change(["d", "e", "f"])
        yield* after.record({
          ...{ subscription: analytics, dimension: "calls", quantity: 4 },
          tags: { d: "1", e: "1", f: "1" }
        })
        yield* setTo(71)
        yield* report
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 accepted 7`])
        const [{ body = "" } = {}] = yield* store.snapshot((tables) => tables.records([1]))
        assert.deepStrictEqual(JSON.parse(body).UsageRecord.UsageAllocations, [
          {
            AllocatedUsageQuantity: 4,
            Tags: ["d", "e", "f"].map((Key) => ({ Key, Value: "1" }))
          },
          { AllocatedUsageQuantity: 3 }
        ])
      })
    )
  )
})
