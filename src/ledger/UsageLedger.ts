/**
 * Records usage durably and bills each unit once.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type {
  EntryFilter,
  Event,
  EventError,
  Options,
  Recorded,
  Service,
  Subscription
} from "./internal/contract.js"
import { completeAllOnce, completeOnce } from "./internal/recording/request.js"
import { makeLedger } from "./internal/service/makeLedger.js"
import type {
  EventTooLate,
  InvalidEvent,
  LedgerConfigError,
  LedgerUnavailable,
  SourceConflict,
  SubscriptionConflict,
  UnknownSubscription
} from "./LedgerError.js"
import type {
  Difference,
  Entry,
  Health,
  HourlyCount,
  StatementLine,
  Status
} from "./LedgerReport.js"
import { UsageLedgerStore } from "./UsageLedgerStore.js"

export type {
  EntryFilter,
  Event,
  EventError,
  Options,
  Product,
  Quantity,
  Recorded,
  Service,
  Subscription
} from "./internal/contract.js"

/**
 * A ledger of usage.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = Effect.flatMap(UsageLedger.UsageLedger, (ledger) => ledger.status)
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class UsageLedger extends Context.Tag("effect-marketplace-metering/UsageLedger")<
  UsageLedger,
  Service
>() {}

/**
 * Makes a ledger on a store. The first time, stores the seller and the target; later, checks that they are the same. Also stores
 * the products. When the scope closes, waiting events are stored first.
 *
 * Fails with `LedgerConfigError` if the store belongs to another seller or target or was written by a newer version, or if the
 * Region, the code or a scale of a product has changed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Service, LedgerConfigError | LedgerUnavailable, UsageLedgerStore | Scope.Scope> =>
  Effect.flatMap(UsageLedgerStore, (store) => makeLedger(store, options))

/**
 * A ledger on a store.
 *
 * New products and dimensions are added; existing subscriptions get the new dimensions too. Stored products that are absent from
 * the options are kept. When the layer is released, waiting events are stored first.
 *
 * Fails with `LedgerConfigError` if the store belongs to another seller or target or was written by a newer version, or if the
 * Region, the code or a scale of a product has changed.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { SqliteLedgerStore, UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const LedgerLive = UsageLedger.layer({
 *   seller: "111122223333",
 *   target: "service",
 *   products: {
 *     analytics: {
 *       region: "us-east-1",
 *       dimensions: { "api-calls": {}, "gb-hours": { scale: 3 } },
 *       late: "carry",
 *       tagKeys: ["team"]
 *     }
 *   }
 * }).pipe(Layer.provide(SqliteLedgerStore.layer({ file: "usage.db" })))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<UsageLedger, LedgerConfigError | LedgerUnavailable, UsageLedgerStore> =>
  Layer.scoped(UsageLedger, make(options))

/**
 * Records usage. Succeeds once the event is durable.
 *
 * If an event has no id or time, the first run of the returned effect chooses them, and later runs reuse them. Running the same
 * effect again therefore retries the same event, which is billed once. To record more usage, call `record` again.
 *
 * Concurrent calls share transactions of up to 1,000 events, and each call gets its own result. If the store is not available,
 * the write is retried for 5 seconds, and then each call fails with `LedgerUnavailable`. A call has no span of its own.
 *
 * @example
 * ```ts
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = (requestId: string) =>
 *   UsageLedger.record({
 *     id: requestId,
 *     subscription: "agmt-1234",
 *     dimension: "api-calls",
 *     quantity: 1,
 *     tags: { team: "blue" }
 *   })
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const record = (
  event: Event
): Effect.Effect<Recorded, EventError | LedgerUnavailable, UsageLedger> => {
  const completed = completeOnce(event)
  return Effect.flatMap(UsageLedger, (ledger) =>
    Effect.flatMap(completed, (event) => ledger.record(event))
  )
}

/**
 * Records many events, in transactions of 1,000. Returns one result per event, in the given order. Events with the same id are
 * compared with each other, as with stored events. Missing ids and times are chosen and kept as in `record`.
 *
 * Fails with `LedgerUnavailable` as a whole, even if some transactions were stored. The error has the ids of all events.
 *
 * @example
 * ```ts
 * import { Effect, Either } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = (events: ReadonlyArray<UsageLedger.Event>) =>
 *   UsageLedger.recordAll(events).pipe(
 *     Effect.map((results) => results.filter(Either.isLeft).map(({ left }) => left.message))
 *   )
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const recordAll = (
  events: ReadonlyArray<Event>
): Effect.Effect<
  ReadonlyArray<Either.Either<Recorded, EventError>>,
  LedgerUnavailable,
  UsageLedger
> => {
  const completed = completeAllOnce(events)
  return Effect.flatMap(UsageLedger, (ledger) =>
    Effect.flatMap(completed, (events) => ledger.recordAll(events))
  )
}

/**
 * Adds sums of an upstream log, such as Kafka or Kinesis, and moves the position of its partition from `from` to `to`, in one
 * transaction. Repeating the same update adds nothing. Omit `from` in the first update. Accepts at most 100,000 sums.
 *
 * Stores nothing if one of the sums cannot be recorded. Fails with `SourceConflict` if the stored position is not `from`.
 *
 * @example
 * ```ts
 * import { type DateTime } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = (hour: DateTime.Utc) =>
 *   UsageLedger.advance({
 *     source: "usage-topic",
 *     partition: "7",
 *     from: "41200",
 *     to: "43800",
 *     sums: [{ subscription: "agmt-1234", dimension: "api-calls", quantity: 2600, at: hour }]
 *   })
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const advance = (
  update: Parameters<Service["advance"]>[0]
): Effect.Effect<void, EventError | SourceConflict | LedgerUnavailable, UsageLedger> =>
  Effect.flatMap(UsageLedger, (ledger) => ledger.advance(update))

/**
 * Corrects the quantity of a recorded event to `quantity`. Repeating the same correction changes nothing. The `reason`, 1 to 1,000
 * characters, is added to the history of the entry.
 *
 * If the hour is sealed, the product's policy for late usage decides: `reject` fails with `EventTooLate`, `carry` adds the
 * difference to the current hour. Reducing the quantity fails with `InvalidEvent` if the hour that it reduces (the event's, or the
 * hour that an earlier correction was carried to) was not billed, because it would subtract other usage from the current hour.
 *
 * @example
 * ```ts
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = UsageLedger.adjust({
 *   event: "job-42",
 *   quantity: 0,
 *   reason: "the job failed by our fault"
 * })
 * ```
 *
 * @since 0.1.0
 * @category recording
 */
export const adjust = (
  correction: Parameters<Service["adjust"]>[0]
): Effect.Effect<Recorded, InvalidEvent | EventTooLate | LedgerUnavailable, UsageLedger> =>
  Effect.flatMap(UsageLedger, (ledger) => ledger.adjust(correction))

/**
 * Adds a subscription. Repeating the same call changes nothing.
 *
 * Fails with `UnknownSubscription` if the subscription in `follows` does not exist. Fails with `SubscriptionConflict` if the id is
 * stored with other contents, or if another subscription of the same product and customer, or of the same license, shares an hour
 * or has usage in an hour of this one.
 *
 * @example
 * ```ts
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = (licenseArn: string) =>
 *   UsageLedger.subscribe({
 *     id: "agmt-1234",
 *     product: "analytics",
 *     customerAWSAccountId: "111122223333",
 *     licenseArn
 *   })
 * ```
 *
 * @since 0.1.0
 * @category subscriptions
 */
export const subscribe = (
  subscription: Subscription
): Effect.Effect<
  void,
  InvalidEvent | UnknownSubscription | SubscriptionConflict | LedgerUnavailable,
  UsageLedger
> => Effect.flatMap(UsageLedger, (ledger) => ledger.subscribe(subscription))

/**
 * Ends a subscription. Its usage is sealed at once, and the service accepts it for one hour. `at` defaults to now. Closing it again
 * does not change the end.
 *
 * @example
 * ```ts
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = UsageLedger.close("agmt-1234")
 * ```
 *
 * @since 0.1.0
 * @category subscriptions
 */
export const close = (
  subscription: string,
  options?: { readonly at?: DateTime.Utc | undefined }
): Effect.Effect<void, UnknownSubscription | LedgerUnavailable, UsageLedger> =>
  Effect.flatMap(UsageLedger, (ledger) => ledger.close(subscription, options))

/**
 * Streams entries ordered by hour, in constant memory.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const lost = UsageLedger.entries({ states: ["expired", "inDoubt"] }).pipe(Stream.runCollect)
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const entries = (
  filter?: EntryFilter
): Stream.Stream<Entry, LedgerUnavailable, UsageLedger> =>
  Stream.unwrap(Effect.map(UsageLedger, (ledger) => ledger.entries(filter)))

/**
 * Streams every entry of a customer (account id or customer identifier) in a month, with its evidence, in constant memory.
 * Fails with `InvalidEvent` for a month that is not like `2026-11`.
 *
 * @example
 * ```ts
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const lines = UsageLedger.statement({ customer: "111122223333", month: "2026-11" })
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const statement = (of: {
  readonly customer: string
  readonly month: string
}): Stream.Stream<StatementLine, InvalidEvent | LedgerUnavailable, UsageLedger> =>
  Stream.unwrap(Effect.map(UsageLedger, (ledger) => ledger.statement(of)))

/**
 * Counts and oldest entries by state, deadlines, carry, leases and pauses. Sets the gauges of `LedgerMetrics`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const nextDeadline = UsageLedger.status.pipe(Effect.map(({ nextDeadline }) => nextDeadline))
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const status: Effect.Effect<Status, LedgerUnavailable, UsageLedger> = Effect.flatMap(
  UsageLedger,
  (ledger) => ledger.status
)

/**
 * Counts the entries of the hours from `from` on by product, hour and state.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = UsageLedger.hourly(DateTime.unsafeMake("2026-11-28T00:00:00Z"))
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const hourly = (
  from: DateTime.Utc
): Effect.Effect<ReadonlyArray<HourlyCount>, LedgerUnavailable, UsageLedger> =>
  Effect.flatMap(UsageLedger, (ledger) => ledger.hourly(from))

/**
 * Checks whether everything that was recorded will be billed in time. Sets the gauges of `LedgerMetrics`.
 *
 * - `stuck`: an hour is still open 20 minutes after it should have been sealed (`sealAfter` of the reporter), no worker holds the
 *   lease of a Region that has usage to report, a Region is stopped, or hours are held
 * - `atRisk`: a product is paused, the next deadline is within an hour, a record has used up half of the time until its deadline,
 *   a sealed record is not accepted after 30 minutes, whole units are carried, or entries of the last 48 hours are in doubt or were
 *   not billed
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const check = UsageLedger.health.pipe(
 *   Effect.flatMap(({ reasons, state }) => (state === "ok" ? Effect.void : Effect.fail(reasons)))
 * )
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const health: Effect.Effect<Health, LedgerUnavailable, UsageLedger> = Effect.flatMap(
  UsageLedger,
  (ledger) => ledger.health
)

/**
 * Recomputes every sum from its rows, in constant memory. Emits the differences. There are none unless the store was changed by
 * another program or damaged.
 *
 * @example
 * ```ts
 * import { Stream } from "effect"
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const differences = UsageLedger.verify.pipe(Stream.runCount)
 * ```
 *
 * @since 0.1.0
 * @category reports
 */
export const verify: Stream.Stream<Difference, LedgerUnavailable, UsageLedger> = Stream.unwrap(
  Effect.map(UsageLedger, (ledger) => ledger.verify)
)

/**
 * Manual interventions by an operator.
 *
 * - `retry` makes unresolved records due, so that the next round sends them, and ends pauses that have a retry time. Returns the
 *   number of records.
 * - `carryForward` adds the quantity of records that were certainly not billed to the current hour. It takes records whose deadline
 *   passed at least an hour ago and whose state is one of `states` (`expired`, `rejected`, `notSubscribed`; defaults to `expired`).
 *   The quantity is billed to the subscription of the current hour, for example to a follow-up with another license. Records of
 *   hours that began before `recover` are never carried, because a lost database may have billed them. Nothing is carried while a
 *   Region is stopped. Returns the number of records.
 * - `recover` resumes reporting after a restored backup, or after the service was found to have billed a different quantity. It ends
 *   all pauses and holds.
 *
 * Each fails with `LedgerConfigError` if the local clock differs from the database server's by more than a minute.
 *
 * @example
 * ```ts
 * import { UsageLedger } from "effect-marketplace-metering/ledger"
 *
 * const program = UsageLedger.operator.carryForward({ product: "analytics" })
 * ```
 *
 * @since 0.1.0
 * @category operator
 */
export const operator: {
  readonly retry: (
    filter?: EntryFilter
  ) => Effect.Effect<number, LedgerConfigError | LedgerUnavailable, UsageLedger>
  readonly carryForward: (
    filter: EntryFilter
  ) => Effect.Effect<number, LedgerConfigError | LedgerUnavailable, UsageLedger>
  readonly recover: Effect.Effect<void, LedgerConfigError | LedgerUnavailable, UsageLedger>
} = {
  retry: (filter) => Effect.flatMap(UsageLedger, ({ operator }) => operator.retry(filter)),
  carryForward: (filter) =>
    Effect.flatMap(UsageLedger, ({ operator }) => operator.carryForward(filter)),
  recover: Effect.flatMap(UsageLedger, ({ operator }) => operator.recover)
}
