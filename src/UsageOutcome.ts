/**
 * The outcome of one submitted record. Each of the nine kinds says whether the record is billed.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type { BatchMeterUsageError } from "./BatchMeterUsage.js"
import type { Violation } from "./MeteringError.js"
import type * as UsageRecord from "./UsageRecord.js"

/**
 * The fields of every outcome.
 *
 * @since 0.1.0
 * @category models
 */
export interface OutcomeBase {
  /** The position of the record in the input, from 0. */
  readonly index: number
  /** The record as it was sent, or would have been sent. */
  readonly record: UsageRecord.UsageRecord
  /** The product code that the record was submitted with. Absent if there was none. */
  readonly productCode?: string
  /**
   * The index of an earlier record of the same product or license, customer, dimension and hour that had no outcome yet.
   * Both records are sent, one after the other. The service bills each hour once, so at most one of two different quantities
   * is billed. A `customerIdentifier` is never compared with a `customerAWSAccountId`, even if both identify the same
   * customer.
   */
  readonly earlierIndex?: number
}

/**
 * Billed by this submission, or earlier by an identical record: the service returned `Success` for exactly this record.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Accepted extends OutcomeBase {
  readonly _tag: "Accepted"
  /** The ID of the metering record. */
  readonly meteringRecordId?: string
}

/**
 * Not billed: the service has billed another quantity for the same product or license, customer, dimension and hour.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Duplicate extends OutcomeBase {
  readonly _tag: "Duplicate"
}

/**
 * Not billed: the customer has no active agreement. A later submission may have another outcome.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface CustomerNotSubscribed extends OutcomeBase {
  readonly _tag: "CustomerNotSubscribed"
}

/**
 * Not billed: the service rejected the call for this record, or for a cause that all records of the call share. A record is
 * also rejected without a call if another record was rejected in the last 5 minutes for a cause that certainly applies to
 * it.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Rejected extends OutcomeBase {
  readonly _tag: "Rejected"
  /** The error that the service returned. */
  readonly error: BatchMeterUsageError
}

/**
 * Never sent: the record breaks a rule of the service or has a wrong type. `violations` names every invalid field, and
 * `record` is the submitted value.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Invalid extends Omit<OutcomeBase, "record"> {
  readonly _tag: "Invalid"
  readonly record: UsageRecord.Input
  readonly violations: readonly [Violation, ...Array<Violation>]
}

/**
 * Not billed, and no longer possible: the service does not accept usage this old. `deadline` is the end of its
 * acceptance window, without `deadlineMargin`.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Expired extends OutcomeBase {
  readonly _tag: "Expired"
  readonly deadline: DateTime.Utc
}

/**
 * Not billed, and not processed: no call with the record reached the service, or the service rejected each call before it
 * processed any record, or it returned the record as unprocessed. Submit the same record again.
 *
 * - `Stopped`: the submission was stopped
 * - `Rejected`: another call was rejected for a cause that concerns the whole product or the caller
 * - `Undelivered`: there was no connection, or there were no credentials
 * - `Throttled`: the last call was throttled, and schedule, deadline or stop allowed no retry
 * - `Unprocessed`: the last response listed the record as unprocessed, and schedule, deadline or stop allowed no retry
 *
 * `error` is the error of the record's last call, or of another call that ended the submission of this record.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface NotSent extends OutcomeBase {
  readonly _tag: "NotSent"
  /** The cause: one of the five above. */
  readonly reason: "Stopped" | "Rejected" | "Undelivered" | "Throttled" | "Unprocessed"
  readonly error?: BatchMeterUsageError
}

/**
 * Sent, and perhaps billed: at least one attempt has no certain result. Only a later success would make the outcome certain;
 * any other later status or error does not. Submitting the same record again before its deadline is safe.
 *
 * - `NoResponse`: the response was lost, or the service failed internally; `error` says how
 * - `NoResult`: the response has no result for the record
 * - `Ambiguous`: the response has a result that fits this record and another
 * - `Interrupted`: the call was interrupted
 *
 * `status` is the result of a later attempt, if there was one: the service's status, or the `_tag` of the error.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Unknown extends OutcomeBase {
  readonly _tag: "Unknown"
  /** The cause: one of the four above. */
  readonly reason: "NoResponse" | "NoResult" | "Ambiguous" | "Interrupted"
  /** The number of calls that carried the record. */
  readonly attempts: number
  readonly error?: BatchMeterUsageError
  readonly status?: string
}

/**
 * Perhaps billed: the service returned a status that this version does not know.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface UnknownStatus extends OutcomeBase {
  readonly _tag: "UnknownStatus"
  /** The status as the service returned it. */
  readonly status: string
}

/**
 * The outcome of one record. Only `Accepted` is certain to be billed; `Unknown` and `UnknownStatus` may be billed.
 *
 * @example
 * ```ts
 * import { Match } from "effect"
 * import type { UsageOutcome } from "effect-marketplace-metering"
 *
 * const line = (outcome: UsageOutcome.Outcome) =>
 *   Match.valueTags(outcome, {
 *     Accepted: ({ meteringRecordId }) => `billed as ${meteringRecordId}`,
 *     Duplicate: () => "another quantity was billed for this hour",
 *     CustomerNotSubscribed: () => "not subscribed",
 *     Rejected: ({ error }) => error.message,
 *     Invalid: ({ violations }) => violations.map(({ field }) => field).join(", "),
 *     Expired: () => "too late",
 *     NotSent: ({ reason }) => `submit again: ${reason}`,
 *     Unknown: ({ reason }) => `perhaps billed: ${reason}`,
 *     UnknownStatus: ({ status }) => `unknown status ${status}`
 *   })
 * ```
 *
 * @since 0.1.0
 * @category outcomes
 */
export type Outcome =
  | Accepted
  | Duplicate
  | CustomerNotSubscribed
  | Rejected
  | Invalid
  | Expired
  | NotSent
  | Unknown
  | UnknownStatus

/**
 * The number of outcomes of each kind.
 *
 * @since 0.1.0
 * @category models
 */
export type Counts = { readonly [Tag in Outcome["_tag"]]: number }

/**
 * Counts of 0 for every kind.
 *
 * @since 0.1.0
 * @category constructors
 */
export const zeroCounts: Counts = {
  Accepted: 0,
  Duplicate: 0,
  CustomerNotSubscribed: 0,
  Rejected: 0,
  Invalid: 0,
  Expired: 0,
  NotSent: 0,
  Unknown: 0,
  UnknownStatus: 0
}
