/** Time limit of one attempt. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { hasProperty } from "effect/Predicate"
import { type OperationName, RequestTimeoutError } from "../../MeteringError.js"

/**
 * Runs an attempt in its own fiber, and interrupts the fiber at the time limit or when the caller is interrupted. Fiber refs
 * that `prepare` or the attempt sets do not reach the caller.
 *
 * The fiber is a daemon: a child would be interrupted with its parent, even inside an uninterruptible region. In such a
 * region, for example in a finalizer, only the time limit interrupts the fiber.
 *
 * Saves about 0.15 ms of CPU per call against `Effect.timeoutFail`, which starts two fibers and joins all fiber refs.
 */
export const withRequestTimeout =
  (
    limit: Duration.Duration,
    operation: OperationName,
    endpoint: () => string,
    prepare: Effect.Effect<void> = Effect.void
  ) =>
  <A, E>(attempt: Effect.Effect<A, E>): Effect.Effect<A, E | RequestTimeoutError> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(timer(limit), (startTimer) =>
        Effect.flatMap(
          // `Effect.exit`, because a failure of the fiber would be logged as unhandled
          Effect.forkDaemon(Effect.exit(Effect.interruptible(Effect.zipRight(prepare, attempt)))),
          (fiber) => {
            let isTimedOut = false
            const cancel = startTimer(() => {
              isTimedOut = true
              fiber.unsafeInterruptAsFork(fiber.id())
            })
            fiber.addObserver(cancel)
            const result = Effect.async<A, E | RequestTimeoutError>((resume) =>
              fiber.addObserver((nestedExit) => {
                const exit = Exit.flatten(nestedExit)
                resume(
                  isTimedOut && Exit.isFailure(exit)
                    ? Effect.fail(
                        new RequestTimeoutError(
                          { operation, endpoint: endpoint(), timeout: limit },
                          true
                        )
                      )
                    : exit
                )
              })
            )
            return Effect.onInterrupt(restore(result), () => Fiber.interrupt(fiber))
          }
        )
      )
    )

/** Starts a timer that calls `onTimeout` at the time limit. Returns a function that cancels the timer. */
type Timer = (onTimeout: () => void) => () => void

export const timer = (limit: Duration.Duration): Effect.Effect<Timer> =>
  Duration.isFinite(limit)
    ? Effect.clockWith((clock) =>
        hasScheduler(clock)
          ? Effect.map(
              clock.scheduler(),
              (scheduler): Timer =>
                (onTimeout) =>
                  scheduler.unsafeSchedule(onTimeout, limit)
            )
          : Effect.map(Effect.forkDaemon(Effect.interruptible(clock.sleep(limit))), sleepTimer)
      )
    : Effect.succeed(() => () => undefined)

/** Effect's default clock has a `scheduler`, which its type lacks. */
interface SchedulingClock extends Clock.Clock {
  readonly scheduler: () => Effect.Effect<Clock.ClockScheduler>
}

const hasScheduler = (clock: Clock.Clock): clock is SchedulingClock =>
  hasProperty(clock, "scheduler") && typeof clock.scheduler === "function"

/** Makes a timer from a sleeping fiber, for a clock without a scheduler, such as `TestClock`. */
const sleepTimer =
  (fiber: Fiber.RuntimeFiber<void>): Timer =>
  (onTimeout) => {
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) onTimeout()
    })
    return () => fiber.unsafeInterruptAsFork(fiber.id())
  }
