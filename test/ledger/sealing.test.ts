/** The time at which hours are sealed, beside subscriptions that end, are renewed or are replaced. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { at, billedOf, products, start } from "./ledgerSupport.js"
import { minute, newAccount, withWorld } from "./support/ledgerWorld.js"

const until = (minutes: number) => ({ until: at(start + minutes * minute) })

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
