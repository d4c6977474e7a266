/** The time span of accepted usage. Times are epoch milliseconds, UTC. */

export const millisPerHour = 3_600_000

export interface AcceptanceWindow {
  /** Greatest age of usage, in milliseconds. */
  readonly maxAge: number
  /** True if usage of exactly `maxAge` is accepted. */
  readonly inclusive: boolean
  /** Greatest distance of usage into the future, in milliseconds. */
  readonly futureTolerance: number
  /** `exact` measures the age from now, `hour` from the start of the current hour. */
  readonly boundary: "exact" | "hour"
}

/** The service rejects usage of "24 hours or more after the event". */
export const batchMeterUsage = { maxAge: 24 * millisPerHour, inclusive: false }

export const meterUsage = { maxAge: 6 * millisPerHour, inclusive: true }

/** Usage of last month is accepted until 6 hours into the month. */
const monthEndGrace = 6 * millisPerHour

/** The message for usage outside the window. */
export const rejectionReason = (
  timestamp: number,
  now: number,
  { boundary, futureTolerance, inclusive, maxAge }: AcceptanceWindow
): string | undefined => {
  const isByHour = boundary === "hour"
  const age = (isByHour ? hourOf(now) : now) - timestamp
  // a window from the start of the hour includes its first moment
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
