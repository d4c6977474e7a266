/** Submits rows, with one outcome for each row, also after a stop. */
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { MeteringClient } from "../../MeteringClient.js"
import type * as UsageOutcome from "../../UsageOutcome.js"
import * as UsageSubmission from "../../UsageSubmission.js"
import type { UsageRow } from "../input/usageRows.js"
import type { UncheckedUsage } from "../output/summary.js"
import type { CliError } from "./cliError.js"
import * as rowOutcome from "./rowOutcome.js"

export interface RowResult {
  readonly row: UsageRow
  readonly outcome: rowOutcome.RowOutcome
  readonly record: UncheckedUsage | undefined
  /** True if an earlier row has the same usage, which is billed once. */
  readonly isRepeated?: boolean
}

export interface Options
  extends Pick<UsageSubmission.Options, "productCode" | "rate" | "schedule" | "progress"> {
  /** Stops the submission. Calls under way are awaited. */
  readonly stop: Effect.Effect<unknown>
  /** Stops at once. Calls under way are interrupted, and no more is read. */
  readonly abort: Effect.Effect<unknown>
  /** True if the source may never end, so that it is not read to its end after a stop. */
  readonly isEndless: boolean
  readonly onResult: (result: RowResult) => void
  /** Writes buffered results. A failure stops the submission like `stop`. */
  readonly flush: Effect.Effect<void, CliError>
  /** Returns true if the buffered results must be written before more are added. */
  readonly isFull: () => boolean
}

interface SubmitResult {
  readonly isFullyRead: boolean
  /** The failure of `flush`, if any. */
  readonly flushError: Option.Option<CliError>
}

/** Maximum number of rows that are read ahead, in addition to the submission's own buffer. */
const readAheadRows = 1_024

/** Maximum time for which results are buffered. */
const flushInterval = "100 millis"

/** Submits rows. After a stop, the other rows are read but not sent. A read error is raised after the outcomes of all earlier rows. */
export const submitRows = <R>(
  rows: Stream.Stream<UsageRow, CliError, R>,
  { abort, flush, isEndless, isFull, onResult, stop, ...options }: Options
): Effect.Effect<SubmitResult, CliError, R | MeteringClient | Scope.Scope> =>
  Effect.gen(function* () {
    const read = yield* Mailbox.make<UsageRow, CliError>({ capacity: readAheadRows })
    yield* Stream.runForEachChunk(rows, (chunk) => read.offerAll(chunk)).pipe(
      Mailbox.into(read),
      Effect.forkScoped
    )
    /** Rows without an outcome yet, by their index in the submission. */
    const pending = new Map<number, UsageRow>()
    let next = 0
    const failure = yield* Deferred.make<CliError>()
    // not raised at once, since calls under way still have outcomes
    const tryFlush = Effect.catchAll(flush, (error) => Deferred.succeed(failure, error))
    const flushIfFull = Effect.suspend(() => (isFull() ? tryFlush : Effect.void))
    yield* Effect.sleep(flushInterval).pipe(
      Effect.zipRight(tryFlush),
      Effect.forever,
      Effect.forkScoped
    )

    const emitResult = (row: UsageRow, outcome: rowOutcome.RowOutcome, record?: UncheckedUsage) =>
      onResult({
        row,
        outcome,
        record: record ?? Option.getOrUndefined(Either.getRight(row.content))?.record
      })

    /** Registers a row to submit, or emits the result of an unreadable row. */
    const enqueue = (row: UsageRow) =>
      Either.match(row.content, {
        onLeft: (reason) => {
          emitResult(row, rowOutcome.unreadable(reason))
          return Option.none()
        },
        onRight: (item) => {
          pending.set(next++, row)
          return Option.some(item)
        }
      })

    const emitResults = (outcomes: Iterable<UsageOutcome.Outcome>) => {
      for (const outcome of outcomes) {
        const row = pending.get(outcome.index)
        // a row has only one result
        if (row === undefined) continue
        pending.delete(outcome.index)
        emitResult(row, rowOutcome.fromOutcome(outcome, row), outcome.record)
      }
    }

    // an interruption after `takeAll` would lose the rows
    const take = Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(read.takeAll), {
        onFailure: (failure) => Effect.fail(Option.some(failure)),
        onSuccess: ([taken, isDone]) =>
          isDone && Chunk.isEmpty(taken)
            ? Effect.fail(Option.none())
            : Effect.succeed(Chunk.filterMap(taken, enqueue))
      })
    )

    // flushed here as well, because unreadable rows fill the buffer without an outcome of the submission
    const pull = Effect.zipRight(flushIfFull, take)

    const submitted = yield* UsageSubmission.submit(Stream.repeatEffectChunkOption(pull), {
      ...options,
      stop: Effect.raceFirst(stop, Deferred.await(failure)),
      onInterrupt: (outcomes) => Effect.sync(() => emitResults(outcomes))
    }).pipe(
      Stream.runForEachChunk((outcomes) => {
        emitResults(outcomes)
        return flushIfFull
      }),
      Effect.raceFirst(abort),
      Effect.exit
    )
    // rows without an outcome after the end of the submission
    for (const row of pending.values()) emitResult(row, rowOutcome.notSentAfterStop)
    const emitNotSent = (rest: Chunk.Chunk<UsageRow>) => {
      for (const row of rest) emitResult(row, rowOutcome.notSentAfterStop)
      return Effect.as(flushIfFull, Chunk.isEmpty(rest))
    }
    const emitAllNotSent = (rows: Effect.Effect<Chunk.Chunk<UsageRow>, CliError>) =>
      Effect.flatMap(rows, emitNotSent).pipe(Effect.repeat({ until: (isAtEnd) => isAtEnd }))
    // an endless source is not read any further
    const drained = yield* emitAllNotSent(
      isEndless ? read.clear : Effect.map(read.takeAll, ([rest]) => rest)
    ).pipe(Effect.as(false), Effect.raceFirst(Effect.as(abort, true)), Effect.exit)
    const isAborted = Exit.isSuccess(drained) && drained.value
    if (isAborted) yield* Effect.ignore(Effect.flatMap(read.clear, emitNotSent))
    yield* tryFlush
    yield* submitted
    // raises a read error after a stop
    yield* drained
    return {
      isFullyRead: Option.isNone(yield* read.size),
      flushError: yield* Effect.transposeOption(yield* Deferred.poll(failure))
    }
  })
