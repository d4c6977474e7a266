/**
 * Limits the rate of calls. Times are monotonic milliseconds. Effect's RateLimiter has a fixed limit and waits by itself;
 * this one follows the service's throttling, and the scheduler needs the time of the next call without waiting.
 */

interface RateLimiter {
  /** The current limit in calls per second. */
  readonly rate: () => number
  /** The time from which the next call may be made. */
  readonly nextAt: () => number
  readonly recordCall: (now: number) => void
  /** The service throttled a call sent at `sentAt`, and allows no other until `until`. */
  readonly throttle: (sentAt: number, now: number, until: number) => void
  /** The service accepted a call. */
  readonly recover: () => void
}

/** Accepted calls in a row that raise the rate from 0 to the full rate. */
const callsToRecover = 50

/** The full rate divided by the lowest rate. */
const maxSlowdown = 64

/**
 * Calls per second.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 */
export const quota = 10

/**
 * Calls at equal distances, without bursts after a pause: no second has more calls than `maxRate`. Throttling halves the
 * rate, once for all calls in flight, and each accepted call adds a fixed step. An unlimited rate falls back to the quota.
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
