/**
 * Decides which records go in the next call, and what a response or an error means for them. It is synchronous: it never
 * waits, sends or forks, and each function is one step from one state to the next.
 */
import type * as Schedule from "effect/Schedule"
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import { InternalServiceErrorException, type InvalidInputError } from "../../MeteringError.js"
import type { Counts, Outcome } from "../../UsageOutcome.js"
import * as adaptiveBatchSize from "./adaptiveBatchSize.js"
import * as batches from "./batch.js"
import {
  type Batch,
  type Bisection,
  groupByRetryState,
  groupOf,
  requestProductCode
} from "./batch.js"
import * as batchQueue from "./batchQueue.js"
import { classifyError, type ErrorClassification } from "./classifyError.js"
import { type ClockReading, toMonotonic } from "./clockReading.js"
import { deduplicationKey } from "./deduplicationKey.js"
import { haveOneLicense, make as makeLicenseProducts } from "./licenseProducts.js"
import { matchResults } from "./matchResults.js"
import {
  type PendingRecord,
  type Resolution,
  resolutionOf,
  type Uncertainty,
  type Violations
} from "./pendingRecord.js"
import * as pendingRecords from "./pendingRecords.js"
import * as prepareRecord from "./prepareRecord.js"
import * as priorityQueue from "./priorityQueue.js"
import * as rateLimiter from "./rateLimiter.js"
import * as rejectionCache from "./rejectionCache.js"

export interface SchedulerOptions extends prepareRecord.PrepareOptions {
  /** Calls per second. */
  readonly rate: number
  /** Records without an outcome. */
  readonly bufferSize: number
  /** Milliseconds. */
  readonly linger: number
  readonly schedule: Schedule.Schedule<unknown, BatchMeterUsageError>
  /** Milliseconds. */
  readonly deadlineMargin: number
}

/** The next step of a worker: make a call, wait for an event or a monotonic time, or end. */
type Action =
  | { readonly _tag: "Send"; readonly batch: Batch }
  | { readonly _tag: "Wait"; readonly until: number }
  | { readonly _tag: "Done" }

/** Records that are sent again if the retry schedule allows it. */
export interface RetryRequest {
  /** The input of the schedule. */
  readonly error: BatchMeterUsageError
  /** The state of the schedule. */
  readonly retryState: unknown
  /** Records that go in a call of their own, part by part. */
  readonly parts: ReadonlyArray<ReadonlyArray<PendingRecord>>
  /** Records that may go in any call. */
  readonly rebatchable: ReadonlyArray<PendingRecord>
  /** The resolution if the schedule allows no other attempt. */
  readonly finalResolution: Resolution
}

export interface RetryDecision {
  /** The time of the next attempt, in monotonic milliseconds. */
  readonly at: number
  readonly retryState: unknown
}

export interface SchedulerState {
  readonly read: number
  readonly unresolved: number
  readonly inFlight: number
  readonly calls: number
  readonly rate: number
  readonly counts: Counts
}

interface Scheduler {
  readonly outcomes: Array<Outcome>
  readonly state: () => SchedulerState
  /** Tells whether another record may be read. */
  readonly hasRoom: () => boolean
  readonly isDone: () => boolean
  readonly offer: (input: prepareRecord.Input, now: ClockReading) => void
  /** No more records will be offered. */
  readonly endInput: () => void
  readonly nextAction: (now: ClockReading) => Action
  readonly onResponse: (
    batch: Batch,
    response: BatchMeterUsageResponse,
    now: ClockReading
  ) => ReadonlyArray<RetryRequest>
  readonly onError: (
    batch: Batch,
    error: BatchMeterUsageError,
    now: ClockReading
  ) => ReadonlyArray<RetryRequest>
  /** The call ended with neither a response nor a typed error. */
  readonly onInterrupt: (batch: Batch) => void
  /** The result of the retry schedule for a call sent at `sentAt`; undefined allows no other attempt. */
  readonly onRetryDecision: (
    request: RetryRequest,
    decision: RetryDecision | undefined,
    sentAt: ClockReading,
    now: ClockReading
  ) => void
  /** Makes no more calls. */
  readonly stop: () => void
  /** Makes no more calls, and resolves records in flight as uncertain. */
  readonly abandonInFlight: () => void
}

export const make = (options: SchedulerOptions): Scheduler => {
  const { bufferSize, deadlineMargin, schedule } = options
  const prepare = prepareRecord.make(options)
  const limiter = rateLimiter.make(options.rate)
  const licenses = makeLicenseProducts()
  const rejections = rejectionCache.make()
  const batchSize = adaptiveBatchSize.make()
  /** For records with a suspected cause of rejection. */
  const suspectedBatchSize = adaptiveBatchSize.make()
  const unbatched = batchQueue.make({
    linger: options.linger,
    deadlineMargin,
    limitOf: ({ isSuspected, product }) => limitOf(product, isSuspected)
  })
  /** Batches that are sent as they are. */
  const ready = priorityQueue.make<Batch>(
    (left, right) => left.earliestDeadline < right.earliestDeadline
  )
  /** Retries, by monotonic time. */
  const delayed = priorityQueue.make<{
    readonly at: number
    readonly batches: ReadonlyArray<Batch>
    readonly rebatchable: ReadonlyArray<PendingRecord>
  }>((left, right) => left.at < right.at)
  const stoppedGroups = new Map<string, Resolution>()
  /** Groups with a call that was rejected although each of its records was accepted in another call. */
  const multiProductGroups = new Set<string>()
  let stopResolution: Resolution | undefined
  let time: ClockReading = { wall: 0, monotonic: 0 }
  /** The last time that the buffer was full, in monotonic milliseconds. */
  let fullAt = Number.NEGATIVE_INFINITY
  /** The last response to a call, in monotonic milliseconds. */
  let respondedAt = Number.NEGATIVE_INFINITY
  let read = 0
  let inFlight = 0
  let calls = 0
  let hasEnded = false

  const pending = pendingRecords.make((item) => {
    if (stopResolutionOf(item) === undefined) enqueue(item)
  })

  /** The records that may share a call have the same name here: they are of one product, as far as known. */
  const groupNameOf = (item: PendingRecord): Pick<batchQueue.Group, "name" | "isSuspected"> => {
    const { group, record } = item
    const suspectedCause = rejections.suspectedCause(item, time)
    if (suspectedCause !== undefined) {
      return { name: `suspected ${group} ${suspectedCause}`, isSuspected: true }
    }
    const isDivided = record.licenseArn !== undefined && multiProductGroups.has(group)
    const name = isDivided ? `${group} ${licenses.representativeOf(record.licenseArn)}` : group
    return { name, isSuspected: false }
  }

  /** The number of records of a group per call. */
  const limitOf = (group: string, isSuspected: boolean): number =>
    (isSuspected ? suspectedBatchSize : batchSize).limitOf(group)

  const isSuspected = (item: PendingRecord) => rejections.suspectedCause(item, time) !== undefined

  const enqueue = (item: PendingRecord) => unbatched.add(item, groupNameOf(item), time)

  /** The resolution of records of a group that may not be sent. */
  const stopResolutionOf = ({ group }: Pick<PendingRecord, "group">): Resolution | undefined =>
    stopResolution ?? stoppedGroups.get(group)

  const resolveAll = (items: Iterable<PendingRecord>, resolution: Resolution) => {
    for (const item of items) pending.resolve(item, resolution)
  }

  /** Resolves the records of a group, or all, except those in flight. */
  const stopSending = (resolution: Resolution, group?: string) => {
    if (group === undefined) stopResolution ??= resolution
    else if (!stoppedGroups.has(group)) stoppedGroups.set(group, resolution)
    unbatched.clear(group)
    for (const item of pending.unresolved) {
      if (!item.isInFlight && (group === undefined || item.group === group)) {
        pending.resolve(item, resolution)
      }
    }
  }

  const expireIfLate = (item: PendingRecord): boolean => {
    if (time.wall < item.deadline - deadlineMargin) return false
    pending.resolve(item, { _tag: "Expired" })
    return true
  }

  // -------------------------------------------------------------------------------------------------
  // batches
  // -------------------------------------------------------------------------------------------------

  const enqueueBatch = (batch: Batch) => {
    const resolution = batch.items[0] && stopResolutionOf(batch.items[0])
    if (resolution === undefined) ready.push(batch)
    else resolveAll([...batch.items, ...(batch.bisection?.otherHalf ?? [])], resolution)
  }

  const enqueueAll = (items: Iterable<PendingRecord>) => {
    for (const item of items) {
      if (item.isResolved) continue
      const resolution = stopResolutionOf(item)
      if (resolution === undefined) enqueue(item)
      else pending.resolve(item, resolution)
    }
  }

  /** Moves the retries that are due to the queues. */
  const releaseDelayed = () => {
    for (
      let one = delayed.peek();
      one !== undefined && one.at <= time.monotonic;
      one = delayed.peek()
    ) {
      delayed.pop()
      for (const batch of one.batches) ready.push(batch)
      enqueueAll(one.rebatchable)
    }
  }

  /** Ends a bisection: its other half may go in any call. */
  const releaseOtherHalf = ({ bisection }: Batch) => enqueueAll(bisection?.otherHalf ?? [])

  /** Drops records that have an outcome or have expired meanwhile. Undefined if none is left. */
  const withoutResolved = (batch: Batch): Batch | undefined => {
    const items = batch.items.filter((item) => !item.isResolved && !expireIfLate(item))
    if (items.length > 0) return { ...batch, items }
    releaseOtherHalf(batch)
    return undefined
  }

  /** Resolves or moves a record that may not go in a call of this group; false if it may. */
  const exclude = (item: PendingRecord, name: string): boolean => {
    if (expireIfLate(item)) return true
    const error = rejections.cachedRejection(item, time)
    if (error !== undefined) {
      item.error = error
      pending.resolve(item, { _tag: "Rejected", error })
      return true
    }
    const isElsewhere = groupNameOf(item).name !== name
    if (isElsewhere) enqueue(item)
    return isElsewhere
  }

  const newBatch = (group: batchQueue.Group): Batch | undefined => {
    const items = unbatched.takeBatch(group, time, exclude)
    return items.length === 0 ? undefined : batches.ofRecords(items)
  }

  /** The first batch that is ready, or one of the group if that is more urgent. Undefined if none of its records is left. */
  const takeMostUrgent = (choice: batchQueue.Choice): Batch | undefined => {
    const first = ready.peek()
    if (choice._tag === "Send") {
      const deadline = choice.group.ready.peek()?.deadline ?? 0
      if (first === undefined || first.earliestDeadline > deadline) return newBatch(choice.group)
    }
    ready.pop()
    return first && withoutResolved(first)
  }

  const markInFlight = (batch: Batch): Action => {
    for (const item of batch.items) {
      if (item.attempts === 0) item.firstSentAt = time.monotonic
      item.isInFlight = true
      item.attempts += 1
    }
    inFlight += batch.items.length
    calls += 1
    limiter.recordCall(time.monotonic)
    return { _tag: "Send", batch }
  }

  const markDone = ({ items }: Batch) => {
    for (const item of items) item.isInFlight = false
    inFlight -= items.length
  }

  const hasRoom = () => pending.unresolved.size < bufferSize
  const isDone = () => hasEnded && pending.unresolved.size === 0

  /** With calls in flight a full buffer will have room again, so that calls can be filled. */
  const partialBatches = (): batchQueue.PartialBatches =>
    hasEnded ? "All" : hasRoom() || inFlight > 0 ? "None" : "AllIfNoneIsFull"

  // -------------------------------------------------------------------------------------------------
  // rejections
  // -------------------------------------------------------------------------------------------------

  const markUncertain = (items: Iterable<PendingRecord>, uncertainty: Uncertainty) => {
    for (const item of items) item.uncertainty ??= uncertainty
  }

  /** The resolution of a record whose last call failed with this error. */
  const resolutionAfter = (
    error: BatchMeterUsageError,
    { scope, delivery }: ErrorClassification
  ): Resolution =>
    delivery !== "rejected"
      ? // where delivery is unknown, the record's uncertainty takes precedence
        { _tag: "NotSent", reason: "Undelivered", error }
      : scope === "transient"
        ? { _tag: "NotSent", reason: "Throttled", error }
        : { _tag: "Rejected", error }

  /**
   * Returns the parts of a failed call that are retried in calls of their own. After a second call without a response these are
   * its halves, because one of its records may make it fail. In an outage of the service the call stays whole, because smaller
   * calls would only be more calls.
   */
  const partsOf = (
    items: ReadonlyArray<PendingRecord>,
    delivery: ErrorClassification["delivery"]
  ): ReadonlyArray<ReadonlyArray<PendingRecord>> => {
    const [first] = items
    const isDivided =
      delivery === "unknown" &&
      items.length > 1 &&
      first !== undefined &&
      first.attempts > 1 &&
      (respondedAt > first.firstSentAt || pending.unresolved.size <= maxDividedInOutage)
    return isDivided ? batches.halvesOf(items) : [items]
  }

  /** Resolves records that were rejected alone, or for a cause that all of them share. */
  const reject = (items: ReadonlyArray<PendingRecord>, error: BatchMeterUsageError) => {
    for (const item of items) {
      item.error = error
      rejections.recordRejected(item, error, time)
      pending.resolve(item, { _tag: "Rejected", error })
    }
  }

  /** Starts or continues the search for the invalid records among these. */
  const isolateInvalid = (
    items: ReadonlyArray<PendingRecord>,
    found: Omit<Bisection, "otherHalf">
  ) => {
    const left = items.filter((item) => !item.isResolved)
    const half = Math.ceil(left.length / 2)
    if (left.length === 0) return
    if (left.length === 1) enqueueBatch(batches.ofRecords(left, { ...found, otherHalf: [] }))
    // where many are rejected, a bisection gains little. The next calls have to be smaller, or this call would be repeated
    else if (left.every((item) => limitOf(item.group, isSuspected(item)) < half)) enqueueAll(left)
    else enqueueBatch(batches.bisect(left, found))
  }

  /** Makes the next calls with such records smaller. */
  const reduceBatchSize = (items: ReadonlyArray<PendingRecord>, error: BatchMeterUsageError) => {
    const [first] = items
    if (first === undefined) return
    const { group } = first
    batchSize.recordRejected(group, 1)
    const suspectedCause = rejections.suspectedCause(first, time)
    if (suspectedCause === undefined) return
    // records with one suspected cause share calls in order to be rejected together for it
    if (suspectedCause === rejections.causeOf(first, error, time)) {
      suspectedBatchSize.recordAccepted(group, items.length)
    } else {
      suspectedBatchSize.recordRejected(group, 1)
    }
  }

  /** The service rejected the call for one of its records, or for their combination. */
  const onRejectedBatch = (batch: Batch, error: BatchMeterUsageError) => {
    const { items } = batch
    if (items.length === 1 || rejections.haveCommonCause(items, error, time)) {
      reduceBatchSize(items, error)
      reject(items, error)
    } else {
      isolateInvalid(items, { rejected: items, error, accepted: 0 })
    }
    releaseOtherHalf(batch)
  }

  /** The client rejected the call before sending it. */
  const onInvalidBatch = (batch: Batch, error: InvalidInputError) => {
    const { invalid, others } = violationsByRecord(batch.items, error)
    for (const [item, violations] of invalid) pending.resolve(item, { _tag: "Invalid", violations })
    const middle = invalid.size > 0 ? others.length : Math.ceil(others.length / 2)
    for (const part of [others.slice(0, middle), others.slice(middle)]) {
      if (part.length > 0) enqueueBatch(batches.ofRecords(part))
    }
    releaseOtherHalf(batch)
  }

  /** A license identifies its product: the cause may be one license, or licenses of two products in one call. */
  const onProductError = (batch: Batch, error: BatchMeterUsageError, resolution: Resolution) => {
    const { items } = batch
    const [first] = items
    const isOfLicenses = first?.record.licenseArn !== undefined
    if (isOfLicenses && multiProductErrors.has(error._tag) && !haveOneLicense(items)) {
      onRejectedBatch(batch, error)
      return
    }
    if (isOfLicenses && error._tag === "InvalidProductCodeException") {
      reject(items, error)
    } else {
      resolveAll(items, resolution)
      stopSending({ _tag: "NotSent", reason: "Rejected", error }, first?.group)
    }
    releaseOtherHalf(batch)
  }

  /** The service accepted a part of a rejected call: an invalid record is in the other half, or there is none. */
  const onPartAccepted = ({ items, bisection: found }: Batch) => {
    if (found === undefined) return
    const { error, rejected, otherHalf } = found
    const accepted = found.accepted + items.length
    if (otherHalf.length > 0) {
      // even a single record is sent again, because the cause may be gone
      isolateInvalid(otherHalf, { rejected, error, accepted })
    } else if (accepted === rejected.length && !licenses.haveOneProduct(rejected)) {
      // each record was accepted, and their combination was rejected
      multiProductGroups.add(rejected[0]?.group ?? "")
    }
  }

  return {
    outcomes: pending.outcomes,
    state: () => ({
      read,
      unresolved: pending.unresolved.size,
      inFlight,
      calls,
      rate: limiter.rate(),
      counts: pending.counts()
    }),
    hasRoom,
    isDone,

    offer: (input, now) => {
      time = now
      const index = read
      read += 1
      const { bytes, deadline, productCode, record, violations } = prepare(input)
      if (violations !== undefined) {
        const product = productCode === undefined ? {} : { productCode }
        pending.addOutcome({ _tag: "Invalid", index, record, ...product, violations })
        return
      }
      const key = deduplicationKey(record, productCode)
      const item: PendingRecord = {
        index,
        record,
        productCode,
        group: groupOf(record.licenseArn, productCode),
        key,
        bytes,
        deadline,
        earlierIndex: pending.lastWithKey(key)?.index,
        previous: undefined,
        next: undefined,
        isInFlight: false,
        isResolved: false,
        attempts: 0,
        firstSentAt: 0,
        retryState: schedule.initial,
        uncertainty: undefined,
        error: undefined
      }
      pending.add(item)
      const resolution = stopResolutionOf(item)
      if (resolution !== undefined) pending.resolve(item, resolution)
    },

    endInput: () => {
      hasEnded = true
    },

    nextAction: (now) => {
      time = now
      const { monotonic } = now
      if (!hasRoom()) fullAt = monotonic
      for (;;) {
        if (isDone()) return { _tag: "Done" }
        releaseDelayed()
        const choice = unbatched.choose(now, partialBatches(), fullAt)
        if (choice._tag === "Wait" && ready.peek() === undefined) {
          const until = Math.min(choice.until, delayed.peek()?.at ?? Number.POSITIVE_INFINITY)
          return { _tag: "Wait", until }
        }
        if (limiter.nextAt() > monotonic) return { _tag: "Wait", until: limiter.nextAt() }
        const batch = takeMostUrgent(choice)
        if (batch !== undefined) return markInFlight(batch)
      }
    },

    onResponse: (batch, response, now) => {
      time = now
      const { items } = batch
      const records = items.map(({ record }) => record)
      // first of all: if a client's response cannot be read, its records stay in flight
      const reports = matchResults(records, requestProductCode(items), response)
      markDone(batch)
      respondedAt = now.monotonic
      limiter.recover()
      const [first] = items
      if (first !== undefined) {
        batchSize.recordAccepted(first.group, items.length)
        if (isSuspected(first)) suspectedBatchSize.recordAccepted(first.group, items.length)
      }
      rejections.recordAccepted(items, now)
      licenses.unite(items)
      const left: Array<PendingRecord> = []
      const ambiguous = new Set<PendingRecord>()
      reports.forEach((reported, index) => {
        const item = items[index]
        if (item === undefined) return
        item.error = undefined
        if (typeof reported === "object") {
          // matchResults drops results without a status
          pending.resolve(item, resolutionOf(reported.status ?? "", reported.meteringRecordId))
          return
        }
        if (reported !== "Unprocessed") markUncertain([item], { reason: reported })
        if (reported === "Ambiguous") ambiguous.add(item)
        left.push(item)
      })
      onPartAccepted(batch)
      return groupByRetryState(left).map(({ items, retryState }) => ({
        error: unprocessedError,
        retryState,
        parts: items.filter((item) => ambiguous.has(item)).map((item) => [item]),
        rebatchable: items.filter((item) => !ambiguous.has(item)),
        finalResolution: { _tag: "NotSent", reason: "Unprocessed" }
      }))
    },

    onError: (batch, error, now) => {
      time = now
      const { items } = batch
      markDone(batch)
      const classification = classifyError(error)
      const { scope, delivery } = classification
      for (const item of items) item.error = error
      if (delivery === "unknown") markUncertain(items, { reason: "NoResponse", error })
      const resolution = resolutionAfter(error, classification)
      switch (scope) {
        case "transient": {
          releaseOtherHalf(batch)
          const all = groupByRetryState(items)
          return all.map(({ items, retryState }) => ({
            error,
            retryState,
            // records with the same number of attempts stay together
            parts: all.length === 1 ? partsOf(items, delivery) : [],
            rebatchable: all.length === 1 ? [] : items,
            finalResolution: resolution
          }))
        }
        case "record":
          if (error._tag === "InvalidInputError") onInvalidBatch(batch, error)
          else onRejectedBatch(batch, error)
          return []
        case "product":
          onProductError(batch, error, resolution)
          return []
        case "caller":
          resolveAll(items, resolution)
          stopSending(
            delivery === "notSent" ? resolution : { _tag: "NotSent", reason: "Rejected", error }
          )
          releaseOtherHalf(batch)
          return []
      }
    },

    onInterrupt: (batch) => {
      markDone(batch)
      markUncertain(batch.items, { reason: "Interrupted" })
      resolveAll(batch.items, { _tag: "NotSent", reason: "Stopped" })
      releaseOtherHalf(batch)
    },

    onRetryDecision: ({ error, rebatchable, finalResolution, parts }, decision, sentAt, now) => {
      time = now
      if (error.isThrottling) {
        // `retryAfter` applies to all calls, and the schedule has taken it into account
        const until =
          error.retryAfter === undefined ? now.monotonic : (decision?.at ?? now.monotonic)
        limiter.throttle(sentAt.monotonic, now.monotonic, until)
      }
      if (decision === undefined) {
        resolveAll([...parts.flat(), ...rebatchable], finalResolution)
        return
      }
      const isFinal = (item: PendingRecord) =>
        stopResolutionOf(item) !== undefined ||
        decision.at >= toMonotonic(item.deadline - deadlineMargin, now)
      /** The records that are sent again. The others get their final resolution. */
      const retryable = (items: ReadonlyArray<PendingRecord>): ReadonlyArray<PendingRecord> => {
        resolveAll(items.filter(isFinal), finalResolution)
        const left = items.filter((item) => !item.isResolved)
        for (const item of left) item.retryState = decision.retryState
        return left
      }
      const retries = parts.map(retryable).filter((items) => items.length > 0)
      delayed.push({
        at: decision.at,
        batches: retries.map((items) => batches.ofRecords(items)),
        rebatchable: retryable(rebatchable)
      })
    },

    stop: () => stopSending({ _tag: "NotSent", reason: "Stopped" }),

    abandonInFlight: () => {
      for (const item of pending.unresolved) {
        if (item.isInFlight) markUncertain([item], { reason: "Interrupted" })
        item.isInFlight = false
      }
      inFlight = 0
      stopSending({ _tag: "NotSent", reason: "Stopped" })
    }
  }
}

/** Maximum number of unresolved records at which calls are divided although the service responds to none. */
const maxDividedInOutage = 4 * batches.maxRecords

/** Unprocessed records are retried like an internal error. */
const unprocessedError = new InternalServiceErrorException({ operation: "BatchMeterUsage" })

/** Errors with which the service may reject a call that has licenses of two products. */
const multiProductErrors: ReadonlySet<BatchMeterUsageError["_tag"]> = new Set([
  "InvalidProductCodeException",
  "UnknownServiceError"
])

/** The records that the client found invalid. If it names none, all of them, unless a smaller call may be valid. */
const violationsByRecord = (
  items: ReadonlyArray<PendingRecord>,
  { violations }: InvalidInputError
) => {
  const invalid = new Map<PendingRecord, Violations>()
  for (const { index, ...violation } of violations) {
    const item = index === undefined ? undefined : items[index]
    if (item !== undefined) invalid.set(item, [violation, ...(invalid.get(item) ?? [])])
  }
  const isTooLarge = violations.some(({ rule }) => rule === "requestSize")
  if (invalid.size === 0 && (items.length === 1 || !isTooLarge)) {
    for (const item of items) invalid.set(item, violations)
  }
  return { invalid, others: items.filter((item) => !invalid.has(item)) }
}
