/** Every record that was read and has no outcome yet, the keys they claim, and the outcomes that are to be told. */
import type { Counts, Outcome } from "../../UsageSubmission.js"
import { type Entry, type Fate, outcomeOf } from "./entry.js"

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

export const noCounts: Counts = {
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

export interface Books {
  /** Records without an outcome, in the order of the input. */
  readonly live: ReadonlySet<Entry>
  /** Outcomes that have not been handed over. */
  readonly outcomes: Array<Outcome>
  readonly counts: () => Counts
  /** The last record of a key that has no outcome yet. */
  readonly lastOf: (key: string) => Entry | undefined
  readonly enter: (entry: Entry) => void
  /** An outcome of what never became a record. */
  readonly tell: (outcome: Outcome) => void
  readonly settle: (entry: Entry, fate: Fate) => void
}

/** `free` is given each record once no earlier one of its key is without an outcome. */
export const make = (free: (entry: Entry) => void): Books => {
  const live = new Set<Entry>()
  const lastOfKey = new Map<string, Entry>()
  const outcomes: Array<Outcome> = []
  const counts: Mutable<Counts> = { ...noCounts }

  const tell = (outcome: Outcome) => {
    counts[outcome._tag] += 1
    outcomes.push(outcome)
  }

  return {
    live,
    outcomes,
    counts: () => ({ ...counts }),
    lastOf: (key) => lastOfKey.get(key),
    enter: (entry) => {
      const last = lastOfKey.get(entry.key)
      live.add(entry)
      lastOfKey.set(entry.key, entry)
      entry.previous = last
      if (last === undefined) free(entry)
      else last.next = entry
    },
    tell,
    settle: (entry, fate) => {
      if (entry.isSettled) return
      entry.isSettled = true
      live.delete(entry)
      tell(outcomeOf(entry, fate))
      const { key, next, previous } = entry
      entry.next = entry.previous = undefined
      if (previous !== undefined) previous.next = next
      if (next !== undefined) next.previous = previous
      if (next === undefined && previous === undefined) lastOfKey.delete(key)
      else if (next === undefined && previous !== undefined) lastOfKey.set(key, previous)
      else if (next !== undefined && previous === undefined) free(next)
    }
  }
}
