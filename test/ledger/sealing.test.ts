/** The time at which hours are sealed, beside subscriptions that end, are renewed or are replaced. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { UsageLedger, UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { account, at, billedOf, products, record as recordRows, start } from "./ledgerSupport.js"
import { minute, newAccount, withWorld } from "./support/ledgerWorld.js"

const until = (minutes: number) => ({ until: at(start + minutes * minute) })

const analyticsOf = `analytics-${account}`

const balancesOf = (store: UsageLedgerStore.Service) =>
  Effect.map(
    store.snapshot((tables) =>
      Effect.flatMap(tables.keys({}), (keys) => tables.carry(keys.map(({ id }) => id)))
    ),
    (rows) => rows.map(({ amount }) => amount)
  )

/** The sandbox knows `newAccount`. */
const sandbox = {
  customers: [
    {
      customerAWSAccountId: newAccount,
      agreements: [{ productCode: "analytics-code", start: at(start - 2_880 * minute) }]
    }
  ]
}

describe("a subscription that another one follows", () => {
  it.effect("keeps the hour of the change open for the usage of the one that goes on", () =>
    withWorld(
      ({ record, report, setTo, subscribe }) =>
        Effect.gen(function* () {
          yield* subscribe("A", -1_440, until(30))
          yield* subscribe("B", 30, { follows: "A" })
          const results = new Set<string>()
          for (let minutes = 1; minutes < 180; minutes += 1) {
            yield* setTo(minutes)
            results.add(yield* record(minutes < 30 ? "A" : "B"))
            yield* report
          }
          assert.deepStrictEqual([...results], ["Recorded"])
          yield* setTo(190)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [
            `${newAccount} calls 10 59`,
            `${newAccount} calls 11 60`,
            `${newAccount} calls 12 60`
          ])
        }),
      { sandbox }
    )
  )

  it.effect("keeps its last hour open for a renewal that is stored after its end", () =>
    withWorld(
      ({ record, report, setTo, subscribe }) =>
        Effect.gen(function* () {
          yield* subscribe("A", -1_440, until(30))
          yield* setTo(29)
          yield* record("A")
          yield* setTo(31)
          yield* report
          yield* subscribe("B", 30, { follows: "A" })
          yield* setTo(35)
          assert.strictEqual(yield* record("B"), "Recorded")
          yield* setTo(71)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [`${newAccount} calls 10 2`])
        }),
      { sandbox }
    )
  )

  it.effect("has its earlier hours sealed at its cancellation, as they must be accepted soon", () =>
    withWorld(
      ({ ledger, record, report, setTo, subscribe }) =>
        Effect.gen(function* () {
          yield* subscribe("A", -1_440)
          yield* record("A")
          yield* setTo(65)
          yield* record("A")
          yield* ledger.close("A")
          yield* setTo(66)
          yield* subscribe("B", 65, { follows: "A" })
          yield* report
          assert.deepStrictEqual(yield* billedOf, [`${newAccount} calls 10 1`])
          assert.strictEqual(yield* record("B"), "Recorded")
          yield* setTo(181)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [
            `${newAccount} calls 10 1`,
            `${newAccount} calls 11 2`
          ])
        }),
      { sandbox, reporter: { sealAfter: "1 hour" } }
    )
  )
})

describe("a subscription that ends", () => {
  it.effect("has its last hour sealed at its cancellation", () =>
    withWorld(
      ({ ledger, record, report, setTo, subscribe }) =>
        Effect.gen(function* () {
          yield* subscribe("A", -1_440)
          yield* record("A")
          yield* setTo(5)
          yield* ledger.close("A")
          yield* report
          assert.deepStrictEqual(yield* billedOf, [`${newAccount} calls 10 1`])
        }),
      { sandbox }
    )
  )

  it.effect("has its last hour sealed 20 minutes before it must be accepted", () =>
    withWorld(
      ({ record, report, setTo, subscribe }) =>
        Effect.gen(function* () {
          yield* subscribe("A", -1_440, until(5))
          yield* record("A")
          yield* setTo(44)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [])
          yield* setTo(45)
          yield* report
          assert.deepStrictEqual(yield* billedOf, [`${newAccount} calls 10 1`])
        }),
      { sandbox }
    )
  )
})

it.effect("usage of a current hour that is sealed is carried to the next one", () =>
  withWorld(
    ({ ledger, record, report, setTo, subscribe }) =>
      Effect.gen(function* () {
        yield* subscribe("A", -1_440)
        yield* record("A", { id: "first" })
        yield* ledger.close("A")
        yield* setTo(1)
        yield* report
        yield* setTo(2)
        yield* subscribe("B", 1, { follows: "A" })
        assert.strictEqual(yield* record("B"), "Carried")
        yield* ledger.advance({
          source: "log",
          partition: "0",
          to: "1",
          sums: [{ subscription: "B", dimension: "calls", quantity: 2, at: at(start + 2 * minute) }]
        })
        yield* ledger.adjust({ event: "first", quantity: 5, reason: "was wrong" })
        yield* setTo(135)
        yield* report
        assert.deepStrictEqual(yield* billedOf, [
          `${newAccount} calls 10 1`,
          `${newAccount} calls 11 7`
        ])
      }),
    { sandbox, products: { analytics: { ...products.analytics, late: "carry" } as never } }
  )
)

describe("a fraction at the end of a subscription", () => {
  it.effect("is rounded half up in the last hour, also without usage in it", () =>
    withWorld(({ ledger, report, setTo, store }) =>
      Effect.gen(function* () {
        yield* recordRows(store, analyticsOf, "gb", start, 1_999)
        yield* setTo(72)
        yield* report
        yield* ledger.close(analyticsOf)
        yield* setTo(73)
        yield* report
        assert.deepStrictEqual(yield* billedOf, [`${account} gb 10 1`, `${account} gb 11 1`])
        assert.deepStrictEqual(yield* balancesOf(store), [])
      })
    )
  )

  it.effect("is rounded where it is left, when the last hour is sealed before an earlier one", () =>
    withWorld(({ ledger, report, setTo, store }) =>
      Effect.gen(function* () {
        yield* setTo(65)
        yield* recordRows(store, analyticsOf, "gb", start + 62 * minute, 2_000)
        yield* ledger.close(analyticsOf)
        yield* report
        // late usage, and no entry of its hour yet
        yield* recordRows(store, analyticsOf, "gb", start, 700)
        yield* report
        assert.deepStrictEqual(yield* billedOf, [`${account} gb 10 1`, `${account} gb 11 2`])
        assert.deepStrictEqual(yield* balancesOf(store), [])
      })
    )
  )

  it.effect("is kept for the subscription that follows", () =>
    withWorld(({ ledger, report, setTo, store }) =>
      Effect.gen(function* () {
        yield* recordRows(store, analyticsOf, "gb", start, 1_999)
        yield* setTo(72)
        yield* report
        yield* ledger.subscribe({
          ...{ id: "next", product: "analytics", customerAWSAccountId: account },
          ...{ follows: analyticsOf, from: at(start + 71 * minute) }
        })
        yield* setTo(140)
        yield* report
        assert.deepStrictEqual(yield* billedOf, [`${account} gb 10 1`])
        assert.deepStrictEqual(yield* balancesOf(store), [999n])
      })
    )
  )
})

it.effect("a balance beyond its limit keeps only its own hours open", () =>
  withWorld(({ ledger, report, setTo, store }) =>
    Effect.gen(function* () {
      const quantity = Number.MAX_SAFE_INTEGER
      for (const hours of [1, 0]) {
        const usedAt = at(start - hours * 60 * minute)
        yield* ledger.recordAll(
          Array.from({ length: 400 }, () => ({
            ...{ subscription: analyticsOf, dimension: "calls", quantity, at: usedAt }
          }))
        )
        yield* recordRows(store, `search-${account}`, "queries", start - hours * 60 * minute, 3)
      }
      yield* setTo(72)
      yield* report
      assert.deepStrictEqual(yield* billedOf, [
        `${account} calls 09 2147483647`,
        `${account} queries 09 3`,
        `${account} queries 10 3`
      ])
    })
  )
)

it.effect("usage is not carried past a cancellation that another process has stored", () =>
  withWorld(
    ({ record, report, setTo, store, subscribe }) =>
      Effect.gen(function* () {
        yield* subscribe("A", -1_440)
        yield* setTo(59.9)
        assert.strictEqual(yield* record("A"), "Recorded")
        const other = yield* UsageLedger.make({ seller: "acme", target: "sandbox" }).pipe(
          Effect.provideService(UsageLedgerStore.UsageLedgerStore, store)
        )
        yield* other.close("A")
        yield* report
        yield* setTo(60.02)
        const usedAt = at(start + 59.85 * minute)
        assert.strictEqual(yield* record("A", { at: usedAt }), "EventTooLate closed")
      }),
    { sandbox, products: { analytics: { ...products.analytics, late: "carry" } as never } }
  )
)
