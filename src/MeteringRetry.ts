/**
 * Schedules for `Effect.retry` in app code.
 *
 * Every request is safe to send again: the service deduplicates identical records, and a `MeterUsageRequest` keeps its
 * client token. Schedules use `Clock` and `Random` only, so tests can control them.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleInterval from "effect/ScheduleInterval"
import { deliveryOf, leastCertain } from "./internal/protocol/delivery.js"
import type { Delivery, MeteringError } from "./MeteringError.js"

/**
 * Options of `backoff`: `base`, `throttledBase` and `max` limit the waits.
 *
 * @since 0.1.0
 * @category models
 */
export interface BackoffOptions {
  /** Maximum wait before the second attempt. Doubles with each further attempt. Defaults to 50 ms. */
  readonly base?: Duration.DurationInput
  /** Replaces `base` after a throttled attempt. Defaults to 1 s. */
  readonly throttledBase?: Duration.DurationInput
  /** Maximum wait before any attempt. Defaults to 20 s. */
  readonly max?: Duration.DurationInput
}

const isRetryable = (error: unknown): boolean =>
  Predicate.hasProperty(error, "isRetryable") && error.isRetryable === true

const isThrottling = (error: unknown): boolean =>
  Predicate.hasProperty(error, "isThrottling") && error.isThrottling === true

const retryAfter = (error: unknown): number =>
  Predicate.hasProperty(error, "retryAfter") && Duration.isDuration(error.retryAfter)
    ? Duration.toMillis(error.retryAfter)
    : 0

/** Maximum increase of a wait by `Retry-After`, in milliseconds. The same as in the official SDK. */
const maxRetryAfterExtra = 5_000

/**
 * Recurs while `isRetryable` of the error is true: the same request may succeed later.
 *
 * @example
 * ```ts
 * import { Effect, Schedule } from "effect"
 * import { MeteringClient, MeteringRetry } from "effect-marketplace-metering"
 *
 * const everySecond = Schedule.spaced("1 second").pipe(Schedule.zipLeft(MeteringRetry.whileRetryable))
 *
 * const program = MeteringClient.batchMeterUsage({ usageRecords: [] }).pipe(Effect.retry(everySecond))
 * ```
 *
 * @since 0.1.0
 * @category schedules
 */
export const whileRetryable: Schedule.Schedule<unknown, unknown> = Schedule.recurWhile(isRetryable)

/**
 * Waits a random part of an exponentially growing time, which is longer after a throttled attempt.
 *
 * The n-th wait (from 0) is `random * min(base * 2^n, max)`, in whole milliseconds. `Retry-After` raises it, by at most
 * 5 s. The output is the wait. The schedule never ends: combine it with one that does.
 *
 * @example
 * ```ts
 * import { Effect, Schedule } from "effect"
 * import { MeteringClient, MeteringRetry } from "effect-marketplace-metering"
 *
 * const schedule = MeteringRetry.backoff({ base: "200 millis" }).pipe(
 *   Schedule.intersect(MeteringRetry.whileRetryable),
 *   Schedule.intersect(Schedule.recurs(5))
 * )
 *
 * const program = MeteringClient.batchMeterUsage({ usageRecords: [] }).pipe(Effect.retry(schedule))
 * ```
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
 * @since 0.1.0
 * @category schedules
 */
export const backoff = (
  options: BackoffOptions = {}
): Schedule.Schedule<Duration.Duration, unknown> => {
  const base = Duration.toMillis(options.base ?? 50)
  const throttledBase = Duration.toMillis(options.throttledBase ?? 1_000)
  const max = Duration.toMillis(options.max ?? 20_000)
  return Schedule.makeWithState(0, (now, error, retries) =>
    Effect.map(Random.next, (random) => {
      const start = isThrottling(error) ? throttledBase : base
      const delay = random * Math.min(start * 2 ** retries, max)
      // some clocks support only whole milliseconds
      const wait = Math.ceil(
        Math.max(delay, Math.min(retryAfter(error), delay + maxRetryAfterExtra))
      )
      return [
        retries + 1,
        Duration.millis(wait),
        ScheduleDecision.continueWith(ScheduleInterval.after(now + wait))
      ]
    })
  )
}

/**
 * The official SDK's standard mode: at most three attempts, while the error is retryable.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, MeteringRetry } from "effect-marketplace-metering"
 *
 * const program = MeteringClient.batchMeterUsage({ usageRecords: [] }).pipe(
 *   Effect.retry(MeteringRetry.standard)
 * )
 * ```
 *
 * @since 0.1.0
 * @category schedules
 */
export const standard: Schedule.Schedule<Duration.Duration, unknown> = backoff().pipe(
  Schedule.zipLeft(whileRetryable),
  Schedule.zipLeft(Schedule.recurs(2))
)

/**
 * Retries for 30 minutes while the error is retryable, with up to a minute between attempts. For background workers.
 *
 * 30 minutes are well inside the maximum age of usage: 6 hours for MeterUsage, 24 hours for BatchMeterUsage.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, MeteringRetry } from "effect-marketplace-metering"
 *
 * const program = MeteringClient.batchMeterUsage({ usageRecords: [] }).pipe(
 *   Effect.retry(MeteringRetry.patient)
 * )
 * ```
 *
 * @since 0.1.0
 * @category schedules
 */
export const patient: Schedule.Schedule<Duration.Duration, unknown> = backoff({
  base: "200 millis",
  max: "1 minute"
}).pipe(Schedule.zipLeft(whileRetryable), Schedule.upTo("30 minutes"))

/**
 * A `call` and the `delivery` of its attempts.
 *
 * @since 0.1.0
 * @category models
 */
export interface Tracked<A, E, R> {
  /** The tracked call. Each run of it is an attempt. */
  readonly call: Effect.Effect<A, E, R>
  /**
   * The delivery of the request over all attempts. `notSent` before the first one. `unknown` during an attempt, after an
   * interrupted one, and after one that may have been metered. Read it after a failure or an interruption.
   */
  readonly delivery: Effect.Effect<Delivery>
}

/**
 * Tracks whether any attempt of a retried call may have been metered.
 *
 * The error of the last attempt does not show this. After a lost response, a failed connection is `notSent`, but the
 * usage may be billed. Track a call once, outside of the retry, and retry the returned `call` with any schedule.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, MeteringRetry, type MeterUsage } from "effect-marketplace-metering"
 *
 * const meter = (request: MeterUsage.MeterUsageRequest) =>
 *   Effect.gen(function* () {
 *     const { call, delivery } = yield* MeteringRetry.trackDelivery(MeteringClient.meterUsage(request))
 *     return yield* call.pipe(
 *       Effect.retry(MeteringRetry.standard),
 *       Effect.onError(() =>
 *         Effect.flatMap(delivery, (delivery) =>
 *           delivery === "unknown"
 *             ? Effect.logWarning("perhaps metered: send this request again, not a new one", request)
 *             : Effect.void
 *         )
 *       )
 *     )
 *   })
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const trackDelivery = <A, E extends MeteringError, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<Tracked<A, E, R>> =>
  Effect.sync(() => {
    let worst: Delivery = "notSent"
    /** The number of attempts that are in flight, were interrupted, or succeeded. */
    let notFailed = 0
    return {
      call: Effect.suspend(() => {
        notFailed += 1
        return Effect.tapError(call, (error) =>
          Effect.sync(() => {
            worst = leastCertain(worst, deliveryOf(error))
            notFailed -= 1
          })
        )
      }),
      delivery: Effect.sync(() => (notFailed > 0 ? "unknown" : worst))
    }
  })
