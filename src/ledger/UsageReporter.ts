/**
 * Reports the recorded usage to AWS: seals each hour after its end, and sends its records until they are accepted or their deadline
 * has passed.
 *
 * Any number of workers may run. In each Region one worker holds the lease and sends records, within the account's quota. If it stops
 * or loses its connection, another worker takes over. A worker that resumes after it lost the lease does no harm: its calls fail
 * before they are sent, or they contain exactly the records that are sealed in the ledger.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberHandle from "effect/FiberHandle"
import * as FiberMap from "effect/FiberMap"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/RateLimiter"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { MeteringClient } from "../MeteringClient.js"
import { toStorable } from "./internal/model/text.js"
import { makeUuid7 } from "./internal/model/uuid.js"
import { maxLength } from "./internal/recording/prepareEvent.js"
import { type Options, resolveOptions } from "./internal/reporter/options.js"
import * as pendingWrites from "./internal/reporter/pendingWrites.js"
import * as roundFailures from "./internal/reporter/roundFailures.js"
import { type Sent, sendProduct } from "./internal/reporter/sendProduct.js"
import * as targetCheck from "./internal/reporter/targetCheck.js"
import { readSnapshot } from "./internal/service/ledgerSnapshot.js"
import * as leases from "./internal/transactions/lease.js"
import { seal } from "./internal/transactions/seal.js"
import { dueProducts, expire } from "./internal/transactions/send.js"
import { LedgerConfigError, type LedgerRolledBack, type LedgerUnavailable } from "./LedgerError.js"
import { UsageLedgerStore } from "./UsageLedgerStore.js"

export type { Options } from "./internal/reporter/options.js"

/**
 * The result of one round of a reporter.
 *
 * - `lease`: `held` if this worker holds the lease, `other` if another worker does
 * - `sealed`: number of entries that were sealed
 * - `expired`: number of records whose deadline has passed
 * - `sent`: number of records that were part of a call
 * - `accepted`: number of records that were accepted
 *
 * @since 0.1.0
 * @category models
 */
export interface Round {
  readonly lease: "held" | "other"
  readonly sealed: number
  readonly expired: number
  readonly sent: number
  readonly accepted: number
}

/**
 * The errors of a round. After `LedgerUnavailable` the next round may succeed. `LedgerConfigError` (for example a clock that differs
 * from PostgreSQL's by more than a minute) and `LedgerRolledBack` need an operator.
 *
 * @since 0.1.0
 * @category errors
 */
export type ReportError = LedgerUnavailable | LedgerConfigError | LedgerRolledBack

/**
 * A reporter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** The name of this worker. */
  readonly worker: string
  /** Runs a round now, and waits until everything that is due was sent. */
  readonly report: Effect.Effect<Round, ReportError>
}

/**
 * A reporter of usage.
 *
 * @since 0.1.0
 * @category tags
 */
export class UsageReporter extends Context.Tag("effect-marketplace-metering/UsageReporter")<
  UsageReporter,
  Service
>() {}

/**
 * Makes a reporter that runs a round only when `report` is called. When its scope closes, calls in flight end within the grace
 * period, and the lease is released.
 *
 * Fails with `LedgerConfigError` if the options are invalid, if the store has no ledger, if the ledger has products in several
 * Regions and `region` is not set, or if the client calls another Region.
 *
 * The target of the ledger and the endpoint of the client have to match. The reporter makes a call without records to find out if the
 * endpoint is AWS or a sandbox, and fails with `LedgerConfigError` if the ledger has the other target. If the endpoint does not
 * respond within 5 seconds, the check is repeated before anything is sent.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<
  Service,
  LedgerConfigError | LedgerUnavailable,
  UsageLedgerStore | MeteringClient | Scope.Scope
> => Effect.map(makeWorker(options), ({ service }) => service)

/** After this time without a response of the endpoint, the reporter starts, and checks the target later. */
const targetTimeout = "5 seconds"

const makeWorker = (options: Options) =>
  Effect.gen(function* () {
    const store = yield* UsageLedgerStore
    const client = yield* MeteringClient
    const {
      gracePeriod,
      interval,
      lease: duration,
      rate,
      sealAfter,
      ...given
    } = yield* resolveOptions(options)
    const region = yield* regionOf(store, given.region)
    if (client.region !== undefined && client.region !== region) {
      return yield* new LedgerConfigError({
        reason: "otherRegion",
        detail: `The usage is reported in ${region}, and the client calls ${client.region}`,
        cure: "Give the client the Region of the products: usage that is sent to two Regions is billed twice."
      })
    }
    const target = targetCheck.make(store, client)
    yield* Effect.timeoutOption(target.confirm, targetTimeout)
    const worker = toStorable(given.worker ?? (yield* makeUuid7()), maxLength)
    const limit = yield* RateLimiter.make({ limit: 1, interval: Math.ceil(1000 / rate) })
    const writes = pendingWrites.make(store, worker)
    const sending = yield* FiberMap.make<string, Sent, LedgerUnavailable>()
    const settingGauges = yield* FiberHandle.make<void>()
    const stop = yield* Deferred.make<void>()
    let seen: leases.Seen | undefined
    let current: leases.Lease | undefined
    let nextGauges = Number.NEGATIVE_INFINITY

    /** Releases the lease if this worker holds it. */
    const release = Effect.gen(function* () {
      if (current === undefined) return
      const now = yield* Clock.currentTimeMillis
      yield* Effect.ignoreLogged(leases.release(store, current, now))
      current = undefined
    })

    yield* Effect.addFinalizer(() =>
      Effect.gen(function* () {
        yield* Deferred.succeed(stop, undefined)
        // calls may take the grace period, and storing their results a few seconds more
        yield* Effect.timeoutOption(
          Effect.interruptible(Effect.ignore(FiberMap.awaitEmpty(sending))),
          Duration.sum(gracePeriod, "10 seconds")
        )
        yield* Effect.ignoreLogged(writes.flush)
        yield* release
      })
    )

    /** Acquires or renews the lease. Returns `undefined` if another worker holds it. */
    const renew = Effect.flatMap(
      Effect.zipRight(leases.checkClock(store), Clock.currentTimeMillis),
      (now) => leases.lease(store, { region, worker, now, duration, sealAfter, seen })
    ).pipe(
      Effect.map((leased) => {
        seen = leased.seen
        current = leased.lease
        return leased.lease
      }),
      Effect.catchTag("LeaseLost", () => {
        current = undefined
        return Effect.succeed(undefined)
      })
    )

    /** Renews the lease while the effect runs. A failed renewal is only logged, because the lease is still valid until it ends. */
    const renewing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.raceFirst(
        effect,
        renew.pipe(
          Effect.catchTag("LedgerUnavailable", (error) =>
            Effect.logWarning(`the lease of ${region} was not renewed: ${error.message}`)
          ),
          Effect.delay(duration / 3),
          Effect.forever
        )
      )

    /** Expires records and seals hours. Returns the products that have records to send. */
    const prepare = (
      lease: leases.Lease,
      products: ReadonlyArray<string>
    ): Effect.Effect<Prepared, LedgerConfigError | LedgerUnavailable> =>
      Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const expired = yield* untilZero(expire(store, now))
        const sealed = yield* untilZero(seal(store, { lease, now, sealAfter })).pipe(
          Effect.catchTag("LeaseLost", () => Effect.succeed(0))
        )
        const due = yield* dueProducts(store, { region, products, now })
        const isConfirmed = due.length === 0 || (yield* target.confirm)
        return { sealed, expired, due: isConfirmed ? due : [] }
      })

    /** Sets the gauges, and schedules the next time. */
    const setGauges = Effect.gen(function* () {
      const begun = yield* Clock.currentTimeMillis
      yield* Effect.catchAllCause(readSnapshot(store), (cause) =>
        Cause.isInterruptedOnly(cause)
          ? Effect.void
          : Effect.logWarning("the gauges of the ledger were not set", cause)
      )
      const end = yield* Clock.currentTimeMillis
      nextGauges = end + Math.max(gaugeInterval, gaugeFactor * (end - begun))
    })

    /** Seals hours, expires records, and forks the sending of due records. */
    const begin = Effect.gen(function* () {
      const products = yield* productsIn(store, region)
      // even if another worker holds the lease, because that worker may need these results
      yield* writes.flush
      const lease = yield* renew
      if (lease === undefined) return { lease: "other" as const, sealed: 0, expired: 0, fibers: [] }
      const { due, expired, sealed } = yield* renewing(prepare(lease, products)).pipe(
        // this worker cannot send, so another one has to take over
        Effect.tapErrorTag("LedgerConfigError", () => release)
      )
      const fibers = yield* Effect.forEach(due, (product) =>
        FiberMap.run(
          sending,
          product,
          sendProduct(product, {
            store,
            client,
            lease,
            writes,
            limit,
            rate,
            gracePeriod,
            onRequestId: target.observe,
            stop: Deferred.await(stop),
            isStopped: Deferred.isDone(stop)
          }).pipe(
            Effect.tapErrorCause((cause) =>
              Cause.isInterruptedOnly(cause)
                ? Effect.void
                : Effect.logError(`sending of ${product} in ${region} failed`, cause)
            )
          ),
          { onlyIfMissing: true }
        )
      )
      const now = yield* Clock.currentTimeMillis
      if (now >= nextGauges) {
        // in the background, because it reads a lot, and its failure must not fail the round
        yield* FiberHandle.run(settingGauges, setGauges, { onlyIfMissing: true })
      }
      return { lease: "held" as const, sealed, expired, fibers }
    }).pipe(Effect.withSpan("UsageReporter.round", { captureStackTrace: false }))

    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)
    const round = oneAtATime(begin)

    const service: Service = {
      worker,
      report: Effect.gen(function* () {
        const { expired, fibers, lease, sealed } = yield* round
        const exits = yield* renewing(Effect.forEach(fibers, Fiber.await))
        let sent = 0
        let accepted = 0
        for (const exit of exits) {
          if (Exit.isSuccess(exit)) {
            sent += exit.value.sent
            accepted += exit.value.accepted
          } else if (!Cause.isInterruptedOnly(exit.cause))
            return yield* Effect.failCause(exit.cause)
        }
        return { lease, sealed, expired, sent, accepted }
      })
    }
    return { service, round, interval }
  })

/** Interval at which the gauges of `LedgerMetrics` are set, in milliseconds. */
const gaugeInterval = 60_000

/** The interval is at least this many times the duration of setting the gauges, so that a large ledger is read less often. */
const gaugeFactor = 20

interface Prepared {
  readonly sealed: number
  readonly expired: number
  readonly due: ReadonlyArray<string>
}

/** Repeats a transaction until it returns 0. Returns the sum. */
const untilZero = <E, R>(step: Effect.Effect<number, E, R>): Effect.Effect<number, E, R> =>
  Effect.iterate(
    { total: 0, last: 1 },
    {
      while: ({ last }) => last > 0,
      body: ({ total }) => Effect.map(step, (count) => ({ total: total + count, last: count }))
    }
  ).pipe(Effect.map(({ total }) => total))

/** Returns the given Region, which defaults to the only Region of the ledger's products. */
const regionOf = (
  store: UsageLedgerStore["Type"],
  region: string | undefined
): Effect.Effect<string, LedgerConfigError | LedgerUnavailable> =>
  store
    .snapshot((tables) => Effect.zipRight(leases.requireLedger(tables), tables.products))
    .pipe(
      Effect.flatMap((rows) => {
        const [only, ...others] = new Set(rows.map((row) => row.region))
        if (region !== undefined) return Effect.succeed(region)
        if (only === undefined) {
          return new LedgerConfigError({
            reason: "notInitialized",
            detail: "The ledger has no products",
            cure: "Declare products by UsageLedger.layer, or by `ledger init`."
          })
        }
        return others.length === 0
          ? Effect.succeed(only)
          : new LedgerConfigError({
              reason: "invalidOptions",
              detail: `The ledger has products in ${[only, ...others].join(", ")}`,
              cure: "Give the reporter one region, that of its client."
            })
      })
    )

const productsIn = (store: UsageLedgerStore["Type"], region: string) =>
  Effect.map(
    store.snapshot((tables) => tables.products),
    (rows) => rows.filter((row) => row.region === region).map(({ product }) => product)
  )

/**
 * A reporter that runs a round every `interval` until its scope closes. A failed round does not delay the next one, and a slow
 * product does not delay the others.
 *
 * Fails as `make` does. If a later round fails, the error is logged, at most every 10 minutes while the same error persists. See also
 * `UsageLedger.health`.
 *
 * @example
 * ```ts
 * import { DateTime, Effect, Layer } from "effect"
 * import { MeteringClient } from "effect-marketplace-metering"
 * import { SqliteLedgerStore, UsageLedger, UsageReporter } from "effect-marketplace-metering/ledger"
 * import * as Node from "effect-marketplace-metering/node"
 *
 * const products = {
 *   analytics: {
 *     region: "us-east-1",
 *     productCode: "4v9hm1u3i5p7l3c0",
 *     dimensions: { "api-calls": {} }
 *   }
 * }
 *
 * // the ledger is made before the reporter looks for it
 * const LedgerLive = UsageReporter.layer().pipe(
 *   Layer.provideMerge(UsageLedger.layer({ seller: "111122223333", target: "sandbox", products })),
 *   Layer.provide(SqliteLedgerStore.layer({ file: "metered-usage.db" })),
 *   Layer.provide(MeteringClient.layer),
 *   Layer.provide(Node.layer)
 * )
 *
 * const program = Effect.gen(function* () {
 *   yield* UsageLedger.subscribe({
 *     id: "agmt-1234",
 *     product: "analytics",
 *     customerAWSAccountId: "222233334444",
 *     from: DateTime.unsafeMake("2026-11-01")
 *   })
 *   yield* UsageLedger.record({ subscription: "agmt-1234", dimension: "api-calls", quantity: 3 })
 *   return yield* UsageLedger.status
 * }).pipe(Effect.provide(LedgerLive))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  UsageReporter,
  LedgerConfigError | LedgerUnavailable,
  UsageLedgerStore | MeteringClient
> =>
  Layer.scoped(
    UsageReporter,
    Effect.flatMap(makeWorker(options), ({ interval, round, service }) =>
      Effect.as(
        Effect.forkScoped(
          Effect.repeat(roundFailures.makeLogging()(round), Schedule.spaced(interval))
        ),
        service
      )
    )
  )
