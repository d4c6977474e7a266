/** How often an operation may be called: a bucket that fills as time passes. */
import type { Bucket } from "../model/state.js"

/** What is left after one call more, or nothing where that is too many. Calls per second, epoch milliseconds. */
export const take = (rate: number, bucket: Bucket | undefined, now: number): Bucket | undefined => {
  const size = Math.max(rate, 1)
  const filled =
    bucket === undefined
      ? size
      : Math.min(size, bucket.left + (Math.max(0, now - bucket.at) * rate) / 1000)
  return filled < 1 ? undefined : { left: filled - 1, at: now }
}
