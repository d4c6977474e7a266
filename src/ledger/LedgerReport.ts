/**
 * Entries, statements, status and health of a ledger.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { AttemptResult, RecordState, Target } from "./internal/model/rows.js"

export type { AttemptResult, RecordState, Target }

/**
 * The state of an entry (the usage of one subscription, dimension and hour).
 *
 * | state         | billed?                                   |
 * | ------------- | ----------------------------------------- |
 * | `open`        | not yet: usage of the hour is added to it |
 * | `zero`        | no: less than one unit; the fraction is carried |
 * | `sealed`      | not yet, or perhaps: it is being sent      |
 * | `accepted`    | yes, once                                  |
 * | `conflicting` | no: another quantity is billed for the hour |
 * | `notSubscribed` | no: the customer is not subscribed         |
 * | `rejected`    | no: the service rejected it                |
 * | `expired`     | no: its deadline has passed                |
 * | `inDoubt`     | perhaps: an attempt had no response        |
 *
 * @since 0.1.0
 * @category models
 */
export type State = RecordState | "open" | "zero"

/**
 * The usage of one subscription, `dimension` and `hour`.
 *
 * `product` and `region` are those of the usage, and `lineage` is the id of the first of the subscriptions that follow one another.
 * `state` says whether the entry is billed.
 * `events` is the number of events, `deadline` the time until which the service accepts the record, and `meteringRecordId` the
 * service's id of an accepted record.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  readonly product: string
  readonly region: string
  /** The subscription of the record, or the lineage if there is no record. */
  readonly subscription: string
  readonly lineage: string
  readonly dimension: string
  readonly hour: DateTime.Utc
  readonly state: State
  /** The exact sum recorded for the hour, in units, as a decimal number. */
  readonly recorded: string
  readonly events: number
  /** Whole units of the record. Absent if there is no record. */
  readonly quantity?: number
  readonly deadline?: DateTime.Utc
  readonly meteringRecordId?: string
}

/**
 * A change of an entry's state: the time `at`, the old state `was` (absent for the first change), the new state `became`, and
 * the `cause`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Move {
  readonly at: DateTime.Utc
  readonly was?: State
  readonly became: State
  readonly cause: string
}

/**
 * One attempt by a `worker` to send a record, with the time `sentAt` and all results that are known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  readonly sentAt: DateTime.Utc
  readonly worker: string
  /**
   * If empty, or if all results are `noResponse` or `unknownStatus`, the attempt may have been billed. Empty if the process ended
   * before a response.
   */
  readonly results: ReadonlyArray<{
    readonly at: DateTime.Utc
    readonly result: AttemptResult
    readonly meteringRecordId?: string
    readonly requestId?: string
    readonly detail?: string
  }>
}

/**
 * An entry with its history, `moves`, and its evidence, `attempts`.
 *
 * @since 0.1.0
 * @category models
 */
export interface StatementLine extends Entry {
  readonly moves: ReadonlyArray<Move>
  readonly attempts: ReadonlyArray<Attempt>
  /** The record as it is sent, as JSON. Absent if there is no record. */
  readonly body?: string
}

/**
 * A summary of the ledger of a `seller` and a `target`, with the `leases` (the worker that reports in each Region) and the `pauses`
 * (products that are not reported for now).
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly seller: string
  readonly target: Target
  /** Entries by Region, product and state. Omits `zero` entries, and counts `accepted` entries of the last 48 hours only. */
  readonly counts: ReadonlyArray<{
    readonly region: string
    readonly product: string
    readonly state: RecordState | "open"
    readonly count: number
    readonly oldest: DateTime.Utc
    readonly nextDeadline?: DateTime.Utc
  }>
  /** The earliest deadline of an unresolved record. */
  readonly nextDeadline?: DateTime.Utc
  /** Carried balances of at least one whole unit, which wait for the next hour. At most 100. */
  readonly carry: ReadonlyArray<{
    readonly product: string
    readonly lineage: string
    readonly dimension: string
    readonly tags: string
    readonly units: string
  }>
  readonly leases: ReadonlyArray<{
    readonly region: string
    /** Absent if no worker holds the lease. */
    readonly holder?: string
    readonly until: DateTime.Utc
  }>
  readonly pauses: ReadonlyArray<{
    readonly region: string
    /** `*` for all products of the Region. */
    readonly product: string
    readonly since: DateTime.Utc
    readonly cause: string
    readonly retryAt?: DateTime.Utc
  }>
  /** Hours that are not sealed until `recover`. */
  readonly hold?: { readonly from: DateTime.Utc; readonly until: DateTime.Utc }
}

/**
 * The number of `entries` of one `product`, `hour` and `state`.
 *
 * @since 0.1.0
 * @category models
 */
export interface HourlyCount {
  readonly product: string
  readonly hour: DateTime.Utc
  readonly state: State
  readonly entries: number
}

/**
 * The result of the check that everything recorded will be billed in time: a `state` and the `reasons` for it.
 *
 * - `ok`: nothing to do
 * - `atRisk`: usage may not be billed in time, was not billed, or is in doubt; an operator should look at it
 * - `stuck`: reporting has stopped
 *
 * @since 0.1.0
 * @category models
 */
export interface Health {
  readonly state: "ok" | "atRisk" | "stuck"
  readonly reasons: ReadonlyArray<string>
}

/**
 * A stored sum of a `lineage` and `dimension` that differs from its rows: `what` was summed, the value `stored`, and the value
 * `computed` from the rows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Difference {
  readonly lineage: string
  readonly dimension: string
  /** Absent if the sum is over all hours. */
  readonly hour?: DateTime.Utc
  readonly what: string
  readonly stored: string
  readonly computed: string
}
