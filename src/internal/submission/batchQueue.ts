/** Records that can be sent, grouped by product, ordered by deadline. Effect's queues are FIFO and have no groups. */

import { maxBytes } from "./batch.js"
import { type ClockReading, toMonotonic } from "./clockReading.js"
import type { PendingRecord } from "./pendingRecord.js"
import * as priorityQueue from "./priorityQueue.js"
import { envelopeBytes } from "./recordSize.js"

/** Records that may share a call. */
export interface Group {
  readonly name: string
  /** The group of its records as named by `groupOf`. */
  readonly product: string
  readonly ready: priorityQueue.PriorityQueue<PendingRecord>
  readonly envelope: number
  bytes: number
  /** Monotonic milliseconds. */
  lastTakenAt: number
}

/** The groups that may be sent although they do not fill a call. */
export type PartialBatches = "None" | "AllIfNoneIsFull" | "All"

interface BatchQueue {
  readonly add: (entry: PendingRecord, name: string, now: ClockReading) => void
  /**
   * The group to send next, or the monotonic time at which there will be one. Lingering starts at `fullAt` at the
   * earliest, the last time that the buffer was full: until then the source had more records.
   */
  readonly choose: (now: ClockReading, partial: PartialBatches, fullAt: number) => Group | number
  /** Takes the records of one call, except those for which `exclude` returns true. */
  readonly takeBatch: (
    group: Group,
    now: ClockReading,
    exclude: (entry: PendingRecord, name: string) => boolean
  ) => ReadonlyArray<PendingRecord>
  readonly clear: (product: string | undefined) => void
}

const isMoreUrgent = (left: PendingRecord, right: PendingRecord): boolean =>
  left.deadline < right.deadline || (left.deadline === right.deadline && left.index < right.index)

const earliestDeadlineOf = (group: Group): number =>
  group.ready.peek()?.deadline ?? Number.POSITIVE_INFINITY

/** `limitOf` is the number of records per call. Times are in milliseconds. */
export const make = ({
  limitOf,
  linger,
  deadlineMargin
}: {
  readonly limitOf: (group: Group) => number
  readonly linger: number
  readonly deadlineMargin: number
}): BatchQueue => {
  const groups = new Map<string, Group>()

  const createGroup = (entry: PendingRecord, name: string, now: ClockReading): Group => {
    const group: Group = {
      name,
      product: entry.group,
      ready: priorityQueue.make(isMoreUrgent),
      envelope: envelopeBytes(entry.productCode),
      bytes: 0,
      lastTakenAt: now.monotonic
    }
    groups.set(name, group)
    return group
  }

  const isFull = (group: Group): boolean =>
    group.ready.size() >= limitOf(group) || group.envelope + group.bytes >= maxBytes

  return {
    add: (entry, name, now) => {
      const group = groups.get(name) ?? createGroup(entry, name, now)
      group.ready.push(entry)
      group.bytes += entry.bytes
    },
    choose: (now, partial, fullAt) => {
      let full: Group | undefined
      let due: Group | undefined
      let notDue: Group | undefined
      let nextAt = Number.POSITIVE_INFINITY
      for (const group of groups.values()) {
        const earliestDeadline = earliestDeadlineOf(group)
        if (isFull(group)) {
          if (full === undefined || earliestDeadline < earliestDeadlineOf(full)) full = group
          continue
        }
        const end = toMonotonic(earliestDeadline - deadlineMargin, now)
        const dueAt = Math.min(
          Math.max(group.lastTakenAt, fullAt) + linger,
          // close to its deadline a record lingers less, and keeps half of its time for retries
          end - Math.min(linger, (end - group.lastTakenAt) / 2)
        )
        if (dueAt <= now.monotonic) {
          if (due === undefined || earliestDeadline < earliestDeadlineOf(due)) due = group
        } else {
          if (dueAt < nextAt) nextAt = dueAt
          if (notDue === undefined || earliestDeadline < earliestDeadlineOf(notDue)) notDue = group
        }
      }
      const sendable = mostUrgent(mostUrgent(full, due), partial === "All" ? notDue : undefined)
      return sendable ?? (partial === "AllIfNoneIsFull" ? notDue : undefined) ?? nextAt
    },
    takeBatch: (group, now, exclude) => {
      const entries: Array<PendingRecord> = []
      const limit = limitOf(group)
      let bytes = group.envelope
      while (entries.length < limit) {
        const entry = group.ready.peek()
        if (entry === undefined) break
        if (entries.length > 0 && bytes + entry.bytes >= maxBytes) break
        group.ready.pop()
        group.bytes -= entry.bytes
        if (entry.isResolved || exclude(entry, group.name)) continue
        bytes += entry.bytes
        entries.push(entry)
      }
      group.lastTakenAt = now.monotonic
      if (group.ready.size() === 0) groups.delete(group.name)
      return entries
    },
    clear: (product) => {
      for (const { name, product: groupProduct } of groups.values()) {
        if (product === undefined || groupProduct === product) groups.delete(name)
      }
    }
  }
}

const mostUrgent = (left: Group | undefined, right: Group | undefined): Group | undefined =>
  left === undefined ||
  (right !== undefined && earliestDeadlineOf(right) < earliestDeadlineOf(left))
    ? right
    : left
