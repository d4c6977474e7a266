/** Records that go in one call, and how one parcel becomes several. */
import { requestSizeLimit } from "../requestSize.js"
import type { Entry } from "./entry.js"

/** The service takes at most so many records in a call. */
export const countLimit = 25

/** A body of so many bytes is too large. */
export const sizeLimit = requestSizeLimit

export interface Parcel {
  readonly entries: ReadonlyArray<Entry>
  /** The other half of a refused parcel, which waits for the fate of this one. */
  readonly rest: ReadonlyArray<Entry>
  /** Where the retry schedule stands. */
  readonly retries: unknown
  /** When the first of its records runs out of time, epoch milliseconds. */
  readonly urgency: number
}

const parcel = (
  entries: ReadonlyArray<Entry>,
  rest: ReadonlyArray<Entry>,
  retries: unknown
): Parcel => ({
  entries,
  rest,
  retries,
  urgency: entries.reduce((least, one) => Math.min(least, one.deadline), Number.POSITIVE_INFINITY)
})

export const whole = (entries: ReadonlyArray<Entry>, retries: unknown): Parcel =>
  parcel(entries, [], retries)

/**
 * The first half of a parcel that was refused for a record's sake; the second waits. If the first is taken, the fault
 * is in the second, which then need not be sent whole to know that. So one culprit among n costs at most
 * 2 * ceil(log2 n) further calls.
 */
export const halve = (entries: ReadonlyArray<Entry>, retries: unknown): Parcel => {
  const middle = Math.ceil(entries.length / 2)
  return parcel(entries.slice(0, middle), entries.slice(middle), retries)
}
