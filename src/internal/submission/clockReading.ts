/** Reads two clocks: wall time for deadlines, and monotonic time, which no clock change affects, for all waiting. */
import type * as Clock from "effect/Clock"

export interface ClockReading {
  /** Epoch milliseconds. */
  readonly wall: number
  /** Whole milliseconds that never decrease. */
  readonly monotonic: number
}

/** Makes a function that reads both clocks, which start at the same number. */
export const make = (clock: Clock.Clock): (() => ClockReading) => {
  const origin = clock.unsafeCurrentTimeMillis()
  let lastNanos = clock.unsafeCurrentTimeNanos()
  let elapsed = 0n
  return () => {
    const nanos = clock.unsafeCurrentTimeNanos()
    // a platform may derive nanoseconds from wall time, which can be set back
    if (nanos > lastNanos) elapsed += nanos - lastNanos
    lastNanos = nanos
    return {
      wall: clock.unsafeCurrentTimeMillis(),
      monotonic: origin + Math.round(Number(elapsed) / 1_000_000)
    }
  }
}

/** Converts wall time to monotonic time. The result holds until the system clock is set. */
export const toMonotonic = (wall: number, now: ClockReading): number =>
  wall - now.wall + now.monotonic
