/** A record on its way, and the outcome that it comes to. */
import * as DateTime from "effect/DateTime"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { UsageRecord } from "../../UsageRecord.js"
import type { About, NotSent, Outcome, Unknown } from "../../UsageSubmission.js"

export interface Entry {
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
  readonly sameKeyAs: number | undefined
  /** Its neighbours among the records of its key; it is not sent while it has a previous one. */
  previous: Entry | undefined
  next: Entry | undefined
  isInFlight: boolean
  isSettled: boolean
  attempts: number
  /** Where the retry schedule stands. */
  retries: unknown
  /** Why it may have been billed, once an attempt went without an answer that tells. */
  doubt: Doubt | undefined
  /** What its last call failed with. */
  error: BatchMeterUsageError | undefined
}

export interface Doubt {
  readonly reason: Unknown["reason"]
  readonly error?: BatchMeterUsageError
}

/** What an outcome says beside which record it is about. */
export type Fate =
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
export const outcomeOf = (entry: Entry, fate: Fate): Outcome => {
  const about = aboutOf(entry)
  if (entry.doubt !== undefined && fate._tag !== "Accepted") {
    const { error, reason } = entry.doubt
    const status = statusOf(fate)
    return {
      _tag: "Unknown",
      ...about,
      reason,
      attempts: entry.attempts,
      ...(error !== undefined && { error }),
      ...(status !== undefined && { status })
    }
  }
  switch (fate._tag) {
    case "Expired":
      return { ...about, ...fate, deadline: DateTime.unsafeMake(entry.deadline) }
    case "NotSent":
      return { ...about, ...(entry.error !== undefined && { error: entry.error }), ...fate }
    default:
      return { ...about, ...fate }
  }
}

const aboutOf = ({ index, productCode, record, sameKeyAs }: Entry): About => ({
  index,
  record,
  ...(productCode !== undefined && { productCode }),
  ...(sameKeyAs !== undefined && { sameKeyAs })
})

/** What the service said in so many words. */
const statusOf = (fate: Fate): string | undefined => {
  switch (fate._tag) {
    case "Duplicate":
      return "DuplicateRecord"
    case "CustomerNotSubscribed":
      return fate._tag
    case "UnknownStatus":
      return fate.status
    case "Rejected":
      return fate.error._tag
    case "NotSent":
      return fate.reason === "Throttled" ? fate.error?._tag : undefined
    default:
      return undefined
  }
}

/** The fate that the service's word for it means. */
export const fateOf = (status: string, meteringRecordId: string | undefined): Fate => {
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
