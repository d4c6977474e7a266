/** A clock that jumps to the next thing that anyone waits for, as soon as nobody has anything else to do. */
import { Clock, Duration, Effect } from "effect"

export const make = (start: number): Clock.Clock => {
  let time = start
  let order = 0
  let isTicking = false
  const waiting = new Map<number, { readonly at: number; readonly wake: () => void }>()

  const tick = () => {
    isTicking = false
    const [next] = [...waiting].sort(([i, left], [j, right]) => left.at - right.at || i - j)
    if (next === undefined) return
    const [id, { at, wake }] = next
    waiting.delete(id)
    time = Math.max(time, at)
    wake()
    schedule()
  }

  const schedule = () => {
    if (isTicking || waiting.size === 0) return
    isTicking = true
    // after all that is ready to run has run
    setImmediate(tick)
  }

  const currentTimeMillis = Effect.sync(() => time)
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => time,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(time)) * 1_000_000n,
    currentTimeMillis,
    currentTimeNanos: Effect.map(currentTimeMillis, (now) => BigInt(Math.round(now)) * 1_000_000n),
    sleep: (duration) =>
      Effect.async((resume) => {
        const id = order++
        waiting.set(id, {
          at: time + Duration.toMillis(duration),
          wake: () => resume(Effect.void)
        })
        schedule()
        return Effect.sync(() => void waiting.delete(id))
      })
  }
}
