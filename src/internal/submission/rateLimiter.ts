/** How fast calls may follow each other. Times are steady milliseconds. */

export interface RateLimiter {
  /** Calls a second, as they are allowed now. */
  readonly rate: () => number
  /** When the next call may go. */
  readonly nextAt: () => number
  /** A call goes now. */
  readonly recordCall: (now: number) => void
  /** The service asked for a slower pace by its answer to a call of that time; and for silence `until` then. */
  readonly throttle: (sentAt: number, now: number, until: number) => void
  /** The service took a call. */
  readonly recover: () => void
}

/** So many calls in a row have to be taken before the pace is the full one again. */
const callsToRecover = 50

/** So much slower than the full pace it gets at most. */
const maxSlowdown = 64

/** Calls a second that the service documents for BatchMeterUsage. */
export const quota = 10

/**
 * One call every so often, with no credit for time that has passed: a second never has more calls than `full`.
 * The pace is halved when the service throttles, once for all calls that were under way, and grows by a fixed
 * step with every call that it takes. A pace without limit falls back on the quota.
 */
export const make = (maxRate: number): RateLimiter => {
  const baseRate = Number.isFinite(maxRate) ? maxRate : quota
  let rate = maxRate
  let nextAt = Number.NEGATIVE_INFINITY
  let throttledAt = Number.NEGATIVE_INFINITY

  return {
    rate: () => rate,
    nextAt: () => nextAt,
    recordCall: (now) => {
      nextAt = Math.max(now, nextAt) + 1000 / rate
    },
    throttle: (sentAt, now, until) => {
      nextAt = Math.max(nextAt, until)
      if (sentAt <= throttledAt) return
      throttledAt = now
      rate = Number.isFinite(rate) ? Math.max(rate / 2, baseRate / maxSlowdown) : baseRate
    },
    recover: () => {
      rate = Math.min(maxRate, rate + baseRate / callsToRecover)
    }
  }
}
