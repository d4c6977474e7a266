/** Clocks that are wrong: of a worker beside its store, and of a machine whose clock was set later. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect, Scope } from "effect"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { initialize } from "../../src/ledger/internal/transactions/initialize.js"
import { Postgres } from "../support/postgres.js"
import * as support from "./ledgerSupport.js"
import { makeLedger } from "./support/ledgerTest.js"
import { withWorld } from "./support/ledgerWorld.js"
import { stubService } from "./support/stubService.js"

const { account, billedOf, entriesOf, makeReporter, start } = support
const analytics = `analytics-${account}`

/** A clock that is ahead of the machine's. */
const ahead = (millis: number): Clock.Clock => {
  const real = Clock.make()
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
    currentTimeNanos: real.currentTimeNanos,
    sleep: (duration) => real.sleep(duration),
    unsafeCurrentTimeMillis: () => real.unsafeCurrentTimeMillis() + millis,
    currentTimeMillis: Effect.map(real.currentTimeMillis, (now) => now + millis)
  }
}

layer(Postgres.layer)("a worker on PostgreSQL", (it) => {
  it.scoped("reports nothing while its clock is more than a minute off the server's", () =>
    Effect.gen(function* () {
      const { createDatabase } = yield* Postgres
      const store = yield* PgLedgerStore.make({ url: yield* createDatabase })
      const { products } = support
      yield* initialize(store, { seller: "acme", target: "sandbox", products }, "incarnation-1")
      const reporter = yield* makeReporter(store).pipe(
        Effect.provideService(MeteringClient, stubService().client)
      )
      for (const [seconds, place] of [
        [90, "ahead of"],
        [-90, "behind"]
      ] as const) {
        const error = yield* reporter.report.pipe(
          Effect.withClock(ahead(seconds * 1_000)),
          Effect.flip
        )
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "wrongClock" })
        assert.match(
          error.message,
          new RegExp(`this machine is (?:8[5-9]|9\\d) s ${place} that of`)
        )
        assert.deepStrictEqual(yield* store.snapshot((tables) => tables.leases), [])
      }
      for (const seconds of [-20, 20]) {
        const round = yield* reporter.report.pipe(Effect.withClock(ahead(seconds * 1_000)))
        assert.deepInclude(round, { lease: "held" })
      }
    })
  )

  it.scoped("retries, carries forward and recovers nothing while its clock is off", () =>
    Effect.gen(function* () {
      const { createDatabase } = yield* Postgres
      const store = yield* PgLedgerStore.make({ url: yield* createDatabase })
      const { ledger } = yield* makeLedger({}, store)
      const { carryForward, recover, retry } = ledger.operator
      const acts: ReadonlyArray<Effect.Effect<unknown, Effect.Effect.Error<typeof recover>>> = [
        retry(),
        carryForward({}),
        recover
      ]
      for (const act of acts) {
        const error = yield* Effect.flip(Effect.withClock(act, ahead(90_000)))
        assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "wrongClock" })
        yield* Effect.withClock(act, ahead(20_000))
      }
    })
  )
})

describe("after a clock that was ahead", () => {
  it.effect("a lease that ends in hours does not keep other workers from the Region", () =>
    withWorld(({ report, setTo, store }) =>
      Effect.gen(function* () {
        const lost = yield* Scope.extend(
          makeReporter(store, { worker: "lost" }),
          yield* Scope.make()
        )
        yield* setTo(10 * 60)
        assert.deepInclude(yield* lost.report, { lease: "held" })
        yield* setTo(72)
        assert.deepInclude(yield* report, { lease: "held" })
      })
    )
  )

  it.effect("a lease of the longest duration is kept", () =>
    withWorld(({ report, setTo, store }) =>
      Effect.gen(function* () {
        const other = yield* makeReporter(store, { worker: "other", lease: "10 minutes" })
        yield* other.report
        assert.deepInclude(yield* report, { lease: "other" })
        yield* setTo(9)
        assert.deepInclude(yield* report, { lease: "other" })
        yield* setTo(11)
        assert.deepInclude(yield* report, { lease: "held" })
      })
    )
  )

  it.effect("records that it gave up before their deadline are sent again by the operator", () =>
    withWorld(({ ledger, report, setTo, store }) =>
      Effect.gen(function* () {
        yield* support.record(store, analytics, "calls", start, 3)
        yield* setTo(26 * 60)
        yield* report
        yield* report
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 expired 3`])
        yield* setTo(72)
        assert.strictEqual(yield* ledger.operator.retry(), 1)
        yield* report
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 accepted 3`])
        assert.deepStrictEqual(yield* billedOf, [`${account} calls 10 3`])
        assert.strictEqual(yield* ledger.operator.retry(), 0)
      })
    )
  )

  it.effect("records past their deadline, accepted or carried forward are not sent again", () =>
    withWorld(({ ledger, report, setTo, store }) =>
      Effect.gen(function* () {
        yield* support.record(store, analytics, "calls", start, 3)
        yield* setTo(24 * 60)
        yield* report
        // sealed in the first round, given up in the second
        yield* report
        assert.strictEqual(yield* ledger.operator.retry(), 0)
        yield* setTo(26 * 60)
        assert.strictEqual(yield* ledger.operator.carryForward({}), 1)
        yield* setTo(72)
        assert.strictEqual(yield* ledger.operator.retry(), 0)
      })
    )
  )
})
