/** A clock that jumps to the next thing that anyone waits for, as soon as nobody has anything else to do. */
import { Clock, Duration, Effect } from "effect"

export const make = (start: number): Clock.Clock => settable(start).clock

export interface Settable {
  readonly clock: Clock.Clock
  /** Puts the calendar's time forward, or back; whatever is waited for is waited for as long. */
  readonly set: (millis: number) => void
  /** How much time has passed, whatever the calendar says. */
  readonly elapsed: () => number
}

/** A clock that can be set. Whether its nanoseconds, which are to tell how much time has passed, are set with it differs. */
export const settable = (start: number, { setsNanos = false } = {}): Settable => {
  let offset = 0
  let time = start
  let nextId = 0
  let isTicking = false
  const sleepers = new Map<number, { readonly at: number; readonly wake: () => void }>()

  const tick = () => {
    isTicking = false
    const [next] = [...sleepers].sort(([i, left], [j, right]) => left.at - right.at || i - j)
    if (next === undefined) return
    const [id, { at, wake }] = next
    sleepers.delete(id)
    time = Math.max(time, at)
    wake()
    schedule()
  }

  const schedule = () => {
    if (isTicking || sleepers.size === 0) return
    isTicking = true
    // after all that is ready to run has run
    setImmediate(tick)
  }

  const wall = () => time + offset
  const nanos = () => BigInt(Math.round(setsNanos ? wall() : time)) * 1_000_000n
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: wall,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(wall),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Effect.async((resume) => {
        const id = nextId++
        sleepers.set(id, {
          at: time + Duration.toMillis(duration),
          wake: () => resume(Effect.void)
        })
        schedule()
        return Effect.sync(() => void sleepers.delete(id))
      })
  }
  return {
    clock,
    set: (millis) => {
      offset += millis
    },
    elapsed: () => time - start
  }
}
