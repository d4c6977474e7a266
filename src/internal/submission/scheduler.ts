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
  const unbatched = batchQueue.make({
    linger: options.linger,
    deadlineMargin,
    limitOf: ({ name, product }) => limitOf(name, product)
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
  let read = 0
  let inFlight = 0
  let calls = 0
  let hasEnded = false

  const pending = pendingRecords.make((entry) => {
    if (stopResolutionOf(entry) === undefined) enqueue(entry)
  })

  /** The records that may share a call have the same name here: they are of one product, as far as known. */
  const groupNameOf = (entry: PendingRecord): string => {
    const { group, record } = entry
    const suspectedCause = rejections.suspectedCause(entry, time)
    if (suspectedCause !== undefined) return `${suspectPrefix}${group} ${suspectedCause}`
    return record.licenseArn !== undefined && multiProductGroups.has(group)
      ? `${group} ${licenses.representativeOf(record.licenseArn)}`
      : group
  }

  /** The number of records of a group per call. */
  const limitOf = (name: string, product: string): number =>
    batchSize.limitOf(name.startsWith(suspectPrefix) ? `${suspectPrefix}${product}` : product)

  const enqueue = (entry: PendingRecord) => unbatched.add(entry, groupNameOf(entry), time)

  /** The resolution of records of a group that may not be sent. */
  const stopResolutionOf = ({ group }: Pick<PendingRecord, "group">): Resolution | undefined =>
    stopResolution ?? stoppedGroups.get(group)

  const resolveAll = (entries: Iterable<PendingRecord>, resolution: Resolution) => {
    for (const entry of entries) pending.resolve(entry, resolution)
  }

  /** Resolves the records of a group, or all, except those in flight. */
  const stopSending = (resolution: Resolution, group?: string) => {
    if (group === undefined) stopResolution ??= resolution
    else if (!stoppedGroups.has(group)) stoppedGroups.set(group, resolution)
    unbatched.clear(group)
    for (const entry of pending.unresolved) {
      if (!entry.isInFlight && (group === undefined || entry.group === group)) {
        pending.resolve(entry, resolution)
      }
    }
  }

  const expireIfLate = (entry: PendingRecord): boolean => {
    if (time.wall < entry.deadline - deadlineMargin) return false
    pending.resolve(entry, { _tag: "Expired" })
    return true
  }

  // -------------------------------------------------------------------------------------------------
  // batches
  // -------------------------------------------------------------------------------------------------

  const enqueueBatch = (batch: Batch) => {
    const resolution = batch.entries[0] && stopResolutionOf(batch.entries[0])
    if (resolution === undefined) ready.push(batch)
    else resolveAll([...batch.entries, ...(batch.bisection?.otherHalf ?? [])], resolution)
  }

  const enqueueAll = (entries: Iterable<PendingRecord>) => {
    for (const entry of entries) {
      if (entry.isResolved) continue
      const resolution = stopResolutionOf(entry)
      if (resolution === undefined) enqueue(entry)
      else pending.resolve(entry, resolution)
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
    const entries = batch.entries.filter((entry) => !entry.isResolved && !expireIfLate(entry))
    if (entries.length > 0) return { ...batch, entries }
    releaseOtherHalf(batch)
    return undefined
  }

  /** Resolves or moves a record that may not go in a call of this group; false if it may. */
  const exclude = (entry: PendingRecord, name: string): boolean => {
    if (expireIfLate(entry)) return true
    const error = rejections.cachedRejection(entry, time)
    if (error !== undefined) {
      entry.error = error
      pending.resolve(entry, { _tag: "Rejected", error })
      return true
    }
    const isElsewhere = groupNameOf(entry) !== name
    if (isElsewhere) enqueue(entry)
    return isElsewhere
  }

  const newBatch = (group: batchQueue.Group): Batch | undefined => {
    const entries = unbatched.takeBatch(group, time, exclude)
    return entries.length === 0 ? undefined : batches.ofRecords(entries)
  }

  const markInFlight = (batch: Batch): Action => {
    for (const entry of batch.entries) {
      entry.isInFlight = true
      entry.attempts += 1
    }
    inFlight += batch.entries.length
    calls += 1
    limiter.recordCall(time.monotonic)
    return { _tag: "Send", batch }
  }

  const markDone = ({ entries }: Batch) => {
    for (const entry of entries) entry.isInFlight = false
    inFlight -= entries.length
  }

  const hasRoom = () => pending.unresolved.size < bufferSize
  const isDone = () => hasEnded && pending.unresolved.size === 0

  /** With calls in flight a full buffer will have room again, so that calls can be filled. */
  const partialBatches = (): batchQueue.PartialBatches =>
    hasEnded ? "All" : hasRoom() || inFlight > 0 ? "None" : "AllIfNoneIsFull"

  // -------------------------------------------------------------------------------------------------
  // rejections
  // -------------------------------------------------------------------------------------------------

  const markUncertain = (entries: Iterable<PendingRecord>, uncertainty: Uncertainty) => {
    for (const entry of entries) entry.uncertainty ??= uncertainty
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

  /** Resolves records that were rejected alone, or for a cause that all of them share. */
  const reject = (entries: ReadonlyArray<PendingRecord>, error: BatchMeterUsageError) => {
    for (const entry of entries) {
      entry.error = error
      rejections.recordRejected(entry, error, time)
      pending.resolve(entry, { _tag: "Rejected", error })
    }
  }

  /** Starts or continues the search for the invalid records among these. */
  const isolateInvalid = (
    entries: ReadonlyArray<PendingRecord>,
    found: Omit<Bisection, "otherHalf">
  ) => {
    const left = entries.filter((entry) => !entry.isResolved)
    const half = Math.ceil(left.length / 2)
    if (left.length === 0) return
    if (left.length === 1) enqueueBatch(batches.ofRecords(left, { ...found, otherHalf: [] }))
    // where many are rejected, a bisection gains little. The next calls have to be smaller, or this call would be repeated
    else if (left.every((entry) => limitOf(groupNameOf(entry), entry.group) < half))
      enqueueAll(left)
    else enqueueBatch(batches.bisect(left, found))
  }

  /** Makes the next calls with such records smaller. */
  const reduceBatchSize = (entries: ReadonlyArray<PendingRecord>, error: BatchMeterUsageError) => {
    const [first] = entries
    if (first === undefined) return
    const { group } = first
    batchSize.recordRejected(group, 1)
    const suspectedCause = rejections.suspectedCause(first, time)
    if (suspectedCause === undefined) return
    // records with one suspected cause share calls in order to be rejected together for it
    if (suspectedCause === rejections.causeOf(first, error, time)) {
      batchSize.recordAccepted(`${suspectPrefix}${group}`, entries.length)
    } else {
      batchSize.recordRejected(`${suspectPrefix}${group}`, 1)
    }
  }

  /** The service rejected the call for one of its records, or for their combination. */
  const onRejectedBatch = (batch: Batch, error: BatchMeterUsageError) => {
    const { entries } = batch
    if (entries.length === 1 || rejections.haveCommonCause(entries, error, time)) {
      reduceBatchSize(entries, error)
      reject(entries, error)
    } else {
      isolateInvalid(entries, { rejected: entries, error, accepted: 0 })
    }
    releaseOtherHalf(batch)
  }

  /** The client rejected the call before sending it. */
  const onInvalidBatch = (batch: Batch, error: InvalidInputError) => {
    const { invalid, others } = violationsByRecord(batch.entries, error)
    for (const [entry, violations] of invalid)
      pending.resolve(entry, { _tag: "Invalid", violations })
    const middle = invalid.size > 0 ? others.length : Math.ceil(others.length / 2)
    for (const part of [others.slice(0, middle), others.slice(middle)]) {
      if (part.length > 0) enqueueBatch(batches.ofRecords(part))
    }
    releaseOtherHalf(batch)
  }

  /** A license identifies its product: the cause may be one license, or licenses of two products in one call. */
  const onProductError = (batch: Batch, error: BatchMeterUsageError, resolution: Resolution) => {
    const { entries } = batch
    const [first] = entries
    const isOfLicenses = first?.record.licenseArn !== undefined
    if (isOfLicenses && multiProductErrors.has(error._tag) && !haveOneLicense(entries)) {
      onRejectedBatch(batch, error)
      return
    }
    if (isOfLicenses && error._tag === "InvalidProductCodeException") {
      reject(entries, error)
    } else {
      resolveAll(entries, resolution)
      stopSending({ _tag: "NotSent", reason: "Rejected", error }, first?.group)
    }
    releaseOtherHalf(batch)
  }

  /** The service accepted a part of a rejected call: an invalid record is in the other half, or there is none. */
  const onPartAccepted = ({ entries, bisection: found }: Batch) => {
    if (found === undefined) return
    const { error, rejected, otherHalf } = found
    const accepted = found.accepted + entries.length
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
      const entry: PendingRecord = {
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
        retryState: schedule.initial,
        uncertainty: undefined,
        error: undefined
      }
      pending.add(entry)
      const resolution = stopResolutionOf(entry)
      if (resolution !== undefined) pending.resolve(entry, resolution)
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
        const group = unbatched.choose(now, partialBatches(), fullAt)
        const nextReady = ready.peek()
        const isIdle = nextReady === undefined && typeof group === "number"
        if (isIdle) return { _tag: "Wait", until: Math.min(group, delayed.peek()?.at ?? Infinity) }
        if (limiter.nextAt() > monotonic) return { _tag: "Wait", until: limiter.nextAt() }
        const isDue =
          nextReady !== undefined &&
          (typeof group === "number" ||
            nextReady.earliestDeadline <= (group.ready.peek()?.deadline ?? 0))
        if (isDue) ready.pop()
        const batch = isDue
          ? withoutResolved(nextReady)
          : typeof group === "number"
            ? undefined
            : newBatch(group)
        if (batch !== undefined) return markInFlight(batch)
      }
    },

    onResponse: (batch, response, now) => {
      time = now
      const { entries } = batch
      const records = entries.map(({ record }) => record)
      // first of all: if a client's response cannot be read, its records stay in flight
      const reports = matchResults(records, requestProductCode(entries), response)
      markDone(batch)
      limiter.recover()
      const [first] = entries
      if (first !== undefined) {
        batchSize.recordAccepted(first.group, entries.length)
        if (rejections.suspectedCause(first, now) !== undefined) {
          batchSize.recordAccepted(`${suspectPrefix}${first.group}`, entries.length)
        }
      }
      rejections.recordAccepted(entries, now)
      licenses.unite(entries)
      const left: Array<PendingRecord> = []
      const ambiguous = new Set<PendingRecord>()
      reports.forEach((reported, index) => {
        const entry = entries[index]
        if (entry === undefined) return
        entry.error = undefined
        if (typeof reported === "object") {
          // matchResults drops results without a status
          pending.resolve(entry, resolutionOf(reported.status ?? "", reported.meteringRecordId))
          return
        }
        if (reported !== "Unprocessed") markUncertain([entry], { reason: reported })
        if (reported === "Ambiguous") ambiguous.add(entry)
        left.push(entry)
      })
      onPartAccepted(batch)
      return groupByRetryState(left).map(({ entries, retryState }) => ({
        error: unprocessedError,
        retryState,
        parts: entries.filter((entry) => ambiguous.has(entry)).map((entry) => [entry]),
        rebatchable: entries.filter((entry) => !ambiguous.has(entry)),
        finalResolution: { _tag: "NotSent", reason: "Unprocessed" }
      }))
    },

    onError: (batch, error, now) => {
      time = now
      const { entries } = batch
      markDone(batch)
      const classification = classifyError(error)
      const { scope, delivery } = classification
      for (const entry of entries) entry.error = error
      if (delivery === "unknown") markUncertain(entries, { reason: "NoResponse", error })
      const resolution = resolutionAfter(error, classification)
      switch (scope) {
        case "transient": {
          releaseOtherHalf(batch)
          const all = groupByRetryState(entries)
          return all.map(({ entries, retryState }) => ({
            error,
            retryState,
            // records with the same number of attempts stay together
            parts: all.length === 1 ? [entries] : [],
            rebatchable: all.length === 1 ? [] : entries,
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
          resolveAll(entries, resolution)
          stopSending(
            delivery === "notSent" ? resolution : { _tag: "NotSent", reason: "Rejected", error }
          )
          releaseOtherHalf(batch)
          return []
      }
    },

    onInterrupt: (batch) => {
      markDone(batch)
      markUncertain(batch.entries, { reason: "Interrupted" })
      resolveAll(batch.entries, { _tag: "NotSent", reason: "Stopped" })
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
      const isFinal = (entry: PendingRecord) =>
        stopResolutionOf(entry) !== undefined ||
        decision.at >= toMonotonic(entry.deadline - deadlineMargin, now)
      /** The records that are sent again. The others get their final resolution. */
      const retryable = (entries: ReadonlyArray<PendingRecord>): ReadonlyArray<PendingRecord> => {
        resolveAll(entries.filter(isFinal), finalResolution)
        const left = entries.filter((entry) => !entry.isResolved)
        for (const entry of left) entry.retryState = decision.retryState
        return left
      }
      const retries = parts.map(retryable).filter((entries) => entries.length > 0)
      delayed.push({
        at: decision.at,
        batches: retries.map((entries) => batches.ofRecords(entries)),
        rebatchable: retryable(rebatchable)
      })
    },

    stop: () => stopSending({ _tag: "NotSent", reason: "Stopped" }),

    abandonInFlight: () => {
      for (const entry of pending.unresolved) {
        if (entry.isInFlight) markUncertain([entry], { reason: "Interrupted" })
        entry.isInFlight = false
      }
      inFlight = 0
      stopSending({ _tag: "NotSent", reason: "Stopped" })
    }
  }
}

/** Unprocessed records are retried like an internal error. */
const unprocessedError = new InternalServiceErrorException({ operation: "BatchMeterUsage" })

/** Errors with which the service may reject a call that has licenses of two products. */
const multiProductErrors: ReadonlySet<BatchMeterUsageError["_tag"]> = new Set([
  "InvalidProductCodeException",
  "UnknownServiceError"
])

/** Prefix of the names of groups whose records have a suspected cause of rejection. */
const suspectPrefix = "suspects "

/** The records that the client found invalid. If it names none, all of them, unless a smaller call may be valid. */
const violationsByRecord = (
  entries: ReadonlyArray<PendingRecord>,
  { violations }: InvalidInputError
) => {
  const invalid = new Map<PendingRecord, Violations>()
  for (const { index, ...violation } of violations) {
    const entry = index === undefined ? undefined : entries[index]
    if (entry !== undefined) invalid.set(entry, [violation, ...(invalid.get(entry) ?? [])])
  }
  const isTooLarge = violations.some(({ rule }) => rule === "requestSize")
  if (invalid.size === 0 && (entries.length === 1 || !isTooLarge)) {
    for (const entry of entries) invalid.set(entry, violations)
  }
  return { invalid, others: entries.filter((entry) => !invalid.has(entry)) }
}
