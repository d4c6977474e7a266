/**
 * What goes next and what an answer means, over all records that are on their way. Nothing in here waits, sends or
 * forks: every function is one step from one state to the next.
 */
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import { InternalServiceErrorException, type InvalidInputError } from "../../MeteringError.js"
import type { Counts, Input, Outcome } from "../../UsageSubmission.js"
import * as bookkeeping from "./books.js"
import * as learning from "./causes.js"
import * as caring from "./caution.js"
import { type Doubt, type Entry, type Fate, fateOf, type Violations } from "./entry.js"
import * as heap from "./heap.js"
import * as intake from "./intake.js"
import { keyOf } from "./key.js"
import * as licensing from "./licenses.js"
import { match } from "./matching.js"
import { type Moment, steadyOf } from "./moment.js"
import * as pacing from "./pace.js"
import type { Parcel, Search } from "./parcel.js"
import * as parcels from "./parcel.js"
import type { Settings } from "./settings.js"
import { type Verdict, verdictOf } from "./verdict.js"
import * as waitingRoom from "./waiting.js"

/** What a worker is to do: make a call, wait until something happens or that steady time comes, or go home. */
export type Step =
  | { readonly _tag: "Send"; readonly parcel: Parcel }
  | { readonly _tag: "Wait"; readonly until: number }
  | { readonly _tag: "Done" }

/** Records that are to be sent again if the schedule agrees. */
export interface Again {
  /** What the schedule is asked about. */
  readonly error: BatchMeterUsageError
  /** Where it stands. */
  readonly retries: unknown
  /** Those that go together, as they are. */
  readonly parts: ReadonlyArray<ReadonlyArray<Entry>>
  /** Those that may go with any others. */
  readonly free: ReadonlyArray<Entry>
  /** What they come to if it does not. */
  readonly otherwise: Fate
}

/** A schedule's word: when, in steady milliseconds, and where it stands then. */
export interface Decision {
  readonly at: number
  readonly retries: unknown
}

export interface State {
  readonly read: number
  readonly live: number
  readonly inFlight: number
  readonly calls: number
  readonly rate: number
  readonly counts: Counts
}

export interface Dispatch {
  readonly outcomes: Array<Outcome>
  readonly state: () => State
  /** Whether another record may be read. */
  readonly hasRoom: () => boolean
  readonly isDone: () => boolean
  readonly offer: (input: Input, now: Moment) => void
  /** No more is read. */
  readonly end: () => void
  readonly next: (now: Moment) => Step
  readonly answered: (
    parcel: Parcel,
    answer: BatchMeterUsageResponse,
    now: Moment
  ) => ReadonlyArray<Again>
  readonly failed: (
    parcel: Parcel,
    error: BatchMeterUsageError,
    now: Moment
  ) => ReadonlyArray<Again>
  /** Its call ended without an answer or an error. */
  readonly lost: (parcel: Parcel) => void
  /** The schedule has been asked about records of a call of that time; nothing is its no. */
  readonly decided: (
    again: Again,
    decision: Decision | undefined,
    sentAt: Moment,
    now: Moment
  ) => void
  /** No call is made from now on. */
  readonly halt: () => void
  /** What is under way is not waited for. */
  readonly abandon: () => void
}

export const make = (settings: Settings): Dispatch => {
  const { bufferSize, margin, schedule } = settings
  const take = intake.make(settings)
  const pace = pacing.make(settings.rate)
  const licenses = licensing.make()
  const causes = learning.make()
  const caution = caring.make()
  const waiting = waitingRoom.make({
    linger: settings.linger,
    margin,
    limitOf: ({ name, product }) => limitOf(name, product)
  })
  /** To be sent as they are, as soon as there is a turn for them. */
  const due = heap.make<Parcel>((left, right) => left.urgency < right.urgency)
  const delayed = heap.make<{
    readonly at: number
    readonly parcel: Parcel | undefined
    readonly free: ReadonlyArray<Entry>
  }>((left, right) => left.at < right.at)
  const refusals = new Map<string, Fate>()
  /** Groups of which a call was refused for what its records were together. */
  const mixed = new Set<string>()
  let refusalOfAll: Fate | undefined
  let time: Moment = { wall: 0, steady: 0 }
  /** When the buffer was last seen full. */
  let fullAt = Number.NEGATIVE_INFINITY
  let read = 0
  let inFlight = 0
  let calls = 0
  let hasEnded = false

  const books = bookkeeping.make((entry) => {
    if (stopped(entry) === undefined) join(entry)
  })

  /** Which records may share its call: those of its product, as far as is known. */
  const groupNameOf = (entry: Entry): string => {
    const { group, record } = entry
    const suspicion = causes.suspicionOf(entry, time)
    if (suspicion !== undefined) return `${suspects}${group} ${suspicion}`
    return record.licenseArn !== undefined && mixed.has(group)
      ? `${group} ${licenses.nameOf(record.licenseArn)}`
      : group
  }

  /** How many records of a group go in a call. */
  const limitOf = (name: string, product: string): number =>
    caution.limitOf(name.startsWith(suspects) ? `${suspects}${product}` : product)

  /** May go with the next call that has room for it. */
  const join = (entry: Entry) => waiting.add(entry, groupNameOf(entry), time)

  /** What keeps records of a group from being sent at all. */
  const stopped = ({ group }: Pick<Entry, "group">): Fate | undefined =>
    refusalOfAll ?? refusals.get(group)

  const settleAll = (entries: Iterable<Entry>, fate: Fate) => {
    for (const entry of entries) books.settle(entry, fate)
  }

  /** Ends a group's records, or all, but for those that are under way. */
  const stop = (fate: Fate, group?: string) => {
    if (group === undefined) refusalOfAll ??= fate
    else if (!refusals.has(group)) refusals.set(group, fate)
    waiting.clear(group)
    for (const entry of books.live) {
      if (!entry.isInFlight && (group === undefined || entry.group === group)) {
        books.settle(entry, fate)
      }
    }
  }

  const isTooLate = (entry: Entry): boolean => {
    if (time.wall < entry.deadline - margin) return false
    books.settle(entry, { _tag: "Expired" })
    return true
  }

  // -------------------------------------------------------------------------------------------------
  // parcels
  // -------------------------------------------------------------------------------------------------

  const queue = (parcel: Parcel) => {
    const fate = parcel.entries[0] && stopped(parcel.entries[0])
    if (fate === undefined) due.push(parcel)
    else settleAll([...parcel.entries, ...(parcel.search?.rest ?? [])], fate)
  }

  /** These may go with any others. */
  const joinAll = (entries: Iterable<Entry>) => {
    for (const entry of entries) {
      if (entry.isSettled) continue
      const fate = stopped(entry)
      if (fate === undefined) join(entry)
      else books.settle(entry, fate)
    }
  }

  /** What a search has left to others. */
  const release = ({ search }: Parcel) => joinAll(search?.rest ?? [])

  /** Without those that meanwhile have their outcome or are too late; nothing where none is left. */
  const current = (parcel: Parcel): Parcel | undefined => {
    const entries = parcel.entries.filter((entry) => !entry.isSettled && !isTooLate(entry))
    if (entries.length > 0) return { ...parcel, entries }
    release(parcel)
    return undefined
  }

  /** Deals with what does not belong in a call of this group, or not any more. */
  const keepOut = (entry: Entry, name: string): boolean => {
    if (isTooLate(entry)) return true
    const error = causes.known(entry, time)
    if (error !== undefined) {
      entry.error = error
      books.settle(entry, { _tag: "Rejected", error })
      return true
    }
    const isElsewhere = groupNameOf(entry) !== name
    if (isElsewhere) join(entry)
    return isElsewhere
  }

  const fresh = (group: waitingRoom.Group): Parcel | undefined => {
    const entries = waiting.take(group, time, keepOut)
    return entries.length === 0 ? undefined : parcels.make(entries)
  }

  const launch = (parcel: Parcel): Step => {
    for (const entry of parcel.entries) {
      entry.isInFlight = true
      entry.attempts += 1
    }
    inFlight += parcel.entries.length
    calls += 1
    pace.take(time.steady)
    return { _tag: "Send", parcel }
  }

  const land = ({ entries }: Parcel) => {
    for (const entry of entries) entry.isInFlight = false
    inFlight -= entries.length
  }

  const hasRoom = () => books.live.size < bufferSize

  /** While something is under way, a full buffer will have room again, and calls can be filled. */
  const partial = (): waitingRoom.Partial =>
    hasEnded ? "All" : hasRoom() || inFlight > 0 ? "None" : "AllIfNoneIsFull"

  // -------------------------------------------------------------------------------------------------
  // refusals
  // -------------------------------------------------------------------------------------------------

  const doubt = (entries: Iterable<Entry>, why: Doubt) => {
    for (const entry of entries) entry.doubt ??= why
  }

  /** What it comes to when nothing more is tried after this error. */
  const fateAfter = (error: BatchMeterUsageError, { about, delivery }: Verdict): Fate =>
    delivery !== "refused"
      ? // of what is in doubt, only the doubt is told
        { _tag: "NotSent", reason: "Undelivered", error }
      : about === "passing"
        ? { _tag: "NotSent", reason: "Throttled", error }
        : { _tag: "Rejected", error }

  /** Each of these was refused for its own sake, or for what all of them share. */
  const reject = (entries: ReadonlyArray<Entry>, error: BatchMeterUsageError) => {
    for (const entry of entries) {
      entry.error = error
      causes.learn(entry, error, time)
      books.settle(entry, { _tag: "Rejected", error })
    }
  }

  /** One or more of these spoil a call, or all of them together: it is looked for. */
  const search = (entries: ReadonlyArray<Entry>, found: Omit<Search, "rest">) => {
    const left = entries.filter((entry) => !entry.isSettled)
    const half = Math.ceil(left.length / 2)
    if (left.length === 0) return
    if (left.length === 1) queue(parcels.make(left, { ...found, rest: [] }))
    // where many are rejected, to know that these hold another tells little; but the next calls have to be smaller than
    // this one, or it would be made again
    else if (left.every((entry) => limitOf(groupNameOf(entry), entry.group) < half)) joinAll(left)
    else queue(parcels.halve(left, found))
  }

  /** The next calls with records like these are smaller. */
  const beCautious = (entries: ReadonlyArray<Entry>, error: BatchMeterUsageError) => {
    const [first] = entries
    if (first === undefined) return
    const { group } = first
    caution.refused(group, 1)
    const suspicion = causes.suspicionOf(first, time)
    if (suspicion === undefined) return
    // suspects share calls to be rejected together for what they are suspected of
    if (suspicion === causes.reasonOf(first, error, time)) {
      caution.taken(`${suspects}${group}`, entries.length)
    } else {
      caution.refused(`${suspects}${group}`, 1)
    }
  }

  /** The service refused the call for a record of it, or for what its records are together. */
  const refused = (parcel: Parcel, error: BatchMeterUsageError) => {
    const { entries } = parcel
    if (entries.length === 1 || causes.sharedBy(entries, error, time)) {
      beCautious(entries, error)
      reject(entries, error)
    } else {
      search(entries, { refused: entries, error, taken: 0 })
    }
    release(parcel)
  }

  /** The client itself refused the call. */
  const invalid = (parcel: Parcel, error: InvalidInputError) => {
    const { faults, others } = faultsOf(parcel.entries, error)
    for (const [entry, violations] of faults) books.settle(entry, { _tag: "Invalid", violations })
    const middle = faults.size > 0 ? others.length : Math.ceil(others.length / 2)
    for (const part of [others.slice(0, middle), others.slice(middle)]) {
      if (part.length > 0) queue(parcels.make(part))
    }
    release(parcel)
  }

  /** The service took a part of a call that it had refused: the fault is in the rest, or in none. */
  const tookPart = ({ entries, search: found }: Parcel) => {
    if (found === undefined) return
    const { error, refused, rest } = found
    const taken = found.taken + entries.length
    if (rest.length > 0) {
      // even the last one is sent, for what the call was refused for may have passed
      search(rest, { refused, error, taken })
    } else if (taken === refused.length && !licenses.areOfOneProduct(refused)) {
      // each of them was taken, and all of them together were not
      mixed.add(groupOfAll(refused))
    }
  }

  return {
    outcomes: books.outcomes,
    state: () => ({
      read,
      live: books.live.size,
      inFlight,
      calls,
      rate: pace.rate(),
      counts: books.counts()
    }),
    hasRoom,
    isDone: () => hasEnded && books.live.size === 0,

    offer: (input, now) => {
      time = now
      const index = read
      read += 1
      const { bytes, deadline, productCode, record, violations } = take(input)
      if (violations !== undefined) {
        const product = productCode === undefined ? {} : { productCode }
        books.tell({ _tag: "Invalid", index, record, ...product, violations })
        return
      }
      const key = keyOf(record, productCode)
      const entry: Entry = {
        index,
        record,
        productCode,
        group: groupOf(record.licenseArn, productCode),
        key,
        bytes,
        deadline,
        sameKeyAs: books.lastOf(key)?.index,
        previous: undefined,
        next: undefined,
        isInFlight: false,
        isSettled: false,
        attempts: 0,
        retries: schedule.initial,
        doubt: undefined,
        error: undefined
      }
      books.enter(entry)
      const fate = stopped(entry)
      if (fate !== undefined) books.settle(entry, fate)
    },

    end: () => {
      hasEnded = true
    },

    next: (now) => {
      time = now
      const { steady } = now
      if (!hasRoom()) fullAt = steady
      for (;;) {
        if (hasEnded && books.live.size === 0) return { _tag: "Done" }
        for (
          let one = delayed.peek();
          one !== undefined && one.at <= steady;
          one = delayed.peek()
        ) {
          delayed.pop()
          if (one.parcel !== undefined) due.push(one.parcel)
          joinAll(one.free)
        }
        const group = waiting.choose(now, partial(), fullAt)
        const urgent = due.peek()
        const isNone = urgent === undefined && typeof group === "number"
        if (isNone) return { _tag: "Wait", until: Math.min(group, delayed.peek()?.at ?? Infinity) }
        if (pace.next() > steady) return { _tag: "Wait", until: pace.next() }
        const isDue =
          urgent !== undefined &&
          (typeof group === "number" || urgent.urgency <= (group.ready.peek()?.deadline ?? 0))
        if (isDue) due.pop()
        const parcel = isDue
          ? current(urgent)
          : typeof group === "number"
            ? undefined
            : fresh(group)
        if (parcel !== undefined) return launch(parcel)
      }
    },

    answered: (parcel, answer, now) => {
      time = now
      const { entries } = parcel
      land(parcel)
      pace.faster()
      const [first] = entries
      if (first !== undefined) {
        caution.taken(first.group, entries.length)
        if (causes.suspicionOf(first, now) !== undefined) {
          caution.taken(`${suspects}${first.group}`, entries.length)
        }
      }
      causes.taken(entries, now)
      licenses.together(entries)
      const records = entries.map(({ record }) => record)
      const left: Array<Entry> = []
      const alone = new Set<Entry>()
      match(records, sentProductOf(entries), answer).forEach((told, place) => {
        const entry = entries[place]
        if (entry === undefined) return
        entry.error = undefined
        if (typeof told === "object") {
          // a result without a status is no result
          books.settle(entry, fateOf(told.status ?? "", told.meteringRecordId))
          return
        }
        if (told !== "Unprocessed") doubt([entry], { reason: told })
        if (told === "Ambiguous") alone.add(entry)
        left.push(entry)
      })
      tookPart(parcel)
      return byRetries(left).map(({ entries, retries }) => ({
        error: passing,
        retries,
        parts: entries.filter((entry) => alone.has(entry)).map((entry) => [entry]),
        free: entries.filter((entry) => !alone.has(entry)),
        otherwise: { _tag: "NotSent", reason: "Unprocessed" }
      }))
    },

    failed: (parcel, error, now) => {
      time = now
      const { entries } = parcel
      land(parcel)
      const verdict = verdictOf(error)
      const { about, delivery } = verdict
      for (const entry of entries) entry.error = error
      if (delivery === "doubtful") doubt(entries, { reason: "NoAnswer", error })
      const fate = fateAfter(error, verdict)
      switch (about) {
        case "passing": {
          release(parcel)
          const all = byRetries(entries)
          return all.map(({ entries, retries }) => ({
            error,
            retries,
            // what has been tried equally often goes again as it was
            parts: all.length === 1 ? [entries] : [],
            free: all.length === 1 ? [] : entries,
            otherwise: fate
          }))
        }
        case "record":
          if (error._tag === "InvalidInputError") invalid(parcel, error)
          else refused(parcel, error)
          return []
        case "product": {
          const [first] = entries
          // a license names its product: the call may be refused for one of them, or for two products that met in it
          const isOfLicenses = first?.record.licenseArn !== undefined
          if (isOfLicenses && mayBeMixed.has(error._tag) && !licensing.areOfOneLicense(entries)) {
            refused(parcel, error)
            return []
          }
          if (isOfLicenses && error._tag === "InvalidProductCodeException") {
            reject(entries, error)
            release(parcel)
            return []
          }
          settleAll(entries, fate)
          stop({ _tag: "NotSent", reason: "Refused", error }, first?.group)
          release(parcel)
          return []
        }
        case "caller":
          settleAll(entries, fate)
          stop(delivery === "unsent" ? fate : { _tag: "NotSent", reason: "Refused", error })
          release(parcel)
          return []
      }
    },

    lost: (parcel) => {
      land(parcel)
      doubt(parcel.entries, { reason: "Interrupted" })
      settleAll(parcel.entries, { _tag: "NotSent", reason: "Stopped" })
      release(parcel)
    },

    decided: ({ error, free, otherwise, parts }, decision, sentAt, now) => {
      time = now
      if (error.isThrottling) {
        // a hint of the service is for every call, and the schedule has heard it
        const until = error.retryAfter === undefined ? now.steady : (decision?.at ?? now.steady)
        pace.slower(sentAt.steady, now.steady, until)
      }
      /** Of records, those that are sent again; the others come to their end. */
      const again = (entries: ReadonlyArray<Entry>): ReadonlyArray<Entry> => {
        const isOver = (entry: Entry) =>
          decision === undefined ||
          stopped(entry) !== undefined ||
          decision.at >= steadyOf(entry.deadline - margin, now)
        settleAll(entries.filter(isOver), otherwise)
        const left = entries.filter((entry) => !entry.isSettled)
        for (const entry of left) entry.retries = decision?.retries
        return left
      }
      const others = again(free)
      if (decision !== undefined && others.length > 0) {
        delayed.push({ at: decision.at, parcel: undefined, free: others })
      }
      for (const part of parts) {
        const entries = again(part)
        if (decision !== undefined && entries.length > 0) {
          delayed.push({ at: decision.at, parcel: parcels.make(entries), free: [] })
        }
      }
    },

    halt: () => stop({ _tag: "NotSent", reason: "Stopped" }),

    abandon: () => {
      for (const entry of books.live) {
        if (entry.isInFlight) doubt([entry], { reason: "Interrupted" })
        entry.isInFlight = false
      }
      inFlight = 0
      stop({ _tag: "NotSent", reason: "Stopped" })
    }
  }
}

/** What an answer leaves open is as passing as a fault inside the service, and the schedule is told so. */
const passing = new InternalServiceErrorException({ operation: "BatchMeterUsage" })

/** Errors that, for all that is known, a call with licenses of two products may be refused with, beside a record's. */
const mayBeMixed: ReadonlySet<BatchMeterUsageError["_tag"]> = new Set([
  "InvalidProductCodeException",
  "UnknownServiceError"
])

/** The names of groups of records that may be refused for the same begin with this. */
const suspects = "suspects "

const groupOf = (licenseArn: string | undefined, productCode = ""): string =>
  licenseArn === undefined ? `product ${productCode}` : `licenses ${productCode}`

/** Records of one call have one group. */
const groupOfAll = ([first]: ReadonlyArray<Entry>): string => first?.group ?? ""

/** Records by how far the schedule is with them. */
const byRetries = (entries: ReadonlyArray<Entry>) => {
  const all = new Map<unknown, Array<Entry>>()
  for (const entry of entries) {
    const same = all.get(entry.retries)
    if (same === undefined) all.set(entry.retries, [entry])
    else same.push(entry)
  }
  return [...all].map(([retries, entries]) => ({ retries, entries }))
}

/** What the call says; the product of a record with a licence is only for packing. */
export const sentProductOf = ([first]: ReadonlyArray<Entry>): string | undefined =>
  first?.record.licenseArn === undefined ? first?.productCode : undefined

/** Records that the client itself found at fault, where it says which. */
const faultsOf = (entries: ReadonlyArray<Entry>, { violations }: InvalidInputError) => {
  const faults = new Map<Entry, Violations>()
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
