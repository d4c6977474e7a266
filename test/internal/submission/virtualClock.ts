/** A clock that jumps to the end of the next sleep as soon as no fiber is ready to run. */
import { Clock, Duration, Effect } from "effect"

export const make = (start: number): Clock.Clock => settable(start).clock

export interface Settable {
  readonly clock: Clock.Clock
  /** Moves wall time forward or back, without a change of the sleeps. */
  readonly set: (millis: number) => void
  /** Milliseconds since the start, without the changes of wall time. */
  readonly elapsed: () => number
}

/** A clock that can be set. With `setsNanos` its nanoseconds follow wall time, as on some platforms. */
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
    // after all fibers that are ready to run
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
