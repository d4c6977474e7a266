/** Waits for locks of the database without blocking the thread. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { JournalBusy } from "./settings.js"
import { isBusy } from "./sqliteError.js"

/** The real clock, because another process releases its lock in real time, even if the program uses a `TestClock`. */
const clock = Clock.make()

/** Delays between attempts in milliseconds. The last one repeats. Short, because a busy writer releases the lock only briefly. */
const delays = [1, 1, 2, 3, 5]

export interface Waiting {
  /** Milliseconds. */
  readonly busyTimeout: number
  /** Applied to each wait, to make it interruptible although the step is not. */
  readonly restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

/** Runs a step, and retries it while another connection holds a lock, up to the timeout. Fails with the error of the step. */
export const whenUnlocked = <A>(step: () => A, waiting: Waiting): Effect.Effect<A, unknown> =>
  Effect.suspend(() => {
    const end = elapsedMillis() + waiting.busyTimeout
    const attempt = (count: number): Effect.Effect<A, unknown> =>
      Effect.suspend(() => {
        try {
          return Effect.succeed(step())
        } catch (error) {
          if ((isBusy(error) || error instanceof JournalBusy) && elapsedMillis() < end) {
            const delay = delays[Math.min(count, delays.length - 1)] ?? 5
            return Effect.zipRight(
              waiting.restore(Effect.withClock(Effect.sleep(delay), clock)),
              attempt(count + 1)
            )
          }
          return Effect.fail(error)
        }
      })
    return attempt(0)
  })

const elapsedMillis = () => Number(clock.unsafeCurrentTimeNanos()) / 1e6
