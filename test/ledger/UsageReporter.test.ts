import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as support from "./ledgerSupport.js"

const {
  account,
  entriesOf,
  billedOf,
  hour,
  makeReporter,
  makeStore,
  otherAccount,
  start,
  withSandbox
} = support
const analytics = `analytics-${account}`
const search = `search-${account}`

const setTo = (time: { readonly set: (millis: number) => void }, millis: number) =>
  Effect.sync(() => time.set(millis - start))

describe("report", () => {
  it.effect("bills the sum of each hour that is over, once", () =>
    withSandbox((time) =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          yield* support.record(store, analytics, "calls", start, 3)
          yield* support.record(store, analytics, "calls", start + 10, 4)
          yield* support.record(store, search, "queries", start + 10, 5)
          yield* support.record(store, analytics, "calls", start + hour, 9)
          const reporter = yield* makeReporter(store)
          assert.deepInclude(yield* reporter.report, { lease: "held", sealed: 0, sent: 0 })
          yield* setTo(time, start + hour + 10 * 60_000)
          assert.deepInclude(yield* reporter.report, { sealed: 2, sent: 2, accepted: 2 })
          assert.deepInclude(yield* reporter.report, { sealed: 0, sent: 0 })
          assert.deepStrictEqual(yield* billedOf, [
            `${account} calls 10 7`,
            `${account} queries 10 5`
          ])
          assert.deepStrictEqual(yield* entriesOf(store), [
            `${analytics} calls 10 accepted 7`,
            `${search} queries 10 accepted 5`,
            `${analytics} calls 11 open 9`
          ])
        })
      )
    )
  )

  it.effect("bills once after a lost response, and carries fractions", () =>
    withSandbox(
      (time) =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* makeStore
            yield* support.record(store, analytics, "gb", start, 1_700)
            yield* support.record(store, analytics, "gb", start + hour, 1_700)
            const reporter = yield* makeReporter(store)
            yield* setTo(time, start + 2 * hour + 10 * 60_000)
            assert.deepInclude(yield* reporter.report, { sealed: 2, sent: 2, accepted: 2 })
            assert.deepStrictEqual(yield* billedOf, [`${account} gb 10 1`, `${account} gb 11 2`])
          })
        ),
      // the first call looks at the endpoint
      { faults: { script: [{ fault: "none" }, { fault: "cutAfter" }] } }
    )
  )

  it.effect(
    "does not hold up one product for another that is rejected, and says which is paused",
    () =>
      withSandbox(
        (time) =>
          Effect.scoped(
            Effect.gen(function* () {
              const store = yield* makeStore
              yield* support.record(store, analytics, "calls", start, 3)
              yield* support.record(store, search, "queries", start, 4)
              const client = yield* MeteringClient
              const reporter = yield* makeReporter(store).pipe(
                Effect.provideService(MeteringClient, {
                  ...client,
                  batchMeterUsage: (request) =>
                    client.batchMeterUsage(
                      request.productCode === "search-code" && request.usageRecords.length > 0
                        ? { ...request, productCode: "unknown-code" }
                        : request
                    )
                })
              )
              yield* setTo(time, start + hour + 10 * 60_000)
              assert.deepInclude(yield* reporter.report, { sealed: 2, accepted: 1 })
              assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 3`])
              const pauses = yield* store.snapshot((tables) => tables.pauses)
              assert.deepStrictEqual(
                pauses.map(({ product }) => product),
                ["search"]
              )
            })
          ),
        {}
      )
  )

  it.effect("lets a second worker wait, and take over when the first has ended", () =>
    withSandbox((time) =>
      Effect.gen(function* () {
        const store = yield* makeStore
        yield* support.record(store, analytics, "calls", start, 3)
        yield* setTo(time, start + hour + 10 * 60_000)
        const first = yield* Scope.make()
        const second = yield* Scope.make()
        const one = yield* Scope.extend(makeReporter(store, { worker: "one" }), first)
        const two = yield* Scope.extend(makeReporter(store, { worker: "two" }), second)
        assert.deepInclude(yield* one.report, { lease: "held", accepted: 1 })
        assert.deepInclude(yield* two.report, { lease: "other", sent: 0 })
        yield* Scope.close(first, Exit.void)
        assert.deepInclude(yield* two.report, { lease: "held" })
        yield* Scope.close(second, Exit.void)
      })
    )
  )

  it.effect("leaves an attempt without a response in doubt at the deadline", () =>
    withSandbox(
      (time) =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* makeStore
            yield* support.record(store, analytics, "calls", start, 3)
            yield* support.record(store, `analytics-${otherAccount}`, "calls", start + hour, 3)
            const reporter = yield* makeReporter(store)
            yield* setTo(time, start + hour + 10 * 60_000)
            yield* reporter.report
            yield* setTo(time, start + 24 * hour)
            yield* reporter.report
            assert.include(yield* entriesOf(store), `${analytics} calls 10 inDoubt 3`)
          })
        ),
      { faults: { script: [{ fault: "none" }], chances: [{ fault: "cutBefore", probability: 1 }] } }
    )
  )

  it.effect("stops the Region at a duplicate that this ledger cannot explain", () =>
    withSandbox((time) =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          const client = yield* MeteringClient
          yield* client.batchMeterUsage({
            productCode: "analytics-code",
            usageRecords: [
              {
                timestamp: support.at(start),
                dimension: "calls",
                quantity: 1,
                customerAWSAccountId: account
              }
            ]
          })
          yield* support.record(store, analytics, "calls", start, 3)
          yield* support.record(store, analytics, "calls", start + hour, 3)
          const reporter = yield* makeReporter(store)
          yield* setTo(time, start + hour + 10 * 60_000)
          yield* reporter.report
          yield* setTo(time, start + 2 * hour + 10 * 60_000)
          assert.deepInclude(yield* reporter.report, { sent: 0 })
          assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 1`])
          assert.include(yield* entriesOf(store), `${analytics} calls 10 conflicting 3`)
        })
      )
    )
  )
})
