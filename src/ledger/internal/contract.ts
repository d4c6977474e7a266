/** The models and the service interface of a ledger. `UsageLedger` exports them. */
import type * as DateTime from "effect/DateTime"
import type * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Stream from "effect/Stream"
import type {
  EventConflict,
  EventInFuture,
  EventTooLate,
  InvalidEvent,
  LedgerConfigError,
  LedgerUnavailable,
  SourceConflict,
  SubscriptionConflict,
  UnknownSubscription
} from "../LedgerError.js"
import type {
  Difference,
  Entry,
  Health,
  HourlyCount,
  State,
  StatementLine,
  Status,
  Target
} from "../LedgerReport.js"

/**
 * A quantity in units of the dimension: a number, or a decimal string if a number cannot hold all digits. It may have at most as many
 * decimal places as the dimension's `scale`, and is never rounded.
 *
 * @since 0.1.0
 * @category models
 */
export type Quantity = number | string

/**
 * Usage to record.
 *
 * - `id`: identifies the usage, because the same id is recorded once. 1 to 255 characters. Defaults to a new UUIDv7, made when the
 *   returned effect first runs.
 * - `subscription`: the id of the subscription
 * - `dimension`: the name of the dimension in the listing
 * - `quantity`: 0 or more
 * - `at`: the time of the usage. Defaults to the time of the first run.
 * - `tags`: for usage allocations; keys must be among the product's `tagKeys`
 *
 * @since 0.1.0
 * @category models
 */
export interface Event {
  readonly id?: string | undefined
  readonly subscription: string
  readonly dimension: string
  readonly quantity: Quantity
  readonly at?: DateTime.Utc | undefined
  readonly tags?: { readonly [key: string]: string } | undefined
}

/**
 * The result for an event that is stored under an `id`.
 *
 * - `Recorded`: the event was added to the hour of its usage
 * - `AlreadyRecorded`: the id was recorded before, with the same contents, and nothing was added. Also returned if the response to
 *   the first commit was lost and the event was retried.
 * - `Carried`: the hour of the usage was sealed or too old, and the product's policy added the event to a later `hour`
 *
 * @since 0.1.0
 * @category models
 */
export interface Recorded {
  readonly _tag: "Recorded" | "AlreadyRecorded" | "Carried"
  readonly id: string
  /** The hour in which the event is billed. */
  readonly hour: DateTime.Utc
}

/**
 * The errors of an event that was not recorded. Nothing was stored for it.
 *
 * @since 0.1.0
 * @category errors
 */
export type EventError =
  | InvalidEvent
  | EventConflict
  | EventTooLate
  | EventInFuture
  | UnknownSubscription

/**
 * A customer's subscription to a product.
 *
 * - `id`: chosen by the caller, such as the agreement's id
 * - `product`: the name of one of the ledger's products
 * - `customerAWSAccountId` or, in older listings, `customerIdentifier`
 * - `licenseArn`: from ResolveCustomer, for listings from June 2026 on. Sent unchanged, and compared by the id of the license. If it is
 *   absent, the product code is sent.
 * - `from`: the start. Defaults to now. No record is dated before it.
 * - `until`: the planned end, if there is one
 * - `follows`: the id of the subscription that this one renews or replaces. Carried fractions pass to this subscription.
 *
 * @since 0.1.0
 * @category models
 */
export interface Subscription {
  readonly id: string
  readonly product: string
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
  readonly licenseArn?: string | undefined
  readonly from?: DateTime.Utc | undefined
  readonly until?: DateTime.Utc | undefined
  readonly follows?: string | undefined
}

/**
 * A product of the seller.
 *
 * - `region`: the Region to which the usage is reported, such as us-east-1
 * - `productCode`: required for subscriptions without a license
 * - `dimensions`: by their names in the listing. `scale` is the number of decimal places of a quantity, 0 to 9. It defaults to 0 and
 *   cannot change. `zeroFill` reports 0 for hours without usage. It defaults to false.
 * - `late`: the policy for usage whose hour is sealed or too old. `reject` fails with `EventTooLate`. `carry` adds the usage to the
 *   current hour, or to the next hour if the current one is sealed, and returns `Carried`. Defaults to `reject`.
 * - `tagKeys`: the tag keys that events may have, at most 5. Defaults to none. If the keys change and an hour has more than 5 of
 *   them, usage with keys that are no longer declared is billed without its tags.
 *
 * @since 0.1.0
 * @category models
 */
export interface Product {
  readonly region: string
  readonly productCode?: string | undefined
  readonly dimensions: {
    readonly [name: string]: {
      readonly scale?: number | undefined
      readonly zeroFill?: boolean | undefined
    }
  }
  readonly late?: "reject" | "carry" | undefined
  readonly tagKeys?: ReadonlyArray<string> | undefined
}

/**
 * Options of a ledger.
 *
 * - `seller`: identifies the seller, such as the AWS account id. A database belongs to one seller.
 * - `target`: `service` for AWS, `sandbox` for a sandbox. Stored when the ledger is created, and never changed.
 * - `products`: by name. Defaults to the stored products.
 * - `intakeSize`: maximum number of events that wait to be stored. Further calls of `record` wait until there is room. Defaults to
 *   10,000.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly seller: string
  readonly target: Target
  readonly products?: { readonly [name: string]: Product } | undefined
  readonly intakeSize?: number | undefined
}

/**
 * A filter of entries by `product`, subscription, the start of the time range (`from`), its end, and `states`. An entry has to match
 * all fields that are set.
 *
 * @since 0.1.0
 * @category models
 */
export interface EntryFilter {
  readonly product?: string | undefined
  /** Id of a subscription. Also matches the subscriptions that precede and follow it. */
  readonly subscription?: string | undefined
  readonly from?: DateTime.Utc | undefined
  /** End of the time range, exclusive. */
  readonly until?: DateTime.Utc | undefined
  readonly states?: ReadonlyArray<State> | undefined
}

/**
 * A ledger.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Records usage. Succeeds once the event is durable. Running the returned effect again retries the same event. If the effect is
   * interrupted, the event may still be stored.
   */
  readonly record: (event: Event) => Effect.Effect<Recorded, EventError | LedgerUnavailable>
  /** Records many events. Returns one result per event, in the given order. */
  readonly recordAll: (
    events: ReadonlyArray<Event>
  ) => Effect.Effect<ReadonlyArray<Either.Either<Recorded, EventError>>, LedgerUnavailable>
  /**
   * Adds sums of an upstream log and moves the position of its partition from `from` to `to`, in one transaction. Omit `from` in the
   * first update.
   */
  readonly advance: (update: {
    readonly source: string
    readonly partition: string
    readonly from?: string | undefined
    readonly to: string
    readonly sums: ReadonlyArray<Omit<Event, "id" | "at"> & { readonly at: DateTime.Utc }>
  }) => Effect.Effect<void, EventError | SourceConflict | LedgerUnavailable>
  /** Adds a subscription. Repeating the same call changes nothing. */
  readonly subscribe: (
    subscription: Subscription
  ) => Effect.Effect<
    void,
    InvalidEvent | UnknownSubscription | SubscriptionConflict | LedgerUnavailable
  >
  /** Ends a subscription. Its usage is sealed at once, and the service accepts it for one hour. `at` defaults to now. */
  readonly close: (
    subscription: string,
    options?: { readonly at?: DateTime.Utc | undefined }
  ) => Effect.Effect<void, UnknownSubscription | LedgerUnavailable>
  /**
   * Corrects the quantity of a recorded event to `quantity`. Repeating the same correction changes nothing. If the hour is sealed, the
   * product's policy for late usage decides: `carry` adds the difference to the current hour. Reducing the quantity fails with
   * `InvalidEvent` if the hour that it reduces (the event's, or the hour of a carried correction) was not billed.
   */
  readonly adjust: (correction: {
    readonly event: string
    readonly quantity: Quantity
    readonly reason: string
  }) => Effect.Effect<Recorded, InvalidEvent | EventTooLate | LedgerUnavailable>
  /** Entries ordered by hour. */
  readonly entries: (filter?: EntryFilter) => Stream.Stream<Entry, LedgerUnavailable>
  /** Every entry of a customer (account id or customer identifier) in a month such as `2026-11`, with its evidence. */
  readonly statement: (of: {
    readonly customer: string
    readonly month: string
  }) => Stream.Stream<StatementLine, InvalidEvent | LedgerUnavailable>
  /** Counts and oldest entries by state, deadlines, carry, leases and pauses. */
  readonly status: Effect.Effect<Status, LedgerUnavailable>
  /** Entries of the hours from `from` on by product, hour and state. */
  readonly hourly: (
    from: DateTime.Utc
  ) => Effect.Effect<ReadonlyArray<HourlyCount>, LedgerUnavailable>
  /** Checks whether everything that was recorded will be billed in time. */
  readonly health: Effect.Effect<Health, LedgerUnavailable>
  /** Recomputes every sum from its rows. Emits the differences. */
  readonly verify: Stream.Stream<Difference, LedgerUnavailable>
  /**
   * Manual interventions by an operator. `retry` makes unresolved records due at once, and ends pauses that have a retry time.
   * `carryForward` adds the quantity of records that were certainly not billed to the current hour. It takes records whose deadline
   * passed at least an hour ago and whose state is one of `states` (defaults to `expired`), except those of hours that began before
   * `recover`. It carries nothing while a Region is stopped. `recover` resumes reporting after a restored backup. Each fails with
   * `LedgerConfigError` if the local clock differs from the database server's by more than a minute.
   */
  readonly operator: {
    readonly retry: (
      filter?: EntryFilter
    ) => Effect.Effect<number, LedgerConfigError | LedgerUnavailable>
    readonly carryForward: (
      filter: EntryFilter
    ) => Effect.Effect<number, LedgerConfigError | LedgerUnavailable>
    readonly recover: Effect.Effect<void, LedgerConfigError | LedgerUnavailable>
  }
}
