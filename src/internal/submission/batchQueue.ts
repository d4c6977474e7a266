/** Records that can be sent, grouped by product, ordered by deadline. Effect's queues are FIFO and have no groups. */

import { maxBytes } from "./batch.js"
import { type ClockReading, toMonotonic } from "./clockReading.js"
import type { PendingRecord } from "./pendingRecord.js"
import * as priorityQueue from "./priorityQueue.js"
import { envelopeBytes } from "./recordSize.js"

/** Records that may share a call. */
export interface Group {
  readonly name: string
  /** The group of the records by `groupOf`, before it is divided by license or by suspected cause. */
  readonly product: string
  /** True if the records have a suspected cause of rejection. */
  readonly isSuspected: boolean
  readonly ready: priorityQueue.PriorityQueue<PendingRecord>
  readonly envelope: number
  bytes: number
  /** Monotonic milliseconds. */
  lastTakenAt: number
}

/** The groups that may be sent although they do not fill a call. */
export type PartialBatches = "None" | "AllIfNoneIsFull" | "All"

/** The group to send next, or the monotonic time at which a group may be sent. */
export type Choice =
  | { readonly _tag: "Send"; readonly group: Group }
  | { readonly _tag: "Wait"; readonly until: number }

interface BatchQueue {
  readonly add: (
    item: PendingRecord,
    group: Pick<Group, "name" | "isSuspected">,
    now: ClockReading
  ) => void
  /**
   * Chooses the group to send next. Lingering starts at `fullAt` at the earliest, the last time that the buffer was full,
   * because until then the source had more records.
   */
  readonly choose: (now: ClockReading, partial: PartialBatches, fullAt: number) => Choice
  /** Takes the records of one call, except those for which `exclude` returns true. */
  readonly takeBatch: (
    group: Group,
    now: ClockReading,
    exclude: (item: PendingRecord, name: string) => boolean
  ) => ReadonlyArray<PendingRecord>
  readonly clear: (product: string | undefined) => void
}

const isMoreUrgent = (left: PendingRecord, right: PendingRecord): boolean =>
  left.deadline < right.deadline || (left.deadline === right.deadline && left.index < right.index)

const earliestDeadlineOf = (group: Group): number =>
  group.ready.peek()?.deadline ?? Number.POSITIVE_INFINITY

/** Makes a queue. `limitOf` returns the maximum number of records per call. Times are in milliseconds. */
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

  const createGroup = (
    item: PendingRecord,
    { isSuspected, name }: Pick<Group, "name" | "isSuspected">,
    now: ClockReading
  ): Group => {
    const group: Group = {
      name,
      isSuspected,
      product: item.group,
      ready: priorityQueue.make(isMoreUrgent),
      envelope: envelopeBytes(item.productCode),
      bytes: 0,
      lastTakenAt: now.monotonic
    }
    groups.set(name, group)
    return group
  }

  const isFull = (group: Group): boolean =>
    group.ready.size() >= limitOf(group) || group.envelope + group.bytes >= maxBytes

  return {
    add: (item, named, now) => {
      const group = groups.get(named.name) ?? createGroup(item, named, now)
      group.ready.push(item)
      group.bytes += item.bytes
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
          // close to its deadline a record lingers for half of the time left, which leaves the other half for retries
          end - Math.min(linger, (end - group.lastTakenAt) / 2)
        )
        if (dueAt <= now.monotonic) {
          if (due === undefined || earliestDeadline < earliestDeadlineOf(due)) due = group
        } else {
          if (dueAt < nextAt) nextAt = dueAt
          if (notDue === undefined || earliestDeadline < earliestDeadlineOf(notDue)) notDue = group
        }
      }
      const group =
        mostUrgent(mostUrgent(full, due), partial === "All" ? notDue : undefined) ??
        (partial === "AllIfNoneIsFull" ? notDue : undefined)
      return group === undefined ? { _tag: "Wait", until: nextAt } : { _tag: "Send", group }
    },
    takeBatch: (group, now, exclude) => {
      const items: Array<PendingRecord> = []
      const limit = limitOf(group)
      let bytes = group.envelope
      while (items.length < limit) {
        const item = group.ready.peek()
        if (item === undefined) break
        if (items.length > 0 && bytes + item.bytes >= maxBytes) break
        group.ready.pop()
        group.bytes -= item.bytes
        if (item.isResolved || exclude(item, group.name)) continue
        bytes += item.bytes
        items.push(item)
      }
      group.lastTakenAt = now.monotonic
      if (group.ready.size() === 0) groups.delete(group.name)
      return items
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
