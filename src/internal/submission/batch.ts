/** Records that go in one call. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import { requestSizeLimit } from "../protocol/requestSize.js"
import type { PendingRecord } from "./pendingRecord.js"

/** Maximum number of records per call, a limit of the service. */
export const maxRecords = 25

/** Maximum size of a request body in bytes, exclusive. */
export const maxBytes = requestSizeLimit

export interface Batch {
  readonly items: ReadonlyArray<PendingRecord>
  /** Set if these records are part of a rejected call. */
  readonly bisection: Bisection | undefined
  /** Epoch milliseconds. */
  readonly earliestDeadline: number
}

/** The search for the invalid records of a rejected call. */
export interface Bisection {
  /** The records of the rejected call. */
  readonly rejected: ReadonlyArray<PendingRecord>
  readonly error: BatchMeterUsageError
  /** The number of those records that were since accepted in other calls. */
  readonly accepted: number
  /** Records that wait for the result of the batch. If it is accepted, at least one of these is invalid. */
  readonly otherHalf: ReadonlyArray<PendingRecord>
}

export const ofRecords = (items: ReadonlyArray<PendingRecord>, bisection?: Bisection): Batch => ({
  items,
  bisection,
  earliestDeadline: items.reduce(
    (least, one) => Math.min(least, one.deadline),
    Number.POSITIVE_INFINITY
  )
})

/**
 * Makes a batch of the first half of `items`, of which at least one is invalid. The second half waits. If the first half is
 * accepted, the invalid record is in the second half, which is then divided without being sent as a whole. If the first half
 * is rejected, the second half may share calls with any other records. So one invalid record among n is alone in a call
 * after at most ceil(log2 n) further calls.
 */
export const bisect = (
  items: ReadonlyArray<PendingRecord>,
  bisection: Omit<Bisection, "otherHalf">
): Batch => {
  const [firstHalf, otherHalf] = halvesOf(items)
  return ofRecords(firstHalf, { ...bisection, otherHalf })
}

/** Divides records into two halves, of which the first has the middle one. */
export const halvesOf = (items: ReadonlyArray<PendingRecord>) => {
  const middle = Math.ceil(items.length / 2)
  return [items.slice(0, middle), items.slice(middle)] as const
}

/**
 * Returns the product code in the request. Records with a license are sent without one: their product code only decides
 * their group.
 */
export const requestProductCode = ([first]: ReadonlyArray<PendingRecord>): string | undefined =>
  first?.record.licenseArn === undefined ? first?.productCode : undefined

/** Returns the name of the group of records that may share a call, as far as the input identifies their product. */
export const groupOf = (licenseArn: string | undefined, productCode = ""): string =>
  licenseArn === undefined ? `product ${productCode}` : `licenses ${productCode}`

/** Groups records by the state of their retry schedule. */
export const groupByRetryState = (items: ReadonlyArray<PendingRecord>) => {
  const groups = new Map<unknown, Array<PendingRecord>>()
  for (const item of items) {
    const group = groups.get(item.retryState)
    if (group === undefined) groups.set(item.retryState, [item])
    else group.push(item)
  }
  return [...groups].map(([retryState, items]) => ({ retryState, items }))
}
