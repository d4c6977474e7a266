/** Every record that was read and has no outcome yet, the keys they claim, and the outcomes that are to be told. */
import type { Counts, Outcome } from "../../UsageSubmission.js"
import { outcomeOf, type PendingRecord, type Resolution } from "./pendingRecord.js"

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

export const zeroCounts: Counts = {
  Accepted: 0,
  Duplicate: 0,
  CustomerNotSubscribed: 0,
  Rejected: 0,
  Invalid: 0,
  Expired: 0,
  NotSent: 0,
  Unknown: 0,
  UnknownStatus: 0
}

export interface PendingRecords {
  /** Records without an outcome, in the order of the input. */
  readonly unresolved: ReadonlySet<PendingRecord>
  /** Outcomes that have not been handed over. */
  readonly outcomes: Array<Outcome>
  readonly counts: () => Counts
  /** The last record of a key that has no outcome yet. */
  readonly lastWithKey: (key: string) => PendingRecord | undefined
  readonly add: (entry: PendingRecord) => void
  /** An outcome of what never became a record. */
  readonly addOutcome: (outcome: Outcome) => void
  readonly resolve: (entry: PendingRecord, resolution: Resolution) => void
}

/** `free` is given each record once no earlier one of its key is without an outcome. */
export const make = (onReady: (entry: PendingRecord) => void): PendingRecords => {
  const unresolved = new Set<PendingRecord>()
  const lastByKey = new Map<string, PendingRecord>()
  const outcomes: Array<Outcome> = []
  const counts: Mutable<Counts> = { ...zeroCounts }

  const addOutcome = (outcome: Outcome) => {
    counts[outcome._tag] += 1
    outcomes.push(outcome)
  }

  return {
    unresolved,
    outcomes,
    counts: () => ({ ...counts }),
    lastWithKey: (key) => lastByKey.get(key),
    add: (entry) => {
      const last = lastByKey.get(entry.key)
      unresolved.add(entry)
      lastByKey.set(entry.key, entry)
      entry.previous = last
      if (last === undefined) onReady(entry)
      else last.next = entry
    },
    addOutcome,
    resolve: (entry, resolution) => {
      if (entry.isResolved) return
      entry.isResolved = true
      unresolved.delete(entry)
      addOutcome(outcomeOf(entry, resolution))
      const { key, next, previous } = entry
      entry.next = entry.previous = undefined
      if (previous !== undefined) previous.next = next
      if (next !== undefined) next.previous = previous
      if (next === undefined && previous === undefined) lastByKey.delete(key)
      else if (next === undefined && previous !== undefined) lastByKey.set(key, previous)
      else if (next !== undefined && previous === undefined) onReady(next)
    }
  }
}
