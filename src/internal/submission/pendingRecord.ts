/** A record on its way, and the outcome that it comes to. */
import * as DateTime from "effect/DateTime"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { UsageRecord } from "../../UsageRecord.js"
import type { NotSent, Outcome, OutcomeBase, Unknown } from "../../UsageSubmission.js"

export interface PendingRecord {
  readonly index: number
  readonly record: UsageRecord
  /** The product that the record was submitted for. */
  readonly productCode: string | undefined
  /** Which records may share a call with it. */
  readonly group: string
  /** Which records it shares an hour with. */
  readonly key: string
  readonly bytes: number
  /** From when on it is certain to be refused, epoch milliseconds. */
  readonly deadline: number
  readonly earlierIndex: number | undefined
  /** Its neighbours among the records of its key; it is not sent while it has a previous one. */
  previous: PendingRecord | undefined
  next: PendingRecord | undefined
  isInFlight: boolean
  isResolved: boolean
  attempts: number
  /** Where the retry schedule stands. */
  retryState: unknown
  /** Why it may have been billed, once an attempt went without an answer that tells. */
  uncertainty: Uncertainty | undefined
  /** What its last call failed with. */
  error: BatchMeterUsageError | undefined
}

export interface Uncertainty {
  readonly reason: Unknown["reason"]
  readonly error?: BatchMeterUsageError
}

/** What an outcome says beside which record it is about. */
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

export type Violations = Extract<Outcome, { readonly _tag: "Invalid" }>["violations"]

/**
 * The outcome of a record. One that may have been billed stays so, whatever it was told later: a refusal or an
 * expiry says nothing of the attempt that was lost. Even that another quantity was billed does not, for only the
 * service knows which came first.
 */
export const outcomeOf = (entry: PendingRecord, resolution: Resolution): Outcome => {
  const base = outcomeBaseOf(entry)
  if (entry.uncertainty !== undefined && resolution._tag !== "Accepted") {
    const { error, reason } = entry.uncertainty
    const status = statusOf(resolution)
    return {
      _tag: "Unknown",
      ...base,
      reason,
      attempts: entry.attempts,
      ...(error !== undefined && { error }),
      ...(status !== undefined && { status })
    }
  }
  switch (resolution._tag) {
    case "Expired":
      return { ...base, ...resolution, deadline: DateTime.unsafeMake(entry.deadline) }
    case "NotSent":
      return { ...base, ...(entry.error !== undefined && { error: entry.error }), ...resolution }
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

/** What the service said in so many words. */
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

/** The fate that the service's word for it means. */
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
