/** How fast calls may follow each other. Times are steady milliseconds. */

export interface Pace {
  /** Calls a second, as they are allowed now. */
  readonly rate: () => number
  /** When the next call may go. */
  readonly next: () => number
  /** A call goes now. */
  readonly take: (now: number) => void
  /** The service asked for a slower pace by its answer to a call of that time; and for silence `until` then. */
  readonly slower: (sentAt: number, now: number, until: number) => void
  /** The service took a call. */
  readonly faster: () => void
}

/** So many calls in a row have to be taken before the pace is the full one again. */
const stepsToFull = 50

/** So much slower than the full pace it gets at most. */
const slowest = 64

/** Calls a second that the service documents for BatchMeterUsage. */
export const quota = 10

/**
 * One call every so often, with no credit for time that has passed: a second never has more calls than `full`.
 * The pace is halved when the service throttles, once for all calls that were under way, and grows by a fixed
 * step with every call that it takes. A pace without limit falls back on the quota.
 */
export const make = (full: number): Pace => {
  const usual = Number.isFinite(full) ? full : quota
  let rate = full
  let next = Number.NEGATIVE_INFINITY
  let slowedAt = Number.NEGATIVE_INFINITY

  return {
    rate: () => rate,
    next: () => next,
    take: (now) => {
      next = Math.max(now, next) + 1000 / rate
    },
    slower: (sentAt, now, until) => {
      next = Math.max(next, until)
      if (sentAt <= slowedAt) return
      slowedAt = now
      rate = Number.isFinite(rate) ? Math.max(rate / 2, usual / slowest) : usual
    },
    faster: () => {
      rate = Math.min(full, rate + usual / stepsToFull)
    }
  }
}
