/**
 * Any number of usage records in, one outcome for each of them out.
 *
 * Records are checked, packed into calls of at most 25 records of one product, sent under the service's quota,
 * sent again where that can help, and kept apart from those that would spoil a call. Nothing is changed on the
 * way: what is sent of a record is the same on every attempt, its time included.
 *
 * @example
 * ```ts
 * import { Console, type DateTime, Stream } from "effect"
 * import { UsageSubmission } from "effect-marketplace-metering"
 *
 * // the time of usage is kept with the usage: sent again with another, it is another charge
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
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Ref from "effect/Ref"
import type * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { BatchMeterUsageError } from "./BatchMeterUsage.js"
import * as progress from "./internal/submission/progress.js"
import * as resolveOptions from "./internal/submission/resolveOptions.js"
import { run } from "./internal/submission/runtime.js"
import * as source from "./internal/submission/source.js"
import type { MeteringClient } from "./MeteringClient.js"
import type { Violation } from "./MeteringError.js"
import type { Rule } from "./Preflight.js"
import type * as UsageRecord from "./UsageRecord.js"

// ---------------------------------------------------------------------------------------------------
// what goes in
// ---------------------------------------------------------------------------------------------------

/**
 * A `record` or the fields of one, and the product that it is of.
 *
 * The `productCode` of a record with a `licenseArn` is never sent, since the licence takes its place. It only
 * says which records may share a call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Item {
  readonly record: UsageRecord.Input
  readonly productCode?: string | undefined
}

/**
 * What can be submitted: a record, the fields of one, or either with its product.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = UsageRecord.Input | Item

/**
 * How to submit. All of it may be left out.
 *
 * What is sent:
 *
 * - `productCode`: the product of all records that do not name one of their own. A call is for one product, and a
 *   license names its own, so records with licenses and no product share calls until one of these is refused. Its
 *   records are then halved until it is known whether a record or the products were at fault. If it was the products,
 *   from then on only licenses share a call that were accepted together before: a call for each license at the worst.
 *   A seller of several products should name the product of each record.
 * - `skipRules`: preflight rules that are not checked, as in `MeteringConfig`, which has its own
 *
 * How it is sent:
 *
 * - `rate`: calls a second at the most, more than 0; 10 when left out, which is the service's quota for an
 *   account and Region. `Infinity` is no limit. When throttled, it slows down and recovers by itself.
 * - `concurrency`: calls under way at the same time, 10 when left out
 * - `bufferSize`: records that are read and have no outcome yet, 5000 when left out. The source is read as room
 *   comes free. Order by urgency and full calls are made from what is in the buffer.
 * - `linger`: how long a record may wait for others to fill its call while the source has no more to give, 1
 *   second when left out; but near its deadline for half of the time that is left. `Infinity` is full calls only,
 *   until a deadline demands otherwise.
 * - `schedule`: when a call, or what is left of it, is sent again, by the error that it failed with;
 *   `MeteringRetry.patient` when left out. It also bounds how long one record is tried.
 *
 * Until when it is sent (a record past its time is `Expired`):
 *
 * - `maxAge`: from so long after the usage on it is refused, 24 hours when left out
 * - `monthEndGrace`: from so long into the next month on it is refused, 6 hours when left out
 * - `deadlineMargin`: so long before that nothing is sent any more, 0 when left out
 *
 * How it is watched and ended:
 *
 * - `progress`: where the state of things is put whenever it has changed. Read it as often as you like, or give a
 *   `SubscriptionRef` to be told.
 * - `total`: how many records there are, if that is known and `records` does not tell
 * - `stop`: when this effect ends, no more calls are made. What is under way is awaited, for at most `gracePeriod` (30
 *   seconds when left out), and is `Unknown` after that; the rest is `NotSent`. A stream is not read any
 *   further, and has as long to end; of anything else that can be iterated every element still gets its outcome.
 * - `onInterrupt`: is given what has no outcome yet when the stream is given up before its end, by interruption or
 *   because no more is taken: `Unknown` for what was under way, `NotSent` for the rest of what was read, and what had
 *   not been handed over. So that no outcome is lost in between, they are then handed over one by one, and when it
 *   is interrupted or fails, the one that was in hand may be given again.
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

// ---------------------------------------------------------------------------------------------------
// what comes out
// ---------------------------------------------------------------------------------------------------

/**
 * What every outcome tells of its record.
 *
 * @since 0.1.0
 * @category models
 */
export interface OutcomeBase {
  /** The record's place in the input, from 0. */
  readonly index: number
  /** The record as it was sent, or would have been. */
  readonly record: UsageRecord.UsageRecord
  /** The product that the record was submitted for, if one was named. */
  readonly productCode?: string
  /**
   * The index of an earlier record of the same product or licence, customer, dimension and hour that was still in the
   * buffer. Both are sent, one after the other; but an hour is billed once, so where their quantities differ, at most
   * one of them is. (A customer's two identities are not known to be one.)
   */
  readonly earlierIndex?: number
}

/**
 * Billed, now or by an identical record before: the service answered `Success` to exactly this record.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Accepted extends OutcomeBase {
  readonly _tag: "Accepted"
  /** The service's receipt. */
  readonly meteringRecordId?: string
}

/**
 * Not billed: another quantity was, for the same product or licence, customer, dimension and hour.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Duplicate extends OutcomeBase {
  readonly _tag: "Duplicate"
}

/**
 * Not billed: the customer has no agreement now. The service may judge otherwise later.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface CustomerNotSubscribed extends OutcomeBase {
  readonly _tag: "CustomerNotSubscribed"
}

/**
 * Not billed: the service refused the call that carried it, alone or for a reason that all of its records share; or,
 * less than 5 minutes before, another record for a reason that this one shares for certain.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Rejected extends OutcomeBase {
  readonly _tag: "Rejected"
  /** What the service refused it with. */
  readonly error: BatchMeterUsageError
}

/**
 * Never sent: the record breaks a rule of the service or is not of the right type. `violations` names every field
 * at fault; `record` is what was given.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Invalid extends Omit<OutcomeBase, "record"> {
  readonly _tag: "Invalid"
  readonly record: UsageRecord.Input
  readonly violations: readonly [Violation, ...Array<Violation>]
}

/**
 * Not billed, and no longer can be: the time to report it had passed. `deadline` is when, without the margin.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Expired extends OutcomeBase {
  readonly _tag: "Expired"
  readonly deadline: DateTime.Utc
}

/**
 * Not billed, and not judged: no call was made with it, or none that reached the service, or every call was refused
 * before a record was looked at, or left it out. Nothing of it is stored; to be sent again as it is.
 *
 * - `Stopped`: no more calls were wanted
 * - `Refused`: another call was refused for a reason that concerns the whole product or the caller
 * - `Undelivered`: no connection or no credentials could be had
 * - `Throttled`: its last call was throttled, and the schedule, its time or a stop left no other
 * - `Unprocessed`: it was among the unprocessed records of the last answer, and again no call was left
 *
 * `error` is what was met last, by its own call or by the one that ended the others.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface NotSent extends OutcomeBase {
  readonly _tag: "NotSent"
  /** Why it was not looked at. */
  readonly reason: "Stopped" | "Rejected" | "Undelivered" | "Throttled" | "Unprocessed"
  readonly error?: BatchMeterUsageError
}

/**
 * Sent, and perhaps billed: for at least one attempt no answer came that tells. It stays so whatever a later attempt
 * was told, but for a success. To send the same record again inside its window is safe.
 *
 * - `NoAnswer`: the answer was lost, or the service failed inside; `error` says how
 * - `NoResult`: the answer said nothing of this record
 * - `Ambiguous`: the answer said something that could be of this record or of another
 * - `Interrupted`: the call was under way when it was given up
 *
 * `status` is what a later attempt was told, where it was told something: the service's status, or the `_tag` of the
 * error that it was refused with.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface Unknown extends OutcomeBase {
  readonly _tag: "Unknown"
  /** Why nobody can tell. */
  readonly reason: "NoResponse" | "NoResult" | "Ambiguous" | "Interrupted"
  /** How many calls were made with it. */
  readonly attempts: number
  readonly error?: BatchMeterUsageError
  readonly status?: string
}

/**
 * Answered with a status that this version does not know; not a success.
 *
 * @since 0.1.0
 * @category outcomes
 */
export interface UnknownStatus extends OutcomeBase {
  readonly _tag: "UnknownStatus"
  /** The service's own word. */
  readonly status: string
}

/**
 * What became of one record. Of these only `Accepted` is billed for certain, and only `Unknown` and `UnknownStatus`
 * may be.
 *
 * @example
 * ```ts
 * import { Match } from "effect"
 * import type { UsageSubmission } from "effect-marketplace-metering"
 *
 * const line = (outcome: UsageSubmission.Outcome) =>
 *   Match.valueTags(outcome, {
 *     Accepted: ({ meteringRecordId }) => `billed as ${meteringRecordId}`,
 *     Duplicate: () => "another quantity was billed for this hour",
 *     CustomerNotSubscribed: () => "not subscribed",
 *     Rejected: ({ error }) => error.message,
 *     Invalid: ({ violations }) => violations.map(({ field }) => field).join(", "),
 *     Expired: () => "too late",
 *     NotSent: ({ reason }) => `to be sent again: ${reason}`,
 *     Unknown: ({ reason }) => `perhaps billed: ${reason}`,
 *     UnknownStatus: ({ status }) => `the service says ${status}`
 *   })
 * ```
 *
 * @since 0.1.0
 * @category outcomes
 */
export type Outcome =
  | Accepted
  | Duplicate
  | CustomerNotSubscribed
  | Rejected
  | Invalid
  | Expired
  | NotSent
  | Unknown
  | UnknownStatus

/**
 * How many records came out in each way.
 *
 * @since 0.1.0
 * @category models
 */
export type Counts = { readonly [Tag in Outcome["_tag"]]: number }

/**
 * How far a submission is.
 *
 * - `read`: records that were read from the source
 * - `resolved`: those that have an outcome, by outcome in `counts`
 * - `buffered`, `inFlight`: those that wait, and those that are in a call now
 * - `calls`: calls made so far
 * - `rate`: calls a second that are allowed now; less than asked for after the service has throttled
 * - `recordsPerSecond`: outcomes a second since the start
 * - `remaining`: records without an outcome, read or not; absent where the total is not known
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
 * The progress of a submission that has not begun.
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
export const initialProgress: Progress = progress.initialProgress

/**
 * The outcomes of a submission as a whole, in the order of the input.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  /** One for every record. */
  readonly outcomes: ReadonlyArray<Outcome>
  /** How many there are of each. */
  readonly counts: Counts
}

// ---------------------------------------------------------------------------------------------------
// submitting
// ---------------------------------------------------------------------------------------------------

/**
 * Submits records, and tells of each what became of it, as soon as it is known. `index` says which it is.
 *
 * The source is read as fast as outcomes are made and taken, and no faster; of a record nothing is kept once its
 * outcome is handed over. Records of one product or licence, customer, dimension and hour are sent in the order of
 * the input and one after the other, and otherwise those whose time is up first go first. A call that is refused for
 * one record's sake is halved until that record stands alone, and the others go on with the next calls; the more are
 * refused, the smaller the calls. What it was refused for is remembered for 5 minutes: a dimension or tags of its
 * product or license, the product of its license, or its license for that customer and time of usage. Later records
 * that share it are `Rejected` without a call, until the service accepts one that does.
 * A refusal that concerns the whole product ends that product's records for this submission, and one that concerns the
 * caller ends all.
 *
 * The stream itself fails only with what the source fails with, once everything that was read has its outcome. A
 * defect of the client, of a thing that is iterated or of `stop` ends it in the same way; one of `onInterrupt` is added
 * to what it ends with. Options that make no sense, such as a rate of 0, are a defect.
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
  Stream.suspend(() =>
    isStream(records)
      ? run(records, resolveOptions.resolveOptions(options), { isDrained: false })
      : run(
          source.fromIterable(records),
          resolveOptions.resolveOptions(withTotal(records, options)),
          {
            isDrained: true
          }
        )
  )

const isStream = <E, R>(
  records: Stream.Stream<Input, E, R> | Iterable<Input>
): records is Stream.Stream<Input, E, R> => Predicate.hasProperty(records, Stream.StreamTypeId)

const withTotal = (records: Iterable<Input>, options: Options): Options =>
  Array.isArray(records) ? { total: records.length, ...options } : options

/**
 * Submits records, and reports on all of them at the end. The report holds every outcome: for more records than fit
 * into memory, use `submit`.
 *
 * When it is interrupted there is no report; `onInterrupt` is then given the outcomes of all records that were read.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { UsageRecord, UsageSubmission } from "effect-marketplace-metering"
 *
 * const report = (records: ReadonlyArray<UsageRecord.UsageRecord>) =>
 *   Effect.map(UsageSubmission.submitAll(records), ({ counts, outcomes }) => ({
 *     isComplete: counts.Accepted === records.length,
 *     doubtful: outcomes.filter(({ _tag }) => _tag === "Unknown")
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
  progress.collectReport((onInterrupt) => submit(records, { ...options, onInterrupt }), options)
