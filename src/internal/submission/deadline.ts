/** Until when the service accepts a record. Times are epoch milliseconds, UTC. */
import type { UsageRecord } from "../../UsageRecord.js"

export interface AcceptanceWindow {
  /** From so long after the usage on it is refused. */
  readonly maxAge: number
  /** From so long into the next month on it is refused. */
  readonly monthEndGrace: number
}

/** The last instant that a calendar has. */
const maxEpochMillis = 8_640_000_000_000_000

/** The first instant at which this record is certain to be refused for its time; NaN for a time that no calendar has. */
export const deadlineOf = (
  { timestamp }: UsageRecord,
  { maxAge, monthEndGrace }: AcceptanceWindow
): number => {
  const time = timestamp.epochMillis
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return Number.NaN
  const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
  return Math.min(
    time + maxAge,
    // there is none after the calendar's last
    Number.isNaN(nextMonth) ? maxEpochMillis : nextMonth + monthEndGrace,
    maxEpochMillis
  )
}
