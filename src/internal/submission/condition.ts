/** What fibers wait for that have looked and found nothing to do. */
import * as Effect from "effect/Effect"

export interface Condition {
  /** How often it was given; to be asked before looking, so that nothing is missed after the look. */
  readonly version: () => number
  readonly notifyAll: () => void
  /** Waits until it is given again, unless it was since `seen`. */
  readonly waitSince: (seen: number) => Effect.Effect<void>
}

export const make = (): Condition => {
  let version = 0
  let waiters: Array<(effect: Effect.Effect<void>) => void> = []
  return {
    version: () => version,
    notifyAll: () => {
      version += 1
      const notified = waiters
      waiters = []
      for (const resume of notified) resume(Effect.void)
    },
    waitSince: (seen) =>
      Effect.async((resume) => {
        if (version !== seen) resume(Effect.void)
        else waiters.push(resume)
        return Effect.sync(() => {
          waiters = waiters.filter((other) => other !== resume)
        })
      })
  }
}
