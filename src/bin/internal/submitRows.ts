/** Rows in, and of each row a verdict: nothing is dropped, also when it is stopped. */
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
import type { Row } from "../input/parseRows.js"
import type { PartialUsage } from "../output/summary.js"
import type { CliError } from "./cliError.js"
import * as rowOutcome from "./rowOutcome.js"

/** A row that has its verdict. */
export interface RowResult {
  readonly row: Row
  readonly outcome: rowOutcome.RowOutcome
  readonly record: PartialUsage | undefined
  /** True if it says the same as an earlier row, with which it is billed once. */
  readonly isRepeated?: boolean
}

export interface Options
  extends Pick<UsageSubmission.Options, "productCode" | "rate" | "schedule" | "progress"> {
  /** Asks for an end in good order: calls under way are awaited. */
  readonly stop: Effect.Effect<unknown>
  /** Asks for an end at once: what is under way is not awaited, and no more is read. */
  readonly abort: Effect.Effect<unknown>
  /** Whether reading on after a stop might never come to an end. */
  readonly isEndless: boolean
  readonly onResult: (settled: RowResult) => void
  /** Writes what is held of settled rows. Its failure stops the submission as `stop` does. */
  readonly flush: Effect.Effect<void, CliError>
  /** True if the rows that are held must be written before more are settled. */
  readonly isFull: () => boolean
}

/** How it came to its end. */
export interface SubmitResult {
  readonly isFullyRead: boolean
  /** What `flush` failed with, if it did. */
  readonly flushError: Option.Option<CliError>
}

/** Rows that are read ahead of the submission's own buffer. */
const readAheadRows = 1_024

/** The longest time that settled rows are held before they are written. */
const flushInterval = "100 millis"

/**
 * Submits rows until their end, or until it is stopped: then the rest is read on and not sent. It fails with what
 * reading fails with, when everything before has its verdict.
 */
export const submitRows = <R>(
  rows: Stream.Stream<Row, CliError, R>,
  { flush, isEndless, isFull, onResult, stop, abort, ...options }: Options
): Effect.Effect<SubmitResult, CliError, R | MeteringClient | Scope.Scope> =>
  Effect.gen(function* () {
    const read = yield* Mailbox.make<Row, CliError>({ capacity: readAheadRows })
    yield* Stream.runForEachChunk(rows, (chunk) => read.offerAll(chunk)).pipe(
      Mailbox.into(read),
      Effect.forkScoped
    )
    /** By the index that the submission knows them by. */
    const pending = new Map<number, Row>()
    let next = 0
    const failure = yield* Deferred.make<CliError>()
    // calls are under way: their records are still to be told of
    const tryFlush = Effect.catchAll(flush, (error) => Deferred.succeed(failure, error))
    const flushIfFull = Effect.suspend(() => (isFull() ? tryFlush : Effect.void))
    yield* Effect.sleep(flushInterval).pipe(
      Effect.zipRight(tryFlush),
      Effect.forever,
      Effect.forkScoped
    )

    const emitResult = (row: Row, outcome: rowOutcome.RowOutcome, record?: PartialUsage) =>
      onResult({
        row,
        outcome,
        record: record ?? Option.getOrUndefined(Either.getRight(row.content))?.record
      })

    /** Takes over what can be submitted, and settles what cannot be read. */
    const enqueue = (row: Row) =>
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
        // each index is told once
        if (row === undefined) continue
        pending.delete(outcome.index)
        emitResult(row, rowOutcome.fromOutcome(outcome, row), outcome.record)
      }
    }

    // what was taken is not lost when the submission is given up in between
    const take = Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(read.takeAll), {
        onFailure: (failure) => Effect.fail(Option.some(failure)),
        onSuccess: ([taken, isDone]) =>
          isDone && Chunk.isEmpty(taken)
            ? Effect.fail(Option.none())
            : Effect.succeed(Chunk.filterMap(taken, enqueue))
      })
    )

    // rows that cannot be read are settled by reading alone
    const pull = Effect.zipRight(flushIfFull, take)

    const ended = yield* UsageSubmission.submit(Stream.repeatEffectChunkOption(pull), {
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
    // never handed over
    for (const row of pending.values()) emitResult(row, rowOutcome.notSentAfterStop)
    const emitNotSent = (rest: Chunk.Chunk<Row>) => {
      for (const row of rest) emitResult(row, rowOutcome.notSentAfterStop)
      return Effect.as(flushIfFull, Chunk.isEmpty(rest))
    }
    const emitAllNotSent = (rows: Effect.Effect<Chunk.Chunk<Row>, CliError>) =>
      Effect.flatMap(rows, emitNotSent).pipe(Effect.repeat({ until: (isAtEnd) => isAtEnd }))
    // of an endless source, only what has come in already
    const drained = yield* emitAllNotSent(
      isEndless ? read.clear : Effect.map(read.takeAll, ([rest]) => rest)
    ).pipe(Effect.as(false), Effect.raceFirst(Effect.as(abort, true)), Effect.exit)
    const isAborted = Exit.isSuccess(drained) && drained.value
    if (isAborted) yield* Effect.ignore(Effect.flatMap(read.clear, emitNotSent))
    yield* tryFlush
    yield* ended
    // where the submission had been stopped before
    yield* drained
    return {
      isFullyRead: Option.isNone(yield* read.size),
      flushError: yield* Effect.transposeOption(yield* Deferred.poll(failure))
    }
  })
