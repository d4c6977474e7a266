/**
 * What goes next and what an answer means, over all records that are on their way. Nothing in here waits, sends or
 * forks: every function is one step from one state to the next.
 */
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import { InternalServiceErrorException, type InvalidInputError } from "../../MeteringError.js"
import type { Counts, Input, Outcome } from "../../UsageSubmission.js"
import * as adaptiveBatchSize from "./adaptiveBatchSize.js"
import type { Batch, Bisection } from "./batch.js"
import * as batches from "./batch.js"
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
import type { ResolvedOptions } from "./resolveOptions.js"

/** What a worker is to do: make a call, wait until something happens or that steady time comes, or go home. */
export type Action =
  | { readonly _tag: "Send"; readonly batch: Batch }
  | { readonly _tag: "Wait"; readonly until: number }
  | { readonly _tag: "Done" }

/** Records that are to be sent again if the schedule agrees. */
export interface RetryRequest {
  /** What the schedule is asked about. */
  readonly error: BatchMeterUsageError
  /** Where it stands. */
  readonly retryState: unknown
  /** Those that go together, as they are. */
  readonly parts: ReadonlyArray<ReadonlyArray<PendingRecord>>
  /** Those that may go with any others. */
  readonly rebatchable: ReadonlyArray<PendingRecord>
  /** What they come to if it does not. */
  readonly finalResolution: Resolution
}

/** A schedule's word: when, in steady milliseconds, and where it stands then. */
export interface RetryDecision {
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

export interface Scheduler {
  readonly outcomes: Array<Outcome>
  readonly state: () => SchedulerState
  /** Whether another record may be read. */
  readonly hasRoom: () => boolean
  readonly isDone: () => boolean
  readonly offer: (input: Input, now: ClockReading) => void
  /** No more is read. */
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
  /** Its call ended without an answer or an error. */
  readonly onInterrupt: (batch: Batch) => void
  /** The schedule has been asked about records of a call of that time; nothing is its no. */
  readonly onRetryDecision: (
    request: RetryRequest,
    decision: RetryDecision | undefined,
    sentAt: ClockReading,
    now: ClockReading
  ) => void
  /** No call is made from now on. */
  readonly stop: () => void
  /** What is under way is not waited for. */
  readonly abandonInFlight: () => void
}

export const make = (options: ResolvedOptions): Scheduler => {
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
  /** To be sent as they are, as soon as there is a turn for them. */
  const ready = priorityQueue.make<Batch>(
    (left, right) => left.earliestDeadline < right.earliestDeadline
  )
  const delayed = priorityQueue.make<{
    readonly at: number
    readonly batch: Batch | undefined
    readonly rebatchable: ReadonlyArray<PendingRecord>
  }>((left, right) => left.at < right.at)
  const stoppedGroups = new Map<string, Resolution>()
  /** Groups of which a call was refused for what its records were together. */
  const multiProductGroups = new Set<string>()
  let stopResolution: Resolution | undefined
  let time: ClockReading = { wall: 0, monotonic: 0 }
  /** When the buffer was last seen full. */
  let fullAt = Number.NEGATIVE_INFINITY
  let read = 0
  let inFlight = 0
  let calls = 0
  let hasEnded = false

  const pending = pendingRecords.make((entry) => {
    if (stopResolutionOf(entry) === undefined) enqueue(entry)
  })

  /** Which records may share its call: those of its product, as far as is known. */
  const groupNameOf = (entry: PendingRecord): string => {
    const { group, record } = entry
    const suspectedCause = rejections.suspectedCause(entry, time)
    if (suspectedCause !== undefined) return `${suspectPrefix}${group} ${suspectedCause}`
    return record.licenseArn !== undefined && multiProductGroups.has(group)
      ? `${group} ${licenses.representativeOf(record.licenseArn)}`
      : group
  }

  /** How many records of a group go in a call. */
  const limitOf = (name: string, product: string): number =>
    batchSize.limitOf(name.startsWith(suspectPrefix) ? `${suspectPrefix}${product}` : product)

  /** May go with the next call that has room for it. */
  const enqueue = (entry: PendingRecord) => unbatched.add(entry, groupNameOf(entry), time)

  /** What keeps records of a group from being sent at all. */
  const stopResolutionOf = ({ group }: Pick<PendingRecord, "group">): Resolution | undefined =>
    stopResolution ?? stoppedGroups.get(group)

  const resolveAll = (entries: Iterable<PendingRecord>, resolution: Resolution) => {
    for (const entry of entries) pending.resolve(entry, resolution)
  }

  /** Ends a group's records, or all, but for those that are under way. */
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
  // parcels
  // -------------------------------------------------------------------------------------------------

  const enqueueBatch = (batch: Batch) => {
    const resolution = batch.entries[0] && stopResolutionOf(batch.entries[0])
    if (resolution === undefined) ready.push(batch)
    else resolveAll([...batch.entries, ...(batch.bisection?.otherHalf ?? [])], resolution)
  }

  /** These may go with any others. */
  const enqueueAll = (entries: Iterable<PendingRecord>) => {
    for (const entry of entries) {
      if (entry.isResolved) continue
      const resolution = stopResolutionOf(entry)
      if (resolution === undefined) enqueue(entry)
      else pending.resolve(entry, resolution)
    }
  }

  /** What a search has left to others. */
  const releaseOtherHalf = ({ bisection }: Batch) => enqueueAll(bisection?.otherHalf ?? [])

  /** Without those that meanwhile have their outcome or are too late; nothing where none is left. */
  const withoutResolved = (batch: Batch): Batch | undefined => {
    const entries = batch.entries.filter((entry) => !entry.isResolved && !expireIfLate(entry))
    if (entries.length > 0) return { ...batch, entries }
    releaseOtherHalf(batch)
    return undefined
  }

  /** Deals with what does not belong in a call of this group, or not any more. */
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

  /** While something is under way, a full buffer will have room again, and calls can be filled. */
  const partialBatches = (): batchQueue.PartialBatches =>
    hasEnded ? "All" : hasRoom() || inFlight > 0 ? "None" : "AllIfNoneIsFull"

  // -------------------------------------------------------------------------------------------------
  // refusals
  // -------------------------------------------------------------------------------------------------

  const markUncertain = (entries: Iterable<PendingRecord>, uncertainty: Uncertainty) => {
    for (const entry of entries) entry.uncertainty ??= uncertainty
  }

  /** What it comes to when nothing more is tried after this error. */
  const resolutionAfter = (
    error: BatchMeterUsageError,
    { scope, delivery }: ErrorClassification
  ): Resolution =>
    delivery !== "refused"
      ? // of what is in doubt, only the doubt is told
        { _tag: "NotSent", reason: "Undelivered", error }
      : scope === "passing"
        ? { _tag: "NotSent", reason: "Throttled", error }
        : { _tag: "Rejected", error }

  /** Each of these was refused for its own sake, or for what all of them share. */
  const reject = (entries: ReadonlyArray<PendingRecord>, error: BatchMeterUsageError) => {
    for (const entry of entries) {
      entry.error = error
      rejections.recordRejected(entry, error, time)
      pending.resolve(entry, { _tag: "Rejected", error })
    }
  }

  /** One or more of these spoil a call, or all of them together: it is looked for. */
  const isolateInvalid = (
    entries: ReadonlyArray<PendingRecord>,
    found: Omit<Bisection, "otherHalf">
  ) => {
    const left = entries.filter((entry) => !entry.isResolved)
    const half = Math.ceil(left.length / 2)
    if (left.length === 0) return
    if (left.length === 1) enqueueBatch(batches.ofRecords(left, { ...found, otherHalf: [] }))
    // where many are rejected, to know that these hold another tells little; but the next calls have to be smaller than
    // this one, or it would be made again
    else if (left.every((entry) => limitOf(groupNameOf(entry), entry.group) < half))
      enqueueAll(left)
    else enqueueBatch(batches.bisect(left, found))
  }

  /** The next calls with records like these are smaller. */
  const reduceBatchSize = (entries: ReadonlyArray<PendingRecord>, error: BatchMeterUsageError) => {
    const [first] = entries
    if (first === undefined) return
    const { group } = first
    batchSize.recordRejected(group, 1)
    const suspectedCause = rejections.suspectedCause(first, time)
    if (suspectedCause === undefined) return
    // suspects share calls to be rejected together for what they are suspected of
    if (suspectedCause === rejections.causeOf(first, error, time)) {
      batchSize.recordAccepted(`${suspectPrefix}${group}`, entries.length)
    } else {
      batchSize.recordRejected(`${suspectPrefix}${group}`, 1)
    }
  }

  /** The service refused the call for a record of it, or for what its records are together. */
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

  /** The client itself refused the call. */
  const onInvalidBatch = (batch: Batch, error: InvalidInputError) => {
    const { faults, others } = violationsByRecord(batch.entries, error)
    for (const [entry, violations] of faults)
      pending.resolve(entry, { _tag: "Invalid", violations })
    const middle = faults.size > 0 ? others.length : Math.ceil(others.length / 2)
    for (const part of [others.slice(0, middle), others.slice(middle)]) {
      if (part.length > 0) enqueueBatch(batches.ofRecords(part))
    }
    releaseOtherHalf(batch)
  }

  /** The service took a part of a call that it had refused: the fault is in the rest, or in none. */
  const onPartAccepted = ({ entries, bisection: found }: Batch) => {
    if (found === undefined) return
    const { error, rejected, otherHalf } = found
    const accepted = found.accepted + entries.length
    if (otherHalf.length > 0) {
      // even the last one is sent, for what the call was refused for may have passed
      isolateInvalid(otherHalf, { rejected, error, accepted })
    } else if (accepted === rejected.length && !licenses.haveOneProduct(rejected)) {
      // each of them was taken, and all of them together were not
      multiProductGroups.add(groupOfAll(rejected))
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
    isDone: () => hasEnded && pending.unresolved.size === 0,

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
      const { monotonic: steady } = now
      if (!hasRoom()) fullAt = steady
      for (;;) {
        if (hasEnded && pending.unresolved.size === 0) return { _tag: "Done" }
        for (
          let one = delayed.peek();
          one !== undefined && one.at <= steady;
          one = delayed.peek()
        ) {
          delayed.pop()
          if (one.batch !== undefined) ready.push(one.batch)
          enqueueAll(one.rebatchable)
        }
        const group = unbatched.choose(now, partialBatches(), fullAt)
        const nextReady = ready.peek()
        const isIdle = nextReady === undefined && typeof group === "number"
        if (isIdle) return { _tag: "Wait", until: Math.min(group, delayed.peek()?.at ?? Infinity) }
        if (limiter.nextAt() > steady) return { _tag: "Wait", until: limiter.nextAt() }
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
      const records = entries.map(({ record }) => record)
      const left: Array<PendingRecord> = []
      const ambiguous = new Set<PendingRecord>()
      matchResults(records, requestProductCode(entries), response).forEach((reported, place) => {
        const entry = entries[place]
        if (entry === undefined) return
        entry.error = undefined
        if (typeof reported === "object") {
          // a result without a status is no result
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
      if (delivery === "doubtful") markUncertain(entries, { reason: "NoResponse", error })
      const resolution = resolutionAfter(error, classification)
      switch (scope) {
        case "passing": {
          releaseOtherHalf(batch)
          const all = groupByRetryState(entries)
          return all.map(({ entries, retryState }) => ({
            error,
            retryState,
            // what has been tried equally often goes again as it was
            parts: all.length === 1 ? [entries] : [],
            rebatchable: all.length === 1 ? [] : entries,
            finalResolution: resolution
          }))
        }
        case "record":
          if (error._tag === "InvalidInputError") onInvalidBatch(batch, error)
          else onRejectedBatch(batch, error)
          return []
        case "product": {
          const [first] = entries
          // a license names its product: the call may be refused for one of them, or for two products that met in it
          const isOfLicenses = first?.record.licenseArn !== undefined
          if (isOfLicenses && multiProductErrors.has(error._tag) && !haveOneLicense(entries)) {
            onRejectedBatch(batch, error)
            return []
          }
          if (isOfLicenses && error._tag === "InvalidProductCodeException") {
            reject(entries, error)
            releaseOtherHalf(batch)
            return []
          }
          resolveAll(entries, resolution)
          stopSending({ _tag: "NotSent", reason: "Rejected", error }, first?.group)
          releaseOtherHalf(batch)
          return []
        }
        case "caller":
          resolveAll(entries, resolution)
          stopSending(
            delivery === "unsent" ? resolution : { _tag: "NotSent", reason: "Rejected", error }
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
        // a hint of the service is for every call, and the schedule has heard it
        const until =
          error.retryAfter === undefined ? now.monotonic : (decision?.at ?? now.monotonic)
        limiter.throttle(sentAt.monotonic, now.monotonic, until)
      }
      /** Of records, those that are sent again; the others come to their end. */
      const retryable = (entries: ReadonlyArray<PendingRecord>): ReadonlyArray<PendingRecord> => {
        const isFinal = (entry: PendingRecord) =>
          decision === undefined ||
          stopResolutionOf(entry) !== undefined ||
          decision.at >= toMonotonic(entry.deadline - deadlineMargin, now)
        resolveAll(entries.filter(isFinal), finalResolution)
        const left = entries.filter((entry) => !entry.isResolved)
        for (const entry of left) entry.retryState = decision?.retryState
        return left
      }
      const others = retryable(rebatchable)
      if (decision !== undefined && others.length > 0) {
        delayed.push({ at: decision.at, batch: undefined, rebatchable: others })
      }
      for (const part of parts) {
        const entries = retryable(part)
        if (decision !== undefined && entries.length > 0) {
          delayed.push({ at: decision.at, batch: batches.ofRecords(entries), rebatchable: [] })
        }
      }
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

/** What an answer leaves open is as passing as a fault inside the service, and the schedule is told so. */
const unprocessedError = new InternalServiceErrorException({ operation: "BatchMeterUsage" })

/** Errors that, for all that is known, a call with licenses of two products may be refused with, beside a record's. */
const multiProductErrors: ReadonlySet<BatchMeterUsageError["_tag"]> = new Set([
  "InvalidProductCodeException",
  "UnknownServiceError"
])

/** The names of groups of records that may be refused for the same begin with this. */
const suspectPrefix = "suspects "

const groupOf = (licenseArn: string | undefined, productCode = ""): string =>
  licenseArn === undefined ? `product ${productCode}` : `licenses ${productCode}`

/** Records of one call have one group. */
const groupOfAll = ([first]: ReadonlyArray<PendingRecord>): string => first?.group ?? ""

/** Records by how far the schedule is with them. */
const groupByRetryState = (entries: ReadonlyArray<PendingRecord>) => {
  const groups = new Map<unknown, Array<PendingRecord>>()
  for (const entry of entries) {
    const group = groups.get(entry.retryState)
    if (group === undefined) groups.set(entry.retryState, [entry])
    else group.push(entry)
  }
  return [...groups].map(([retryState, entries]) => ({ retryState, entries }))
}

/** What the call says; the product of a record with a licence is only for packing. */
export const requestProductCode = ([first]: ReadonlyArray<PendingRecord>): string | undefined =>
  first?.record.licenseArn === undefined ? first?.productCode : undefined

/** Records that the client itself found at fault, where it says which. */
const violationsByRecord = (
  entries: ReadonlyArray<PendingRecord>,
  { violations }: InvalidInputError
) => {
  const faults = new Map<PendingRecord, Violations>()
  for (const { index, ...violation } of violations) {
    const entry = index === undefined ? undefined : entries[index]
    if (entry !== undefined) faults.set(entry, [violation, ...(faults.get(entry) ?? [])])
  }
  const isOfSize = violations.some(({ rule }) => rule === "requestSize")
  if (faults.size === 0 && (entries.length === 1 || !isOfSize)) {
    for (const entry of entries) faults.set(entry, violations)
  }
  return { faults, others: entries.filter((entry) => !faults.has(entry)) }
}
