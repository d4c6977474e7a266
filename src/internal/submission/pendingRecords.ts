/** All records without an outcome, by deduplication key, and the outcomes that the runtime has not taken yet. */
import { type Counts, type Outcome, zeroCounts } from "../../UsageOutcome.js"
import { outcomeOf, type PendingRecord, type Resolution } from "./pendingRecord.js"

type Mutable<A> = { -readonly [K in keyof A]: A[K] }

interface PendingRecords {
  /** Records without an outcome, in the order of the input. */
  readonly unresolved: ReadonlySet<PendingRecord>
  /** The outcomes that the runtime has not taken yet. The runtime removes them. */
  readonly outcomes: Array<Outcome>
  readonly counts: () => Counts
  /** Returns the last record with this key that has no outcome. */
  readonly lastWithKey: (key: string) => PendingRecord | undefined
  readonly add: (item: PendingRecord) => void
  /** Adds the outcome of an input that is not a valid record. */
  readonly addOutcome: (outcome: Outcome) => void
  readonly resolve: (item: PendingRecord, resolution: Resolution) => void
}

/** `onReady` receives each record once all earlier records with its key have an outcome. */
export const make = (onReady: (item: PendingRecord) => void): PendingRecords => {
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
    add: (item) => {
      const last = lastByKey.get(item.key)
      unresolved.add(item)
      lastByKey.set(item.key, item)
      item.previous = last
      if (last === undefined) onReady(item)
      else last.next = item
    },
    addOutcome,
    resolve: (item, resolution) => {
      if (item.isResolved) return
      item.isResolved = true
      unresolved.delete(item)
      addOutcome(outcomeOf(item, resolution))
      const { key, next, previous } = item
      item.next = item.previous = undefined
      if (previous !== undefined) previous.next = next
      if (next !== undefined) next.previous = previous
      if (next === undefined && previous === undefined) lastByKey.delete(key)
      else if (next === undefined && previous !== undefined) lastByKey.set(key, previous)
      else if (next !== undefined && previous === undefined) onReady(next)
    }
  }
}
