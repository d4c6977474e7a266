/** What fibers wait for that have looked and found nothing to do. */
import * as Effect from "effect/Effect"

export interface Signal {
  /** How often it was given; to be asked before looking, so that nothing is missed after the look. */
  readonly count: () => number
  readonly give: () => void
  /** Waits until it is given again, unless it was since `seen`. */
  readonly after: (seen: number) => Effect.Effect<void>
}

export const make = (): Signal => {
  let count = 0
  let waiting: Array<(effect: Effect.Effect<void>) => void> = []
  return {
    count: () => count,
    give: () => {
      count += 1
      const woken = waiting
      waiting = []
      for (const resume of woken) resume(Effect.void)
    },
    after: (seen) =>
      Effect.async((resume) => {
        if (count !== seen) resume(Effect.void)
        else waiting.push(resume)
        return Effect.sync(() => {
          waiting = waiting.filter((other) => other !== resume)
        })
      })
  }
}
