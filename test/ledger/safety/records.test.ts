/** The hours that are reported, and until when. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either } from "effect"
import { MemoryLedgerStore } from "effect-marketplace-metering/ledger"
import {
  account,
  at,
  billedOf,
  entriesOf,
  hour,
  makeReporter,
  makeStore,
  record,
  scenario,
  start,
  withSandbox
} from "../ledgerSupport.js"
import { makeLedger, minute, until } from "./support.js"

const analytics = `analytics-${account}`
const lastEvening = Date.UTC(2026, 10, 30, 20)
const monthEnd = Date.UTC(2026, 11, 1, 6)

describe("a record", () => {
  for (const [title, time, expected] of [
    ["is sent until 06:00 UTC on the first of the next month", monthEnd - 1, { accepted: 1 }],
    ["has expired at 06:00 UTC on the first of the next month", monthEnd, { expired: 0, sent: 0 }]
  ] as const) {
    it.effect(title, () =>
      withSandbox(() =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* makeStore
            yield* record(store, analytics, "calls", lastEvening, 3)
            const reporter = yield* makeReporter(store)
            yield* until(time)
            assert.deepInclude(yield* reporter.report, expected)
            yield* reporter.report
            const state = time < monthEnd ? "accepted" : "expired"
            assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 20 ${state} 3`])
          })
        )
      )
    )
  }

  it.effect("has expired one hour after the end of its subscription", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          const ledger = yield* makeLedger(store)
          yield* record(store, analytics, "calls", start, 3)
          yield* until(start + 20 * minute)
          yield* ledger.close(analytics)
          const reporter = yield* makeReporter(store)
          yield* until(start + hour + 20 * minute)
          assert.deepInclude(yield* reporter.report, { sealed: 1, sent: 0 })
          yield* reporter.report
          assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 expired 3`])
        })
      )
    )
  )

  it.effect("of the last hour of a subscription has its fraction rounded", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          const ledger = yield* makeLedger(store)
          yield* record(store, analytics, "gb", start, 1_500)
          yield* until(start + 20 * minute)
          yield* ledger.close(analytics)
          const reporter = yield* makeReporter(store)
          assert.deepInclude(yield* reporter.report, { sealed: 1, accepted: 1 })
          assert.deepStrictEqual(yield* billedOf, [`${account} gb 10 2`])
        })
      )
    )
  )
})

it.effect("reports 0 once for each hour without usage, and the usage of the others", () =>
  withSandbox(
    () =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = MemoryLedgerStore.make()
          const ledger = yield* makeLedger(store, {
            products: {
              search: {
                region: "us-east-1",
                productCode: "search-code",
                dimensions: { nodes: { zeroFill: true } }
              }
            }
          })
          const id = "subscription"
          yield* ledger.subscribe({
            ...{ id, product: "search", customerAWSAccountId: account },
            from: at(start)
          })
          const reporter = yield* makeReporter(store)
          for (const [time, usage] of [
            [0, 0],
            [1, 5],
            [2, 0],
            // the rounds of three hours are missing
            [5, 7]
          ] as const) {
            yield* until(start + time * hour + minute)
            if (usage > 0) {
              yield* ledger.record({ subscription: id, dimension: "nodes", quantity: usage })
            }
            yield* Effect.sleep(10 * minute)
            yield* reporter.report
          }
          yield* until(start + 6 * hour + 10 * minute)
          yield* reporter.report
          assert.deepStrictEqual(
            yield* billedOf,
            [0, 5, 0, 0, 0, 7].map((units, index) => `${account} nodes ${10 + index} ${units}`)
          )
        })
      ),
    { products: [{ code: "search-code", dimensions: ["nodes"] }], customers: customersOfSearch() }
  )
)

function customersOfSearch() {
  return (scenario.customers ?? []).map((customer) => ({
    ...customer,
    agreements: customer.agreements.filter(({ productCode }) => productCode === "search-code")
  }))
}

it.effect("stores what fits into an hour of a batch that does not fit as a whole", () =>
  withSandbox(() =>
    Effect.scoped(
      Effect.gen(function* () {
        const store = yield* makeStore
        const ledger = yield* makeLedger(store)
        const results = yield* ledger.recordAll(
          Array.from({ length: 600 }, (_, index) => ({
            id: `${index}`,
            subscription: analytics,
            dimension: "calls",
            quantity: Number.MAX_SAFE_INTEGER
          }))
        )
        // a sum is at most 2^62
        assert.deepStrictEqual(
          results.map(Either.isRight),
          Array.from({ length: 600 }, (_, index) => index < 512)
        )
        const sum = 512n * BigInt(Number.MAX_SAFE_INTEGER)
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 open ${sum}`])
      })
    )
  )
)
