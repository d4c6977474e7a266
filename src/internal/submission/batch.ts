/** Records that go in one call. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import { requestSizeLimit } from "../protocol/requestSize.js"
import type { PendingRecord } from "./pendingRecord.js"

/** Records per call, a limit of the service. */
export const maxRecords = 25

/** Bytes of a request body that are too many. */
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
  /** The number of those records that were accepted since, in other calls. */
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
 * The first half of records of which at least one is invalid; the second half waits. If the first half is accepted, the
 * invalid record is in the second, without another call with all of it. If it is rejected, the second half may go with
 * any other records. So one invalid record among n stands alone after at most ceil(log2 n) further calls.
 */
export const bisect = (
  items: ReadonlyArray<PendingRecord>,
  bisection: Omit<Bisection, "otherHalf">
): Batch => {
  const middle = Math.ceil(items.length / 2)
  return ofRecords(items.slice(0, middle), { ...bisection, otherHalf: items.slice(middle) })
}

/** The product code in the request. A record with a license has none: its product code only decides its group. */
export const requestProductCode = ([first]: ReadonlyArray<PendingRecord>): string | undefined =>
  first?.record.licenseArn === undefined ? first?.productCode : undefined

/** The group of records that may share a call, as far as the caller names their product. */
export const groupOf = (licenseArn: string | undefined, productCode = ""): string =>
  licenseArn === undefined ? `product ${productCode}` : `licenses ${productCode}`

/** Records grouped by the state of their retry schedule. */
export const groupByRetryState = (items: ReadonlyArray<PendingRecord>) => {
  const groups = new Map<unknown, Array<PendingRecord>>()
  for (const item of items) {
    const group = groups.get(item.retryState)
    if (group === undefined) groups.set(item.retryState, [item])
    else group.push(item)
  }
  return [...groups].map(([retryState, items]) => ({ retryState, items }))
}
