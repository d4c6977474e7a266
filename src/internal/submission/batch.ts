/** Records that go in one call. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import { requestSizeLimit } from "../protocol/requestSize.js"
import type { PendingRecord } from "./pendingRecord.js"

/** The service takes at most so many records in a call. */
export const maxRecords = 25

/** A body of so many bytes is too large. */
export const maxBytes = requestSizeLimit

export interface Batch {
  readonly entries: ReadonlyArray<PendingRecord>
  /** What these records are part of, where a call was refused for the sake of one of them or more. */
  readonly bisection: Bisection | undefined
  /** When the first of its records runs out of time, epoch milliseconds. */
  readonly earliestDeadline: number
}

/** A call that was refused for a record's sake, as far as it is known for whose. */
export interface Bisection {
  /** The records of the refused call. */
  readonly rejected: ReadonlyArray<PendingRecord>
  readonly error: BatchMeterUsageError
  /** How many of them have been taken since, in other calls. */
  readonly accepted: number
  /** Those that wait until it is known whether the parcel is taken. If it is, the culprit is one of them. */
  readonly otherHalf: ReadonlyArray<PendingRecord>
}

export const ofRecords = (entries: ReadonlyArray<PendingRecord>, bisection?: Bisection): Batch => ({
  entries,
  bisection,
  earliestDeadline: entries.reduce(
    (least, one) => Math.min(least, one.deadline),
    Number.POSITIVE_INFINITY
  )
})

/**
 * The first half of records of which one or more spoil a call; the second waits. If the first is taken, the fault is in
 * the second, which then need not be sent whole to know that; if not, the second may go with any others. So it takes at
 * most ceil(log2 n) further calls until a culprit among n stands alone.
 */
export const bisect = (
  entries: ReadonlyArray<PendingRecord>,
  bisection: Omit<Bisection, "otherHalf">
): Batch => {
  const middle = Math.ceil(entries.length / 2)
  return ofRecords(entries.slice(0, middle), { ...bisection, otherHalf: entries.slice(middle) })
}
