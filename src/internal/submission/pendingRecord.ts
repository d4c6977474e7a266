/** A record without an outcome, and the outcome that results from its resolution. */
import * as DateTime from "effect/DateTime"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { Invalid, NotSent, Outcome, OutcomeBase, Unknown } from "../../UsageOutcome.js"
import type { UsageRecord } from "../../UsageRecord.js"

export interface PendingRecord {
  readonly index: number
  readonly record: UsageRecord
  readonly productCode: string | undefined
  /** See `groupOf`. */
  readonly group: string
  /** See `deduplicationKey`. */
  readonly key: string
  readonly bytes: number
  /** The first instant at which the service is certain to reject the record, in epoch milliseconds. */
  readonly deadline: number
  readonly earlierIndex: number | undefined
  /** The neighbors in the list of unresolved records with the same key. A record with a previous one is not sent. */
  previous: PendingRecord | undefined
  next: PendingRecord | undefined
  isInFlight: boolean
  isResolved: boolean
  attempts: number
  /** Monotonic milliseconds. */
  firstSentAt: number
  /** The state of the retry schedule. */
  retryState: unknown
  /** Set by the first attempt after which the record may be billed. */
  uncertainty: Uncertainty | undefined
  /** The error of the record's last call. */
  error: BatchMeterUsageError | undefined
}

export interface Uncertainty {
  readonly reason: Unknown["reason"]
  readonly error?: BatchMeterUsageError
}

/** The part of an outcome that does not identify the record. */
export type Resolution =
  | { readonly _tag: "Accepted"; readonly meteringRecordId?: string }
  | { readonly _tag: "Duplicate" }
  | { readonly _tag: "CustomerNotSubscribed" }
  | { readonly _tag: "UnknownStatus"; readonly status: string }
  | { readonly _tag: "Rejected"; readonly error: BatchMeterUsageError }
  | {
      readonly _tag: "NotSent"
      readonly reason: NotSent["reason"]
      readonly error?: BatchMeterUsageError
    }
  | { readonly _tag: "Invalid"; readonly violations: Violations }
  | { readonly _tag: "Expired" }

export type Violations = Invalid["violations"]

/**
 * Returns the outcome of a record. After an uncertain attempt only a success is certain, because a later rejection or expiry
 * says nothing about that attempt. Neither does a later `DuplicateRecord`, because the billed quantity may be that of this
 * record.
 */
export const outcomeOf = (item: PendingRecord, resolution: Resolution): Outcome => {
  const base = outcomeBaseOf(item)
  if (item.uncertainty !== undefined && resolution._tag !== "Accepted") {
    const { error, reason } = item.uncertainty
    const status = statusOf(resolution)
    return {
      _tag: "Unknown",
      ...base,
      reason,
      attempts: item.attempts,
      ...(error !== undefined && { error }),
      ...(status !== undefined && { status })
    }
  }
  switch (resolution._tag) {
    case "Expired":
      return { ...base, ...resolution, deadline: DateTime.unsafeMake(item.deadline) }
    case "NotSent":
      return { ...base, ...(item.error !== undefined && { error: item.error }), ...resolution }
    default:
      return { ...base, ...resolution }
  }
}

const outcomeBaseOf = ({
  index,
  productCode,
  record,
  earlierIndex
}: PendingRecord): OutcomeBase => ({
  index,
  record,
  ...(productCode !== undefined && { productCode }),
  ...(earlierIndex !== undefined && { earlierIndex })
})

/** Returns the later result that an `Unknown` outcome reports. */
const statusOf = (resolution: Resolution): string | undefined => {
  switch (resolution._tag) {
    case "Duplicate":
      return "DuplicateRecord"
    case "CustomerNotSubscribed":
      return resolution._tag
    case "UnknownStatus":
      return resolution.status
    case "Rejected":
      return resolution.error._tag
    case "NotSent":
      return resolution.reason === "Throttled" ? resolution.error?._tag : undefined
    default:
      return undefined
  }
}

/** Returns the resolution for a status of the service. */
export const resolutionOf = (status: string, meteringRecordId: string | undefined): Resolution => {
  switch (status) {
    case "Success":
      return { _tag: "Accepted", ...(meteringRecordId !== undefined && { meteringRecordId }) }
    case "DuplicateRecord":
      return { _tag: "Duplicate" }
    case "CustomerNotSubscribed":
      return { _tag: "CustomerNotSubscribed" }
    default:
      return { _tag: "UnknownStatus", status }
  }
}
