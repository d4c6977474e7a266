/**
 * Submits any number of usage records and returns one outcome for each.
 *
 * Records are validated and packed into calls of at most 25 records of one product. Calls keep to the service's quota.
 * Retryable calls are sent again, and a record that makes its call fail is isolated from the others. A record is sent
 * unchanged on every attempt, its timestamp included.
 *
 * @example
 * ```ts
 * import { Console, type DateTime, Stream } from "effect"
 * import { UsageSubmission } from "effect-marketplace-metering"
 *
 * // store the time of the usage with the usage: the same usage with another time is another charge
 * const program = (usedAt: DateTime.Utc) => {
 *   const records = ["111122223333", "444455556666"].map((customerAWSAccountId) => ({
 *     timestamp: usedAt,
 *     dimension: "api-calls",
 *     quantity: 42,
 *     customerAWSAccountId
 *   }))
 *   return UsageSubmission.submit(records, { productCode: "4v9hm1u3i5p7l3c0" }).pipe(
 *     Stream.filter((outcome) => outcome._tag !== "Accepted"),
 *     Stream.runForEach((outcome) => Console.log(`record ${outcome.index}: ${outcome._tag}`))
 *   )
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Ref from "effect/Ref"
import type * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { BatchMeterUsageError } from "./BatchMeterUsage.js"
import { fromIterable } from "./internal/submission/fromIterable.js"
import { quota } from "./internal/submission/rateLimiter.js"
import { type RuntimeOptions, run } from "./internal/submission/runtime.js"
import type { SchedulerState } from "./internal/submission/scheduler.js"
import type { MeteringClient } from "./MeteringClient.js"
import * as MeteringRetry from "./MeteringRetry.js"
import type { Rule } from "./Preflight.js"
import { type Counts, type Outcome, zeroCounts } from "./UsageOutcome.js"
import type * as UsageRecord from "./UsageRecord.js"

// ---------------------------------------------------------------------------------------------------
// input
// ---------------------------------------------------------------------------------------------------

/**
 * A `record`, or its fields, with its product.
 *
 * The `productCode` of a record with a `licenseArn` is never sent, because the license identifies the product. It only
 * decides which records may share a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Item {
  readonly record: UsageRecord.Input
  readonly productCode?: string | undefined
}

/**
 * A record, its fields, or an `Item`.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = UsageRecord.Input | Item

/**
 * Options of a submission. All are optional.
 *
 * Requests:
 *
 * - `productCode`: the product code of all records that have none of their own. A call is for one product. Records with
 *   licenses and no product code share calls until a call is rejected. That call is then halved until the cause is known:
 *   one record, or licenses of several products. If there are several products, only licenses that were accepted together
 *   share a call from then on. In the worst case, each license needs its own calls. A seller of several products should
 *   therefore set the product code of each record.
 * - `skipRules`: preflight rules that are not checked here. The `skipRules` of `MeteringConfig` apply only to the client.
 *
 * Pace:
 *
 * - `rate`: calls per second, more than 0. Defaults to 10, the quota of an account in a Region. `Infinity` means no
 *   limit. Throttling halves the rate, and accepted calls raise it again.
 * - `concurrency`: calls in flight at the same time. Defaults to 10.
 * - `bufferSize`: the maximum number of records that were read and have no outcome yet. Defaults to 5000. Only buffered
 *   records are ordered by deadline and combined into full calls.
 * - `linger`: the time that a record waits for other records to fill its call, while the source has none. Defaults to 1
 *   second. A record close to its deadline waits for at most half of the time left. `Infinity` sends full calls only, until
 *   a deadline is close.
 * - `schedule`: the retry schedule; its input is the error of the call. Defaults to `MeteringRetry.patient`. It also limits
 *   the time that one record is retried. After two calls without a response, each half of their records is retried in a call
 *   of its own, so that a record that makes calls fail does not hold back the others. In an outage of the service, calls are
 *   not divided.
 *
 * Deadlines (a record past its deadline is `Expired`):
 *
 * - `maxAge`: the maximum age of usage. Defaults to 24 hours.
 * - `monthEndGrace`: the time into the next month during which usage of a month is accepted. Defaults to 6 hours.
 * - `deadlineMargin`: the time before its deadline from which a record is no longer sent. Defaults to 0.
 *
 * Progress and end:
 *
 * - `progress`: a `Ref` that is set to the current progress after every change. A `SubscriptionRef` publishes it.
 * - `total`: the number of records. Defaults to the length of `records`, if that is an array.
 * - `stop`: an effect that stops the submission when it completes. After that, no more calls are made. Calls in flight have
 *   `gracePeriod` to complete; after it their records are `Unknown`. All other records are `NotSent`. A stream is not read
 *   further, and has the same time to end. An iterable is still read to its end, so that every element has an outcome.
 * - `gracePeriod`: the time that calls in flight may take after a stop. Defaults to 30 seconds.
 * - `onInterrupt`: a handler for the outcomes that the stream did not emit, because it was interrupted or not read to
 *   its end. Records in flight are `Unknown`, other records that were read are `NotSent`. With this handler, the stream
 *   emits outcomes in chunks of one. After an interruption or a failure of the consumer, the last emitted outcome is
 *   passed to the handler again, because it may not have been processed.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly productCode?: string | undefined
  readonly skipRules?: ReadonlyArray<Rule> | undefined
  readonly rate?: number | undefined
  readonly concurrency?: number | undefined
  readonly bufferSize?: number | undefined
  readonly linger?: Duration.DurationInput | undefined
  readonly schedule?: Schedule.Schedule<unknown, BatchMeterUsageError> | undefined
  readonly maxAge?: Duration.DurationInput | undefined
  readonly monthEndGrace?: Duration.DurationInput | undefined
  readonly deadlineMargin?: Duration.DurationInput | undefined
  readonly progress?: Ref.Ref<Progress> | undefined
  readonly total?: number | undefined
  readonly stop?: Effect.Effect<unknown> | undefined
  readonly gracePeriod?: Duration.DurationInput | undefined
  readonly onInterrupt?: ((outcomes: ReadonlyArray<Outcome>) => Effect.Effect<unknown>) | undefined
}

const resolveOptions = (options: Options): RuntimeOptions => {
  const { bufferSize = 5_000, concurrency = 10, progress, rate = quota, total } = options
  const deadlineMargin = Duration.toMillis(options.deadlineMargin ?? 0)
  return {
    productCode: options.productCode,
    skipRules: options.skipRules ?? [],
    rate: requireValid("rate", rate, rate > 0, "more than 0"),
    concurrency: positiveInteger("concurrency", concurrency),
    bufferSize: positiveInteger("bufferSize", bufferSize),
    linger: Duration.toMillis(options.linger ?? "1 second"),
    schedule: options.schedule ?? MeteringRetry.patient,
    acceptanceWindow: {
      maxAge: Duration.toMillis(options.maxAge ?? "24 hours"),
      monthEndGrace: Duration.toMillis(options.monthEndGrace ?? "6 hours")
    },
    // with an infinite margin no record could ever be sent
    deadlineMargin: requireValid(
      "deadlineMargin",
      deadlineMargin,
      Number.isFinite(deadlineMargin),
      "a finite duration"
    ),
    gracePeriod: Duration.toMillis(options.gracePeriod ?? "30 seconds"),
    stop: options.stop,
    onInterrupt: options.onInterrupt,
    onProgress:
      progress && ((state, elapsed) => Ref.set(progress, progressOf(state, elapsed, total)))
  }
}

const positiveInteger = (name: string, value: number): number =>
  requireValid(name, value, Number.isInteger(value) && value > 0, "a whole number more than 0")

const requireValid = (name: string, value: number, isValid: boolean, expected: string): number => {
  if (!isValid) throw new RangeError(`${name}: expected ${expected}, got ${value}`)
  return value
}

// ---------------------------------------------------------------------------------------------------
// output
// ---------------------------------------------------------------------------------------------------

/**
 * The progress of a submission.
 *
 * - `read`: records read from the source
 * - `resolved`: records that have an outcome; `counts` has them by outcome
 * - `buffered`: records that wait for a call
 * - `inFlight`: records in a call
 * - `calls`: calls made
 * - `rate`: the current limit in calls per second, below `Options.rate` after throttling
 * - `recordsPerSecond`: outcomes per second since the start
 * - `remaining`: records without an outcome, read or not. Absent if the total is not known.
 *
 * @since 0.1.0
 * @category models
 */
export interface Progress {
  readonly read: number
  readonly resolved: number
  readonly counts: Counts
  readonly buffered: number
  readonly inFlight: number
  readonly calls: number
  readonly rate: number
  readonly recordsPerSecond: number
  readonly remaining?: number
}

/**
 * The progress of a submission that has not started.
 *
 * @example
 * ```ts
 * import { Effect, Ref, Schedule } from "effect"
 * import { UsageSubmission } from "effect-marketplace-metering"
 *
 * const program = Effect.gen(function* () {
 *   const progress = yield* Ref.make(UsageSubmission.initialProgress)
 *   const show = Effect.flatMap(progress, ({ remaining, resolved }) =>
 *     Effect.log(`${resolved} done, ${remaining} to go`)
 *   )
 *   yield* Effect.fork(Effect.repeat(show, Schedule.spaced("1 second")))
 *   return yield* UsageSubmission.submitAll([], { progress })
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const initialProgress: Progress = {
  read: 0,
  resolved: 0,
  counts: zeroCounts,
  buffered: 0,
  inFlight: 0,
  calls: 0,
  rate: quota,
  recordsPerSecond: 0
}

const progressOf = (
  { calls, counts, inFlight, rate, read, unresolved }: SchedulerState,
  elapsedMillis: number,
  total: number | undefined
): Progress => ({
  read,
  resolved: read - unresolved,
  counts,
  buffered: unresolved - inFlight,
  inFlight,
  calls,
  rate,
  recordsPerSecond: elapsedMillis > 0 ? ((read - unresolved) * 1000) / elapsedMillis : 0,
  ...(total !== undefined && { remaining: Math.max(0, total - read + unresolved) })
})

/**
 * All outcomes of a submission, in the order of the input.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  /** One outcome per record. */
  readonly outcomes: ReadonlyArray<Outcome>
  /** The number of outcomes of each kind. */
  readonly counts: Counts
}

// ---------------------------------------------------------------------------------------------------
// submission
// ---------------------------------------------------------------------------------------------------

/**
 * Submits records and emits the outcome of each as soon as it is known. `index` is the record's position in the input.
 *
 * The source is read only as fast as outcomes are consumed, and no record is kept in memory after its outcome was emitted.
 * Records go out in the order of their deadlines. Records of one product or license, customer, dimension and hour go out in
 * the order of the input, one after the other.
 *
 * A call that is rejected for one of its records is halved until that record is alone in a call; the other records go into
 * the next calls. The more records are rejected, the smaller the calls become. The cause of a rejection is cached for 5
 * minutes: a dimension or tags of a product or license, the product of a license, or a license with its customer and time of
 * usage. Later records with a cached cause are `Rejected` without a call, until the service accepts such a record. An error
 * that concerns the whole product ends the submission of that product's records, and an error that concerns the caller ends
 * the whole submission.
 *
 * The stream fails only with the error of the source, after the outcomes of all records that were read. A defect of the
 * client, of an iterable or of `stop` ends it in the same way. A defect of `onInterrupt` is added to the stream's own
 * cause. Invalid options, such as a rate of 0, are a defect.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { UsageSubmission } from "effect-marketplace-metering"
 *
 * const report = (usage: Stream.Stream<UsageSubmission.Item, Error>) =>
 *   UsageSubmission.submit(usage, { deadlineMargin: "5 minutes" }).pipe(
 *     Stream.runForEach((outcome) =>
 *       outcome._tag === "Unknown"
 *         ? Effect.logWarning("perhaps billed", outcome.record)
 *         : Effect.void
 *     )
 *   )
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category submitting
 */
export const submit = <E = never, R = never>(
  records: Stream.Stream<Input, E, R> | Iterable<Input>,
  options: Options = {}
): Stream.Stream<Outcome, E, R | MeteringClient> =>
  Stream.suspend(() => {
    if (isStream(records)) return run(records, resolveOptions(options), { readsToEnd: false })
    const total = Array.isArray(records) ? records.length : undefined
    return run(fromIterable(records), resolveOptions({ total, ...options }), { readsToEnd: true })
  })

const isStream = <E, R>(
  records: Stream.Stream<Input, E, R> | Iterable<Input>
): records is Stream.Stream<Input, E, R> => Predicate.hasProperty(records, Stream.StreamTypeId)

/**
 * Submits records and returns all outcomes at the end. All outcomes are held in memory: for more records than fit, use
 * `submit`.
 *
 * An interrupted submission returns no report; `onInterrupt` then receives the outcomes of all records that were read.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { UsageRecord, UsageSubmission } from "effect-marketplace-metering"
 *
 * const report = (records: ReadonlyArray<UsageRecord.UsageRecord>) =>
 *   Effect.map(UsageSubmission.submitAll(records), ({ counts, outcomes }) => ({
 *     isComplete: counts.Accepted === records.length,
 *     perhapsBilled: outcomes.filter(({ _tag }) => _tag === "Unknown")
 *   }))
 * ```
 *
 * @since 0.1.0
 * @category submitting
 */
export const submitAll = <R = never>(
  records: Stream.Stream<Input, never, R> | Iterable<Input>,
  options: Options = {}
): Effect.Effect<Report, never, R | MeteringClient> =>
  Effect.suspend(() => {
    const { onInterrupt } = options
    const outcomes: Array<Outcome> = []
    const add = (some: Iterable<Outcome>) =>
      Effect.sync(() => {
        for (const outcome of some) outcomes[outcome.index] = outcome
      })
    return submit(records, { ...options, onInterrupt: onInterrupt && add }).pipe(
      Stream.runForEachChunk(add),
      Effect.onError(() =>
        // indexes of records without an outcome are holes, which `filter` skips
        onInterrupt === undefined ? Effect.void : onInterrupt(outcomes.filter(() => true))
      ),
      Effect.map(() => ({ outcomes, counts: countsOf(outcomes) }))
    )
  })

const countsOf = (outcomes: ReadonlyArray<Outcome>): Counts => {
  const counts = { ...zeroCounts }
  for (const { _tag } of outcomes) counts[_tag] += 1
  return counts
}
