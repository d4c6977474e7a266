/** Records that go in one call. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import { requestSizeLimit } from "../requestSize.js"
import type { Entry } from "./entry.js"

/** The service takes at most so many records in a call. */
export const countLimit = 25

/** A body of so many bytes is too large. */
export const sizeLimit = requestSizeLimit

export interface Parcel {
  readonly entries: ReadonlyArray<Entry>
  /** What these records are part of, where a call was refused for the sake of one of them or more. */
  readonly search: Search | undefined
  /** When the first of its records runs out of time, epoch milliseconds. */
  readonly urgency: number
}

/** A call that was refused for a record's sake, as far as it is known for whose. */
export interface Search {
  /** The records of the refused call. */
  readonly refused: ReadonlyArray<Entry>
  readonly error: BatchMeterUsageError
  /** How many of them have been taken since, in other calls. */
  readonly taken: number
  /** Those that wait until it is known whether the parcel is taken. If it is, the culprit is one of them. */
  readonly rest: ReadonlyArray<Entry>
}

export const make = (entries: ReadonlyArray<Entry>, search?: Search): Parcel => ({
  entries,
  search,
  urgency: entries.reduce((least, one) => Math.min(least, one.deadline), Number.POSITIVE_INFINITY)
})

/**
 * The first half of records of which one or more spoil a call; the second waits. If the first is taken, the fault is in
 * the second, which then need not be sent whole to know that; if not, the second may go with any others. So it takes at
 * most ceil(log2 n) further calls until a culprit among n stands alone.
 */
export const halve = (entries: ReadonlyArray<Entry>, search: Omit<Search, "rest">): Parcel => {
  const middle = Math.ceil(entries.length / 2)
  return make(entries.slice(0, middle), { ...search, rest: entries.slice(middle) })
}
