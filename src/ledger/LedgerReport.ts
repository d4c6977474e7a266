/**
 * Entries, statements, status and health of a ledger.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { AttemptResult, RecordState, Target } from "./internal/model/rows.js"

export type { AttemptResult, RecordState, Target }

/**
 * The state of an entry, that is of the usage of one subscription, dimension and hour.
 *
 * | state         | billed?                                   |
 * | ------------- | ----------------------------------------- |
 * | `open`        | not yet: usage of the hour is added to it |
 * | `zero`        | no: it came to no whole unit; the fraction is carried |
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
 * `product`, `region` and `lineage` say whose it is, `state` whether it is billed. `events` is the number of events,
 * `deadline` the time until which the service accepts it, and `meteringRecordId` the service's id of an accepted record.
 *
 * @since 0.1.0
 * @category models
 */
export interface Entry {
  readonly product: string
  readonly region: string
  /** The subscription whose record it is, or the lineage while it is open. */
  readonly subscription: string
  readonly lineage: string
  readonly dimension: string
  readonly hour: DateTime.Utc
  readonly state: State
  /** The sum that was recorded for the hour, in units, exact: a decimal number. */
  readonly recorded: string
  readonly events: number
  /** Whole units of the record. Absent without one. */
  readonly quantity?: number
  readonly deadline?: DateTime.Utc
  readonly meteringRecordId?: string
}

/**
 * A change of an entry's state `at` a time, from `was` (absent for the first) to what it `became`, with its `cause`.
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
 * One attempt to send a record, `sentAt` a time by a `worker`, and everything that is known about it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt {
  readonly sentAt: DateTime.Utc
  readonly worker: string
  /** Empty, or `noResponse` only, if it may have been billed. Empty if the process ended before a response. */
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
  /** The record as it is sent, JSON. Absent without one. */
  readonly body?: string
}

/**
 * The state of a whole ledger of a `seller` against a `target`, with the `leases` (who reports in which Region) and the
 * `pauses` (products that are not reported for now).
 *
 * @since 0.1.0
 * @category models
 */
export interface Status {
  readonly seller: string
  readonly target: Target
  /** Entries by Region, product and state, without those of no unit. Accepted ones of the last 48 hours. */
  readonly counts: ReadonlyArray<{
    readonly region: string
    readonly product: string
    readonly state: RecordState | "open"
    readonly count: number
    readonly oldest: DateTime.Utc
    readonly nextDeadline?: DateTime.Utc
  }>
  /** The earliest deadline of what is not resolved. */
  readonly nextDeadline?: DateTime.Utc
  /** Balances of one unit and more that wait for the next hour. At most 100. */
  readonly carry: ReadonlyArray<{
    readonly product: string
    readonly lineage: string
    readonly dimension: string
    readonly tags: string
    readonly units: string
  }>
  readonly leases: ReadonlyArray<{
    readonly region: string
    /** Absent if no worker holds it. */
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
 * The prospect that everything recorded is billed in time: a `state` and the `reasons` for it.
 *
 * - `ok`: nothing to do
 * - `atRisk`: something will not be billed in time, or is in doubt, unless someone acts
 * - `stuck`: reporting does not go on
 *
 * @since 0.1.0
 * @category models
 */
export interface Health {
  readonly state: "ok" | "atRisk" | "stuck"
  readonly reasons: ReadonlyArray<string>
}

/**
 * A sum of a `lineage` and `dimension` that differs from what it is made of: `what` it is, the value `stored`, and the value
 * `computed` from its rows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Difference {
  readonly lineage: string
  readonly dimension: string
  /** Absent where it is about all hours. */
  readonly hour?: DateTime.Utc
  readonly what: string
  readonly stored: string
  readonly computed: string
}
