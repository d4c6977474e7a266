/** The time window in which usage is accepted. Times are epoch milliseconds, UTC. */

export const millisPerHour = 3_600_000

export interface AcceptanceWindow {
  /** Maximum age of usage, in milliseconds. */
  readonly maxAge: number
  /** True if usage of exactly `maxAge` is accepted. */
  readonly inclusive: boolean
  /** Maximum time that usage may be in the future, in milliseconds. */
  readonly futureTolerance: number
  /** `exact` measures the age from now, `hour` from the start of the current hour. */
  readonly boundary: "exact" | "hour"
}

/** Excludes exactly 24 hours, because AWS documents that usage "24 hours or more after the event" is rejected. */
export const batchMeterUsage = { maxAge: 24 * millisPerHour, inclusive: false }

export const meterUsage = { maxAge: 6 * millisPerHour, inclusive: true }

/** Usage of last month is accepted until 6 hours into the month. */
const monthEndGrace = 6 * millisPerHour

/** Returns the error message for usage outside the window, or `undefined`. */
export const rejectionReason = (
  timestamp: number,
  now: number,
  { boundary, futureTolerance, inclusive, maxAge }: AcceptanceWindow
): string | undefined => {
  const isByHour = boundary === "hour"
  const age = (isByHour ? hourOf(now) : now) - timestamp
  // a window measured from the start of the hour includes usage of exactly `maxAge`
  if (age > maxAge || (age === maxAge && !inclusive && !isByHour)) {
    return `Timestamp ${iso(timestamp)} is more than ${maxAge / millisPerHour} hours in the past.`
  }
  if (timestamp - now > futureTolerance) return `Timestamp ${iso(timestamp)} is in the future.`
  const month = startOfMonth(now)
  return timestamp < month && now - month >= monthEndGrace
    ? `Timestamp ${iso(timestamp)} is of last month, which was closed at ${iso(month + monthEndGrace)}.`
    : undefined
}

export const hourOf = (timestamp: number): number =>
  Math.floor(timestamp / millisPerHour) * millisPerHour

const startOfMonth = (time: number): number => {
  const date = new Date(time)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1)
}

const iso = (time: number): string => new Date(time).toISOString()
