/** Until when the service accepts a record. Times are epoch milliseconds, UTC. */
import type { UsageRecord } from "../../UsageRecord.js"

export interface Window {
  /** From so long after the usage on it is refused. */
  readonly back: number
  /** From so long into the next month on it is refused. */
  readonly monthEnd: number
}

/** The last instant that a calendar has. */
const lastInstant = 8_640_000_000_000_000

/** The first instant at which this record is certain to be refused for its time; NaN for a time that no calendar has. */
export const deadlineOf = ({ timestamp }: UsageRecord, { back, monthEnd }: Window): number => {
  const time = timestamp.epochMillis
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return Number.NaN
  const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
  return Math.min(
    time + back,
    // there is none after the calendar's last
    Number.isNaN(nextMonth) ? lastInstant : nextMonth + monthEnd,
    lastInstant
  )
}
