/**
 * Limits the rate of calls. Times are monotonic milliseconds. Effect's RateLimiter is not used, because its limit is fixed
 * and it waits itself. Here, throttling lowers the limit, and the scheduler reads the time of the next call without waiting.
 */

interface RateLimiter {
  /** The current limit in calls per second. */
  readonly rate: () => number
  /** The time from which the next call may be made. */
  readonly nextAt: () => number
  readonly recordCall: (now: number) => void
  /** Records that the service throttled a call sent at `sentAt`. No call is allowed before `until`. */
  readonly throttle: (sentAt: number, now: number, until: number) => void
  /** Records that the service accepted a call. */
  readonly recover: () => void
}

/** The number of accepted calls in a row that raise the rate from 0 to the full rate. */
const callsToRecover = 50

/** The full rate divided by the lowest rate. */
const maxSlowdown = 64

/**
 * The quota of an account in a Region, in calls per second.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 */
export const quota = 10

/**
 * Makes a limiter that spaces calls evenly, without bursts after a pause, so that no second has more calls than `maxRate`.
 * Throttling halves the rate, once for all calls in flight. Each accepted call raises the rate by a fixed step. When it is
 * throttled, an unlimited rate falls back to the quota.
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
