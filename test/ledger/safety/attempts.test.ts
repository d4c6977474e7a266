/** Each attempt and each result is stored, early and late. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { LedgerError, type UsageLedgerStore } from "effect-marketplace-metering/ledger"
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
import { makeLedger, minute, statementOf, until } from "./support.js"

const analytics = `analytics-${account}`

/** A client that does something before or after each call with records. */
const around = (
  client: Client,
  change: (call: ReturnType<Client["batchMeterUsage"]>) => ReturnType<Client["batchMeterUsage"]>
): Client => ({
  ...client,
  batchMeterUsage: (request) => {
    const call = client.batchMeterUsage(request)
    return request.usageRecords.length === 0 ? call : change(call)
  }
})

/** A store that stores a call and gives no response to it, while it is away. */
const whileAway = (
  store: UsageLedgerStore.Service,
  isAway: () => boolean
): UsageLedgerStore.Service => ({
  ...store,
  transaction: (body) =>
    Effect.suspend(() => {
      let hasCall = false
      const done = store.transaction((tables) =>
        body({
          ...tables,
          addCall: (row, records) => {
            hasCall = true
            return tables.addCall(row, records)
          }
        })
      )
      return Effect.flatMap(done, (result) =>
        hasCall && isAway()
          ? Effect.fail(new LedgerError.LedgerUnavailable({ reason: "away", isStored: "unknown" }))
          : Effect.succeed(result)
      )
    })
})

describe("an attempt", () => {
  it.effect("is stored before the call is made", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          const ledger = yield* makeLedger(store)
          yield* record(store, analytics, "calls", start, 3)
          const attempts: Array<number> = []
          const client = around(yield* MeteringClient, (call) =>
            Effect.zipRight(
              Effect.orDie(
                Effect.map(statementOf(ledger), (lines) => {
                  for (const line of lines) attempts.push(line.attempts.length)
                })
              ),
              call
            )
          )
          const reporter = yield* Effect.provideService(makeReporter(store), MeteringClient, client)
          yield* until(start + hour + 10 * minute)
          assert.deepInclude(yield* reporter.report, { accepted: 1 })
          assert.deepStrictEqual(attempts, [1])
        })
      )
    )
  )

  it.effect("is resolved by a response that comes after the deadline", () =>
    withSandbox(() =>
      Effect.scoped(
        Effect.gen(function* () {
          const store = yield* makeStore
          yield* record(store, analytics, "calls", start, 3)
          const client = around(yield* MeteringClient, (call) =>
            Effect.zipLeft(call, Effect.sleep(90_000))
          )
          const reporter = yield* Effect.provideService(makeReporter(store), MeteringClient, client)
          yield* until(start + 24 * hour - minute)
          yield* Effect.fork(reporter.report)
          yield* until(start + 24 * hour)
          yield* Effect.fork(reporter.report)
          yield* until(start + 24 * hour + 1)
          assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 3`])
          assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 inDoubt 3`])
          yield* until(start + 24 * hour + 2 * minute)
          assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 accepted 3`])
        })
      )
    )
  )

  it.effect("without a response stays so when a later call was stored and not made", () =>
    withSandbox(
      () =>
        Effect.scoped(
          Effect.gen(function* () {
            const store = yield* makeStore
            yield* record(store, analytics, "calls", start, 3)
            let isAway = false
            const reporter = yield* makeReporter(whileAway(store, () => isAway))
            yield* until(start + hour + 10 * minute)
            yield* reporter.report
            isAway = true
            yield* until(start + 3 * hour)
            yield* Effect.ignore(reporter.report)
            isAway = false
            yield* until(start + 24 * hour)
            yield* reporter.report
            assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 3`])
            assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 inDoubt 3`])
          })
        ),
      // the first call looks at the endpoint
      { faults: { script: [{ fault: "none" }], chances: [{ fault: "cutAfter", probability: 1 }] } }
    )
  )
})
