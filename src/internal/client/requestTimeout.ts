/** One attempt, and the limit to how long it may take. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { hasProperty } from "effect/Predicate"
import { type OperationName, RequestTimeoutError } from "../../MeteringError.js"

/**
 * Runs an attempt in a fiber of its own, which ends with the attempt, with the caller, or when the time is up. What is
 * set there, by `prepare` or by the attempt, stays there.
 *
 * That fiber can always be interrupted, but where its caller cannot be (in a finalizer), only the end of the time does
 * so. A child would be interrupted with its parent, wherever that is.
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
          // its exit is looked at here: a fiber that fails is reported as unhandled
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

/** Calls back when the time is up, unless it is cancelled before. */
type Timer = (onTime: () => void) => () => void

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

/** Effect's default clock has `unsafeSchedule`, which its type lacks. */
interface SchedulingClock extends Clock.Clock {
  readonly scheduler: () => Effect.Effect<Clock.ClockScheduler>
}

const hasScheduler = (clock: Clock.Clock): clock is SchedulingClock =>
  hasProperty(clock, "scheduler") && typeof clock.scheduler === "function"

/** By any other clock, such as a test's, one can only sleep, and that takes a fiber. */
const sleepTimer =
  (fiber: Fiber.RuntimeFiber<void>): Timer =>
  (onTimeout) => {
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) onTimeout()
    })
    return () => fiber.unsafeInterruptAsFork(fiber.id())
  }
