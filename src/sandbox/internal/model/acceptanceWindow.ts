/** When usage is accepted. Times are epoch milliseconds, UTC. */

const minute = 60_000
export const hour = 60 * minute

/** How far back and ahead usage may lie, whether exactly so far back still counts, and from where it is measured. */
export interface AcceptanceWindow {
  readonly maxAge: number
  readonly inclusive: boolean
  readonly futureTolerance: number
  readonly boundary: "exact" | "hour"
}

/** "24 hours or more after the event" is refused. */
export const batchMeterUsage = { maxAge: 24 * hour, inclusive: false }

export const meterUsage = { maxAge: 6 * hour, inclusive: true }

/** Last month's usage is accepted for so long into the month. */
const monthEndGrace = 6 * hour

/** Why usage of this time is not accepted now, if it is not. */
export const rejectionReason = (
  timestamp: number,
  now: number,
  window: AcceptanceWindow
): string | undefined => {
  // from the start of the hour on, the last moment counts as well
  const isByHour = window.boundary === "hour"
  const age = (isByHour ? hourOf(now) : now) - timestamp
  if (age > window.maxAge || (age === window.maxAge && !window.inclusive && !isByHour)) {
    return `Timestamp ${iso(timestamp)} is more than ${window.maxAge / hour} hours in the past.`
  }
  if (timestamp - now > window.futureTolerance)
    return `Timestamp ${iso(timestamp)} is in the future.`
  const month = startOfMonth(now)
  return timestamp < month && now - month >= monthEndGrace
    ? `Timestamp ${iso(timestamp)} is of last month, which was closed at ${iso(month + monthEndGrace)}.`
    : undefined
}

/** The hour that a time is rounded down to. */
export const hourOf = (timestamp: number): number => Math.floor(timestamp / hour) * hour

const startOfMonth = (time: number): number => {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

const iso = (time: number): string => new Date(time).toISOString()
