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
import * as UsageSubmission from "../../UsageSubmission.js"
import type { Failure } from "./failure.js"
import type { Row } from "./rows.js"
import type { Counted } from "./tally.js"
import * as verdict from "./verdict.js"

/** A row that has its verdict. */
export interface Settled {
  readonly row: Row
  readonly verdict: verdict.Verdict
  readonly record: Counted | undefined
  /** True if it says the same as an earlier row, with which it is billed once. */
  readonly isRepeated?: boolean
}

export interface Options
  extends Pick<UsageSubmission.Options, "productCode" | "rate" | "schedule" | "progress"> {
  /** Asks for an end in good order: calls under way are awaited. */
  readonly stop: Effect.Effect<unknown>
  /** Asks for an end at once: what is under way is not awaited, and no more is read. */
  readonly stopAtOnce: Effect.Effect<unknown>
  /** Whether reading on after a stop might never come to an end. */
  readonly isEndless: boolean
  readonly onSettled: (settled: Settled) => void
  /** Writes what is held of settled rows. Its failure stops the submission as `stop` does. */
  readonly flush: Effect.Effect<void, Failure>
  /** True if the rows that are held must be written before more are settled. */
  readonly isFull: () => boolean
}

/** How it came to its end. */
export interface Ended {
  readonly isReadToItsEnd: boolean
  /** What `flush` failed with, if it did. */
  readonly notFlushed: Option.Option<Failure>
}

/** Rows that are read ahead of the submission's own buffer. */
const readAhead = 1_024

/** The longest time that settled rows are held before they are written. */
const flushEvery = "100 millis"

/**
 * Submits rows until their end, or until it is stopped: then the rest is read on and not sent. It fails with what
 * reading fails with, when everything before has its verdict.
 */
export const submitRows = <R>(
  rows: Stream.Stream<Row, Failure, R>,
  { flush, isEndless, isFull, onSettled, stop, stopAtOnce, ...options }: Options
): Effect.Effect<Ended, Failure, R | MeteringClient | Scope.Scope> =>
  Effect.gen(function* () {
    const read = yield* Mailbox.make<Row, Failure>({ capacity: readAhead })
    yield* Stream.runForEachChunk(rows, (chunk) => read.offerAll(chunk)).pipe(
      Mailbox.into(read),
      Effect.forkScoped
    )
    /** By the index that the submission knows them by. */
    const pending = new Map<number, Row>()
    let next = 0
    const failure = yield* Deferred.make<Failure>()
    // calls are under way: their records are still to be told of
    const flushed = Effect.catchAll(flush, (error) => Deferred.succeed(failure, error))
    const flushedIfFull = Effect.suspend(() => (isFull() ? flushed : Effect.void))
    yield* Effect.sleep(flushEvery).pipe(
      Effect.zipRight(flushed),
      Effect.forever,
      Effect.forkScoped
    )

    const settle = (row: Row, verdict: verdict.Verdict, record?: Counted) =>
      onSettled({
        row,
        verdict,
        record: record ?? Option.getOrUndefined(Either.getRight(row.content))?.record
      })

    /** Takes over what can be submitted, and settles what cannot be read. */
    const admit = (row: Row) =>
      Either.match(row.content, {
        onLeft: (reason) => {
          settle(row, verdict.unreadable(reason))
          return Option.none()
        },
        onRight: (item) => {
          pending.set(next++, row)
          return Option.some(item)
        }
      })

    const settleAll = (outcomes: Iterable<UsageSubmission.Outcome>) => {
      for (const outcome of outcomes) {
        const row = pending.get(outcome.index)
        // each index is told once
        if (row === undefined) continue
        pending.delete(outcome.index)
        settle(row, verdict.of(outcome, row), outcome.record)
      }
    }

    // what was taken is not lost when the submission is given up in between
    const take = Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(read.takeAll), {
        onFailure: (failure) => Effect.fail(Option.some(failure)),
        onSuccess: ([taken, isDone]) =>
          isDone && Chunk.isEmpty(taken)
            ? Effect.fail(Option.none())
            : Effect.succeed(Chunk.filterMap(taken, admit))
      })
    )

    // rows that cannot be read are settled by reading alone
    const pull = Effect.zipRight(flushedIfFull, take)

    const ended = yield* UsageSubmission.submit(Stream.repeatEffectChunkOption(pull), {
      ...options,
      stop: Effect.raceFirst(stop, Deferred.await(failure)),
      onInterrupt: (outcomes) => Effect.sync(() => settleAll(outcomes))
    }).pipe(
      Stream.runForEachChunk((outcomes) => {
        settleAll(outcomes)
        return flushedIfFull
      }),
      Effect.raceFirst(stopAtOnce),
      Effect.exit
    )
    // never handed over
    for (const row of pending.values()) settle(row, verdict.stopped)
    const settleRest = (rest: Chunk.Chunk<Row>) => {
      for (const row of rest) settle(row, verdict.stopped)
      return Effect.as(flushedIfFull, Chunk.isEmpty(rest))
    }
    const settleAllOf = (rows: Effect.Effect<Chunk.Chunk<Row>, Failure>) =>
      Effect.flatMap(rows, settleRest).pipe(Effect.repeat({ until: (isAtEnd) => isAtEnd }))
    // of an endless source, only what has come in already
    const readOn = yield* settleAllOf(
      isEndless ? read.clear : Effect.map(read.takeAll, ([rest]) => rest)
    ).pipe(Effect.as(false), Effect.raceFirst(Effect.as(stopAtOnce, true)), Effect.exit)
    const isCut = Exit.isSuccess(readOn) && readOn.value
    if (isCut) yield* Effect.ignore(Effect.flatMap(read.clear, settleRest))
    yield* flushed
    yield* ended
    // where the submission had been stopped before
    yield* readOn
    return {
      isReadToItsEnd: Option.isNone(yield* read.size),
      notFlushed: yield* Effect.transposeOption(yield* Deferred.poll(failure))
    }
  })
