/** Workers that share a Region: slow rounds, calls without an end, and a database of an earlier time. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { LedgerError, UsageLedgerStore, UsageReporter } from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { recover } from "../../src/ledger/internal/transactions/pause.js"
import * as support from "./ledgerSupport.js"
import { withWorld } from "./support/ledgerWorld.js"

const { account, entriesOf, makeReporter, makeStore, start } = support
const analytics = `analytics-${account}`

/** Starts reporters that make rounds by themselves, some seconds apart, until the scope closes. */
const startLayers = (store: UsageLedgerStore.Service, workers: ReadonlyArray<string>) =>
  Effect.forEach(workers, (worker) =>
    Effect.zipRight(
      Effect.flatMap(Effect.scope, (scope) =>
        Layer.buildWithScope(Layer.fresh(UsageReporter.layer({ worker })), scope)
      ),
      Effect.sleep("7 seconds")
    )
  ).pipe(
    Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
    Logger.withMinimumLogLevel(LogLevel.None)
  )

describe("a worker", () => {
  for (const table of ["stateCounts", "dueRecords"] as const) {
    it.effect(`keeps its lease while it reads for longer (${table})`, () =>
      withWorld(({ setTo, store }) =>
        Effect.gen(function* () {
          yield* support.record(store, analytics, "calls", start, 3)
          yield* setTo(71)
          const slow: UsageLedgerStore.Service = {
            ...store,
            snapshot: (body) =>
              Effect.suspend(() => {
                let isSlow = false
                const seen = store.snapshot((tables) =>
                  body(
                    new Proxy(tables, {
                      get: (target, name) => {
                        if (name === table) isSlow = true
                        return Reflect.get(target, name)
                      }
                    })
                  )
                )
                return Effect.tap(seen, () => (isSlow ? Effect.sleep("70 seconds") : Effect.void))
              })
          }
          yield* startLayers(slow, ["one", "two"])
          yield* Effect.sleep("10 minutes")
          assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 accepted 3`])
        }).pipe(Effect.scoped)
      )
    )
  }

  it.effect("observes a ledger that takes long to read less often", () =>
    withWorld(({ store }) =>
      Effect.gen(function* () {
        let observations = 0
        const slow: UsageLedgerStore.Service = {
          ...store,
          snapshot: (body) =>
            Effect.suspend(() => {
              const before = observations
              const read = store.snapshot((tables) =>
                body({
                  ...tables,
                  stateCounts: (hour) => {
                    observations += 1
                    return tables.stateCounts(hour)
                  }
                })
              )
              return Effect.tap(read, () =>
                observations > before ? Effect.sleep("30 seconds") : Effect.void
              )
            })
        }
        yield* startLayers(slow, ["one"])
        yield* Effect.sleep("1 hour")
        assert.isAtLeast(observations, 4)
        assert.isAtMost(observations, 7)
      }).pipe(Effect.scoped)
    )
  )

  it.effect("keeps its round while the store is away for a renewal of the lease", () =>
    withWorld(({ setTo, store }) =>
      Effect.gen(function* () {
        yield* support.record(store, analytics, "calls", start, 3)
        yield* setTo(71)
        const client = yield* MeteringClient
        let isAway = false
        let failures = 0
        const failing: UsageLedgerStore.Service = {
          ...store,
          transaction: (body) =>
            Effect.suspend(() => {
              if (!isAway) return store.transaction(body)
              failures += 1
              return Effect.fail(
                new LedgerError.LedgerUnavailable({ reason: "planted", isStored: "no" })
              )
            })
        }
        const { report } = yield* makeReporter(failing).pipe(
          Effect.provideService(MeteringClient, {
            ...client,
            batchMeterUsage: (request) =>
              request.usageRecords.length === 0
                ? client.batchMeterUsage(request)
                : Effect.gen(function* () {
                    isAway = true
                    yield* Effect.sleep("30 seconds")
                    isAway = false
                    yield* Effect.sleep("70 seconds")
                    return yield* client.batchMeterUsage(request)
                  })
          })
        )
        const { accepted } = yield* report
        assert.strictEqual(accepted, 1)
        assert.isAtLeast(failures, 1)
      }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))
    )
  )

  it.effect("gives up a call that does not end, and tries its records again", () =>
    withWorld(({ setTo, store }) =>
      Effect.gen(function* () {
        yield* support.record(store, analytics, "calls", start, 3)
        yield* setTo(71)
        const client = yield* MeteringClient
        const calls = { withRecords: 0, withoutRecords: 0 }
        yield* startLayers(store, ["one"]).pipe(
          Effect.provideService(MeteringClient, {
            ...client,
            batchMeterUsage: (request) =>
              Effect.suspend(() => {
                const kind = request.usageRecords.length > 0 ? "withRecords" : "withoutRecords"
                calls[kind] += 1
                return calls[kind] < 4 ? Effect.never : client.batchMeterUsage(request)
              })
          })
        )
        yield* Effect.sleep("30 minutes")
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 accepted 3`])
      }).pipe(Effect.scoped)
    )
  )

  it.effect("notices a database from before a recovery that it has seen", () =>
    withWorld(() =>
      Effect.gen(function* () {
        const earlier = yield* makeStore
        const later = yield* makeStore
        let store = later
        const scope = yield* Scope.make()
        const { report } = yield* Scope.extend(
          makeReporter({
            ...store,
            snapshot: (body) => store.snapshot(body),
            transaction: (body) => store.transaction(body)
          }),
          scope
        )
        const warmUp = yield* makeReporter(earlier)
        for (let round = 0; round < 3; round += 1) yield* warmUp.report
        yield* recover(later, { incarnation: "incarnation-2", now: start })
        yield* report
        store = earlier
        const error = yield* Effect.flip(report)
        assert.strictEqual(error._tag, "LedgerRolledBack")
        // and goes on after the recovery of the earlier one
        yield* recover(earlier, { incarnation: "incarnation-3", now: start + 1_000_000 })
        assert.deepInclude(yield* report, { sent: 0 })
        yield* Scope.close(scope, Exit.void)
      }).pipe(Effect.scoped)
    )
  )
})
