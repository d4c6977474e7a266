/**
 * What goes next and what an answer means, over all records that are on their way. Nothing in here waits, sends or
 * forks: every function is one step from one state to the next.
 */
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import { InternalServiceErrorException, type InvalidInputError } from "../../MeteringError.js"
import type { Counts, Input, Outcome } from "../../UsageSubmission.js"
import * as bookkeeping from "./books.js"
import { type Doubt, type Entry, type Fate, fateOf, type Violations } from "./entry.js"
import * as heap from "./heap.js"
import * as intake from "./intake.js"
import { keyOf } from "./key.js"
import { match } from "./matching.js"
import * as pacing from "./pace.js"
import { halve, type Parcel, whole } from "./parcel.js"
import type { Settings } from "./settings.js"
import { type Verdict, verdictOf } from "./verdict.js"
import * as waitingRoom from "./waiting.js"

/** What a worker is to do: make a call, wait until something happens or that time comes, or go home. */
export type Step =
  | { readonly _tag: "Send"; readonly parcel: Parcel }
  | { readonly _tag: "Wait"; readonly until: number }
  | { readonly _tag: "Done" }

/** Records that are to be sent again if the schedule agrees. */
export interface Again {
  /** What the schedule is asked about. */
  readonly error: BatchMeterUsageError
  /** Which go together. */
  readonly parts: ReadonlyArray<ReadonlyArray<Entry>>
  /** What they come to if it does not. */
  readonly otherwise: Fate
}

/** A schedule's word: when, and where it stands then. */
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
  readonly offer: (input: Input, now: number) => void
  /** No more is read. */
  readonly end: () => void
  readonly next: (now: number) => Step
  readonly answered: (
    parcel: Parcel,
    answer: BatchMeterUsageResponse,
    now: number
  ) => Again | undefined
  readonly failed: (parcel: Parcel, error: BatchMeterUsageError, now: number) => Again | undefined
  /** Its call ended without an answer or an error. */
  readonly lost: (parcel: Parcel) => void
  /** The schedule has been asked about a parcel of that time; nothing is its no. */
  readonly decided: (
    again: Again,
    decision: Decision | undefined,
    sentAt: number,
    now: number
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
  const waiting = waitingRoom.make(settings)
  /** To be sent as they are, as soon as there is a turn for them. */
  const due = heap.make<Parcel>((left, right) => left.urgency < right.urgency)
  const delayed = heap.make<{ readonly at: number; readonly parcel: Parcel }>(
    (left, right) => left.at < right.at
  )
  const refusals = new Map<string, Fate>()
  let refusalOfAll: Fate | undefined
  let time = 0
  /** When the buffer was last seen full. */
  let fullAt = Number.NEGATIVE_INFINITY
  let read = 0
  let inFlight = 0
  let calls = 0
  let hasEnded = false

  const books = bookkeeping.make((entry) => {
    if (stopped(entry) === undefined) waiting.add(entry, time)
  })

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
    if (time < entry.deadline - margin) return false
    books.settle(entry, { _tag: "Expired" })
    return true
  }

  // -------------------------------------------------------------------------------------------------
  // parcels
  // -------------------------------------------------------------------------------------------------

  const queue = (parcel: Parcel) => {
    const fate = parcel.entries[0] && stopped(parcel.entries[0])
    if (fate === undefined) due.push(parcel)
    else settleAll([...parcel.entries, ...parcel.rest], fate)
  }

  /** The half that waited may go, and is known to hold a culprit if the other was found to hold none. */
  const release = ({ rest, retries }: Parcel, isSuspect: boolean) => {
    const entries = rest.filter((entry) => !entry.isSettled)
    if (entries.length === 0) return
    queue(isSuspect && entries.length > 1 ? halve(entries, retries) : whole(entries, retries))
  }

  /** Without those that meanwhile have their outcome or are too late; nothing where none is left. */
  const current = (parcel: Parcel): Parcel | undefined => {
    const entries = parcel.entries.filter((entry) => !entry.isSettled && !isTooLate(entry))
    if (entries.length > 0) return { ...parcel, entries }
    release(parcel, false)
    return undefined
  }

  const fresh = (group: waitingRoom.Group): Parcel | undefined => {
    const entries = waiting.take(group, time, isTooLate)
    return entries.length === 0 ? undefined : whole(entries, schedule.initial)
  }

  const launch = (parcel: Parcel): Step => {
    for (const entry of parcel.entries) {
      entry.isInFlight = true
      entry.attempts += 1
    }
    inFlight += parcel.entries.length
    calls += 1
    pace.take(time)
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

  /** Refused for the sake of one record or more: it is looked for. */
  const single = (parcel: Parcel, error: BatchMeterUsageError) => {
    const { entries, retries } = parcel
    if (error._tag === "InvalidInputError") {
      const { faults, others } = faultsOf(entries, error)
      for (const [entry, violations] of faults) {
        books.settle(entry, { _tag: "Invalid", violations })
      }
      if (others.length > 0) {
        queue(faults.size > 0 ? whole(others, retries) : halve(others, retries))
      }
    } else if (entries.length > 1) {
      queue(halve(entries, retries))
    } else {
      settleAll(entries, { _tag: "Rejected", error })
    }
    release(parcel, false)
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
      if (!hasRoom()) fullAt = now
      for (;;) {
        if (hasEnded && books.live.size === 0) return { _tag: "Done" }
        for (let one = delayed.peek(); one !== undefined && one.at <= now; one = delayed.peek()) {
          delayed.pop()
          due.push(one.parcel)
        }
        const group = waiting.choose(now, partial(), fullAt)
        const urgent = due.peek()
        const isNone = urgent === undefined && typeof group === "number"
        if (isNone) return { _tag: "Wait", until: Math.min(group, delayed.peek()?.at ?? Infinity) }
        if (pace.next() > now) return { _tag: "Wait", until: pace.next() }
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
      const records = entries.map(({ record }) => record)
      const together: Array<Entry> = []
      const alone: Array<ReadonlyArray<Entry>> = []
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
        if (told === "Ambiguous") alone.push([entry])
        else together.push(entry)
      })
      release(parcel, true)
      const parts = together.length === 0 ? alone : [together, ...alone]
      return parts.length === 0
        ? undefined
        : { error: passing, parts, otherwise: { _tag: "NotSent", reason: "Unprocessed" } }
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
        case "passing":
          release(parcel, false)
          return { error, parts: [entries], otherwise: fate }
        case "record":
          single(parcel, error)
          return undefined
        case "product": {
          const [first] = entries
          if (first?.group === licences && error._tag === "InvalidProductCodeException") {
            // perhaps only because two products met in it
            if (entries.some(({ record }) => record.licenseArn !== first.record.licenseArn)) {
              single(parcel, error)
            } else {
              settleAll(entries, fate)
              release(parcel, false)
            }
            return undefined
          }
          settleAll(entries, fate)
          stop({ _tag: "NotSent", reason: "Refused", error }, first?.group)
          return undefined
        }
        case "caller":
          settleAll(entries, fate)
          stop(delivery === "unsent" ? fate : { _tag: "NotSent", reason: "Refused", error })
          return undefined
      }
    },

    lost: (parcel) => {
      land(parcel)
      doubt(parcel.entries, { reason: "Interrupted" })
      settleAll(parcel.entries, { _tag: "NotSent", reason: "Stopped" })
      release(parcel, false)
    },

    decided: ({ error, otherwise, parts }, decision, sentAt, now) => {
      time = now
      if (error.isThrottling) {
        // a hint of the service is for every call, and the schedule has heard it
        const until = error.retryAfter === undefined ? now : (decision?.at ?? now)
        pace.slower(sentAt, now, until)
      }
      for (const part of parts) {
        const isOver = (entry: Entry) =>
          decision === undefined ||
          stopped(entry) !== undefined ||
          decision.at >= entry.deadline - margin
        settleAll(part.filter(isOver), otherwise)
        const entries = part.filter((entry) => !entry.isSettled)
        if (decision !== undefined && entries.length > 0) {
          delayed.push({ at: decision.at, parcel: whole(entries, decision.retries) })
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

/** Records of licences that no product was named for share this group. */
const licences = "licence "

const groupOf = (licenseArn: string | undefined, productCode = ""): string =>
  licenseArn === undefined ? `product ${productCode}` : `${licences}${productCode}`

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
