/** Records that can be sent, by what may share a call, the most urgent first. */
import type { Entry } from "./entry.js"
import * as heap from "./heap.js"
import { type Moment, steadyOf } from "./moment.js"
import { sizeLimit } from "./parcel.js"
import { envelopeOf } from "./size.js"

/** Records that may share a call. */
export interface Group {
  readonly name: string
  /** The product that they are of, as far as the caller names it. */
  readonly product: string
  readonly ready: heap.Heap<Entry>
  readonly envelope: number
  bytes: number
  /** Since when it has not been taken from, steady milliseconds. */
  since: number
}

/** Which groups may be taken from although they do not fill a call. */
export type Partial = "None" | "AllIfNoneIsFull" | "All"

export interface Waiting {
  readonly add: (entry: Entry, name: string, now: Moment) => void
  /**
   * The group to take from next, or when there may be one if nothing else happens, in steady milliseconds. While the
   * source is held back there is more to come, so that nothing lingers: that was last so at `fullAt`.
   */
  readonly choose: (now: Moment, partial: Partial, fullAt: number) => Group | number
  /** Takes what goes in one call. `keepOut` is asked of each, and then deals with it. */
  readonly take: (
    group: Group,
    now: Moment,
    keepOut: (entry: Entry, name: string) => boolean
  ) => ReadonlyArray<Entry>
  readonly clear: (product: string | undefined) => void
}

const isMoreUrgent = (left: Entry, right: Entry): boolean =>
  left.deadline < right.deadline || (left.deadline === right.deadline && left.index < right.index)

const urgencyOf = (group: Group): number => group.ready.peek()?.deadline ?? Number.POSITIVE_INFINITY

/**
 * `linger` is for how long a record may wait for others, `margin` how long before its deadline it has to be sent,
 * `limitOf` how many go in a call.
 */
export const make = ({
  limitOf,
  linger,
  margin
}: {
  readonly limitOf: (group: Group) => number
  readonly linger: number
  readonly margin: number
}): Waiting => {
  const groups = new Map<string, Group>()

  const open = (entry: Entry, name: string, now: Moment): Group => {
    const group: Group = {
      name,
      product: entry.group,
      ready: heap.make(isMoreUrgent),
      envelope: envelopeOf(entry.productCode),
      bytes: 0,
      since: now.steady
    }
    groups.set(name, group)
    return group
  }

  const isFull = (group: Group): boolean =>
    group.ready.size() >= limitOf(group) || group.envelope + group.bytes >= sizeLimit

  return {
    add: (entry, name, now) => {
      const group = groups.get(name) ?? open(entry, name, now)
      group.ready.push(entry)
      group.bytes += entry.bytes
    },
    choose: (now, partial, fullAt) => {
      let full: Group | undefined
      let due: Group | undefined
      let first: Group | undefined
      let later = Number.POSITIVE_INFINITY
      for (const group of groups.values()) {
        const urgency = urgencyOf(group)
        if (isFull(group)) {
          if (full === undefined || urgency < urgencyOf(full)) full = group
          continue
        }
        const end = steadyOf(urgency - margin, now)
        const at = Math.min(
          Math.max(group.since, fullAt) + linger,
          // who would run out of time meanwhile lingers less, and keeps half of its time for being sent again
          end - Math.min(linger, (end - group.since) / 2)
        )
        if (at <= now.steady) {
          if (due === undefined || urgency < urgencyOf(due)) due = group
        } else {
          if (at < later) later = at
          if (first === undefined || urgency < urgencyOf(first)) first = group
        }
      }
      const sendable = mostUrgent(mostUrgent(full, due), partial === "All" ? first : undefined)
      return sendable ?? (partial === "AllIfNoneIsFull" ? first : undefined) ?? later
    },
    take: (group, now, keepOut) => {
      const entries: Array<Entry> = []
      const limit = limitOf(group)
      let bytes = group.envelope
      while (entries.length < limit) {
        const entry = group.ready.peek()
        if (entry === undefined) break
        if (entries.length > 0 && bytes + entry.bytes >= sizeLimit) break
        group.ready.pop()
        group.bytes -= entry.bytes
        if (entry.isSettled || keepOut(entry, group.name)) continue
        bytes += entry.bytes
        entries.push(entry)
      }
      group.since = now.steady
      if (group.ready.size() === 0) groups.delete(group.name)
      return entries
    },
    clear: (product) => {
      for (const { name, product: its } of groups.values()) {
        if (product === undefined || its === product) groups.delete(name)
      }
    }
  }
}

const mostUrgent = (left: Group | undefined, right: Group | undefined): Group | undefined =>
  left === undefined || (right !== undefined && urgencyOf(right) < urgencyOf(left)) ? right : left
