/** The models and the service of a ledger, for the modules behind `UsageLedger`, which exports them. */
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
 * A quantity in units of the dimension: a number, or a decimal number as text for more digits. It may have as many decimal
 * places as the dimension's `scale`, and is never rounded.
 *
 * @since 0.1.0
 * @category models
 */
export type Quantity = number | string

/**
 * Usage to record.
 *
 * - `id`: identifies the usage. The same id is recorded once. 1 to 255 characters. Defaults to a new UUIDv7, made when the
 *   returned effect first runs.
 * - `subscription`: the id of the subscription
 * - `dimension`: as in the listing
 * - `quantity`: 0 or more
 * - `at`: the time of the usage. Defaults to now, at the first run.
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
 * - `Recorded`: added to the hour of its usage
 * - `AlreadyRecorded`: its id was recorded before, with the same contents; nothing was added. Also the result of an event whose
 *   first commit had no response.
 * - `Carried`: its hour was sealed or too old, and it was added to a later `hour` instead, by the product's policy
 *
 * @since 0.1.0
 * @category models
 */
export interface Recorded {
  readonly _tag: "Recorded" | "AlreadyRecorded" | "Carried"
  readonly id: string
  /** The hour it is billed in. */
  readonly hour: DateTime.Utc
}

/**
 * The reasons for which one event is not recorded. Nothing of it was stored.
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
 * - `product`: a name among the ledger's products
 * - `customerAWSAccountId` or, in older listings, `customerIdentifier`
 * - `licenseArn`: from ResolveCustomer, for listings from June 2026 on. Sent as it is given, and compared by the license's id.
 *   Otherwise the product's code is sent.
 * - `from`: the start. Defaults to now. No record is dated before it.
 * - `until`: the planned end, if there is one
 * - `follows`: the id of the subscription that this one renews or replaces; usage and fractions go on
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
 * - `region`: where its usage is reported, such as us-east-1
 * - `productCode`: needed for subscriptions without a license
 * - `dimensions`: by name, as in the listing. `scale` is the number of decimal places of a quantity, 0 to 9, defaults to 0 and
 *   cannot change. `zeroFill` reports 0 for hours without usage; defaults to false.
 * - `late`: what happens to usage whose hour is sealed or too old: `reject` fails with `EventTooLate`, `carry` adds it to the
 *   current hour, or to the next one if that is sealed, and marks it. Defaults to `reject`.
 * - `tagKeys`: the keys of tags that events may have, at most 5. Defaults to none. If an hour has more keys after a change, usage
 *   with other keys than these is billed without its tags.
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
 * - `seller`: a name of the seller, such as the AWS account id. A database is of one seller.
 * - `target`: `service` for AWS, `sandbox` for a sandbox. Written once, never changed.
 * - `products`: by name. Absent: those that are stored.
 * - `intakeSize`: events that wait for the store; more wait outside. Defaults to 10,000.
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
 * Which entries: of a `product`, of hours `from` a time on, in certain `states`. Without a filter, all.
 *
 * @since 0.1.0
 * @category models
 */
export interface EntryFilter {
  readonly product?: string | undefined
  /** Id of a subscription; entries of its lineage. */
  readonly subscription?: string | undefined
  readonly from?: DateTime.Utc | undefined
  /** Exclusive. */
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
   * Records usage. Succeeds when it is durable. Running the returned effect again is a retry of the same event. An interruption
   * does not take it back: the event may be stored.
   */
  readonly record: (event: Event) => Effect.Effect<Recorded, EventError | LedgerUnavailable>
  /** Records many events; each has its own result, in the order given. */
  readonly recordAll: (
    events: ReadonlyArray<Event>
  ) => Effect.Effect<ReadonlyArray<Either.Either<Recorded, EventError>>, LedgerUnavailable>
  /**
   * Adds sums of an upstream log and moves the position of its partition from `from` to `to`, in one transaction. `from` is
   * absent at the start.
   */
  readonly advance: (update: {
    readonly source: string
    readonly partition: string
    readonly from?: string | undefined
    readonly to: string
    readonly sums: ReadonlyArray<Omit<Event, "id" | "at"> & { readonly at: DateTime.Utc }>
  }) => Effect.Effect<void, EventError | SourceConflict | LedgerUnavailable>
  /** Adds a subscription. The same again changes nothing. */
  readonly subscribe: (
    subscription: Subscription
  ) => Effect.Effect<
    void,
    InvalidEvent | UnknownSubscription | SubscriptionConflict | LedgerUnavailable
  >
  /** Ends a subscription: its usage is sealed at once, and has to be accepted within one hour. `at` defaults to now. */
  readonly close: (
    subscription: string,
    options?: { readonly at?: DateTime.Utc | undefined }
  ) => Effect.Effect<void, UnknownSubscription | LedgerUnavailable>
  /**
   * Corrects the quantity of a recorded event to `quantity`. The same again changes nothing. If its hour is sealed, the
   * product's policy for late usage decides: `carry` adds the difference to the current hour. If the hour, or that of a carried
   * correction, was not billed, there is nothing to take back, and a smaller quantity is `InvalidEvent`.
   */
  readonly adjust: (correction: {
    readonly event: string
    readonly quantity: Quantity
    readonly reason: string
  }) => Effect.Effect<Recorded, InvalidEvent | EventTooLate | LedgerUnavailable>
  /** Entries in the order of their hours. */
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
  /** Tells whether everything that was recorded will be billed in time. */
  readonly health: Effect.Effect<Health, LedgerUnavailable>
  /** Recomputes every sum from its rows. Emits what differs. */
  readonly verify: Stream.Stream<Difference, LedgerUnavailable>
  /**
   * An operator's acts. `retry` sends records that were not accepted again at once, and ends pauses. `carryForward` adds
   * the quantity of records that were certainly not billed to the current hour, one hour after their deadline: of those that are
   * `expired`, or of the `states` given; none of hours that began before `recover`, and none while a Region is stopped. `recover`
   * goes on after a restored backup. Each fails with `LedgerConfigError` if the clock is more than a minute off the database
   * server's.
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
