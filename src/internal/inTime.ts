/** One attempt, and the limit to how long it may take. */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import * as Runtime from "effect/Runtime"
import { type OperationName, RequestTimeoutError } from "../MeteringError.js"

type Surroundings = Runtime.Runtime<never>

/**
 * Runs an attempt in a fiber of its own, which ends with the attempt, with the caller, or when the time is up. It
 * starts in the caller's surroundings, or in what is made of them; what it does to its fiber refs stays with it.
 *
 * `Effect.timeoutFail` would do the same by two fibers and a hand-over of all fiber refs, for several times the cost.
 */
export const inTime =
  (
    limit: Duration.Duration,
    operation: OperationName,
    endpoint: () => string,
    surroundingsOf: (caller: Surroundings) => Surroundings = identity
  ) =>
  <A, E>(attempt: Effect.Effect<A, E>): Effect.Effect<A, E | RequestTimeoutError> =>
    Effect.flatMap(Effect.runtime(), (caller) =>
      Effect.flatMap(timer(limit, caller), (start) =>
        Effect.async<A, E | RequestTimeoutError>((resume) => {
          const fiber = Runtime.runFork(surroundingsOf(caller))(attempt)
          const cancel = start(() => {
            const error = new RequestTimeoutError(
              { operation, endpoint: endpoint(), timeout: limit },
              true
            )
            resume(Effect.zipRight(Fiber.interrupt(fiber), Effect.fail(error)))
          })
          fiber.addObserver((exit) => {
            cancel()
            resume(exit)
          })
          return Effect.suspend(() => {
            cancel()
            return Fiber.interrupt(fiber)
          })
        })
      )
    )

/** Calls back when the time is up, unless it is cancelled before. */
type Timer = (onTime: () => void) => () => void

const timer = (limit: Duration.Duration, caller: Surroundings): Effect.Effect<Timer> =>
  Duration.isFinite(limit)
    ? Effect.clockWith((clock) =>
        hasScheduler(clock)
          ? Effect.map(
              clock.scheduler(),
              (scheduler): Timer =>
                (onTime) =>
                  scheduler.unsafeSchedule(onTime, limit)
            )
          : Effect.succeed(sleeper(Effect.interruptible(clock.sleep(limit)), caller))
      )
    : Effect.succeed(() => () => undefined)

/** Effect's own clock can call back, which its type does not tell. */
interface SchedulingClock extends Clock.Clock {
  readonly scheduler: () => Effect.Effect<Clock.ClockScheduler>
}

const hasScheduler = (clock: Clock.Clock): clock is SchedulingClock =>
  hasProperty(clock, "scheduler") && typeof clock.scheduler === "function"

/** By any other clock, such as a test's, one can only sleep, and that takes a fiber. */
const sleeper =
  (sleep: Effect.Effect<void>, caller: Surroundings): Timer =>
  (onTime) => {
    const fiber = Runtime.runFork(caller)(sleep)
    fiber.addObserver((exit) => {
      if (Exit.isSuccess(exit)) onTime()
    })
    return () => fiber.unsafeInterruptAsFork(fiber.id())
  }
