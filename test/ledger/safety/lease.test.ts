/** One worker at a time sends, and none after a restored backup. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { type Service as Client, MeteringClient } from "effect-marketplace-metering/MeteringClient"
import {
  account,
  billedOf,
  entriesOf,
  hour,
  makeReporter,
  makeStore,
  record,
  start,
  withSandbox
} from "../ledgerSupport.js"
import { minute, until } from "./support.js"

const analytics = `analytics-${account}`

describe("a worker", () => {
  it.effect("sends nothing after another has taken over", () =>
    withSandbox(
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* makeStore
            yield* record(store, analytics, "calls", start, 3)
            const client = yield* MeteringClient
            const wake = yield* Deferred.make<void>()
            const senders: Array<string> = []
            const clientOf = (worker: string, before: Effect.Effect<void>): Client => ({
              ...client,
              batchMeterUsage: (request) => {
                if (request.usageRecords.length === 0) {
                  return Effect.zipRight(before, client.batchMeterUsage(request))
                }
                senders.push(worker)
                return client.batchMeterUsage(request)
              }
            })
            const reporterOf = (worker: string, before: Effect.Effect<void>, own = store) =>
              Effect.provideService(
                makeReporter(own, { worker }),
                MeteringClient,
                clientOf(worker, before)
              )
            let isFrozen = false
            const frozenStore: typeof store = {
              ...store,
              transaction: (body) =>
                Effect.suspend(() =>
                  isFrozen
                    ? Effect.zipRight(Deferred.await(wake), store.transaction(body))
                    : store.transaction(body)
                )
            }
            let isMade = false
            // its endpoint does not respond before it is made, so that a round looks at it again
            const freeze = Effect.suspend(() => {
              isFrozen = isMade
              return isMade ? Deferred.await(wake) : Effect.never
            })
            const one = yield* reporterOf("one", freeze, frozenStore)
            isMade = true
            const two = yield* reporterOf("two", Effect.void)
            yield* until(start + hour + 10 * minute)
            const frozen = yield* Effect.fork(one.report)
            yield* Effect.sleep(minute + 1)
            assert.deepInclude(yield* two.report, { lease: "held", accepted: 0 })
            // the record is to be sent again, and the lease still holds
            yield* Effect.sleep(30_000)
            isFrozen = false
            yield* Deferred.succeed(wake, undefined)
            assert.deepInclude(yield* Fiber.join(frozen), { sent: 0 })
            assert.deepStrictEqual([...new Set(senders)], ["two"])
          })
        ),
      {
        faults: {
          // both look at the endpoint first
          script: [{ fault: "none" }],
          chances: [{ fault: "throttling", probability: 1 }]
        }
      }
    )
  )

  it.effect("takes over a minute after another was last seen", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          const one = yield* makeReporter(store, { worker: "one" })
          const two = yield* makeReporter(store, { worker: "two" })
          assert.deepInclude(yield* one.report, { lease: "held" })
          yield* Effect.sleep(minute - 1)
          assert.deepInclude(yield* two.report, { lease: "other" })
          yield* Effect.sleep(1)
          assert.deepInclude(yield* two.report, { lease: "held" })
          assert.deepInclude(yield* one.report, { lease: "other" })
        })
      )
    )
  )

  it.effect("stops at a database that is older than it has seen, until an operator recovers", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          let current = yield* makeStore
          const store: UsageLedgerStore.Service = {
            description: current.description,
            transaction: (body) => current.transaction(body),
            snapshot: (body) => current.snapshot(body),
            recordEvents: (events, now) => current.recordEvents(events, now)
          }
          yield* record(store, analytics, "calls", start, 3)
          const reporter = yield* makeReporter(store)
          yield* until(start + hour + 10 * minute)
          assert.deepInclude(yield* reporter.report, { accepted: 1 })
          // the backup knows nothing of the record, and of less usage
          current = yield* makeStore
          yield* record(store, analytics, "calls", start, 2)
          const error = yield* Effect.flip(reporter.report)
          assert.strictEqual(error._tag, "LedgerRolledBack")
          yield* Effect.ignore(reporter.report)
          assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 open 2`])
          assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 3`])
        })
      )
    )
  )
})
