/** Two times at once: the calendar's, which deadlines are by, and one that nobody can set, which all waiting is by. */
import type * as Clock from "effect/Clock"

export interface ClockReading {
  /** Epoch milliseconds. */
  readonly wall: number
  /** Whole milliseconds, which never go back. */
  readonly monotonic: number
}

/** Both begin with the same number. */
export const make = (clock: Clock.Clock): (() => ClockReading) => {
  const origin = clock.unsafeCurrentTimeMillis()
  let lastNanos = clock.unsafeCurrentTimeNanos()
  let elapsed = 0n
  return () => {
    const nanos = clock.unsafeCurrentTimeNanos()
    // where even these were set back, what follows counts
    if (nanos > lastNanos) elapsed += nanos - lastNanos
    lastNanos = nanos
    return {
      wall: clock.unsafeCurrentTimeMillis(),
      monotonic: origin + Math.round(Number(elapsed) / 1_000_000)
    }
  }
}

/** When a time of the calendar comes, if nobody sets the clock until then. */
export const toMonotonic = (wall: number, now: ClockReading): number =>
  wall - now.wall + now.monotonic
