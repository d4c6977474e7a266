/** Rows in, and of each row a verdict: nothing is dropped, also when it is stopped. */
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
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
}

export interface Options
  extends Pick<UsageSubmission.Options, "productCode" | "rate" | "schedule" | "progress"> {
  readonly stop: Effect.Effect<unknown>
  /** Whether reading on after a stop might never come to an end. */
  readonly isEndless: boolean
  readonly onSettled: (settled: Settled) => void
  /** Runs after some rows have been settled. Its failure stops the submission as `stop` does. */
  readonly flush: Effect.Effect<void, Failure>
}

/** How it came to its end. */
export interface Ended {
  readonly isReadToItsEnd: boolean
  /** What `flush` failed with, if it did. */
  readonly notFlushed: Option.Option<Failure>
}

/** So many rows are read ahead of the submission's own buffer. */
const readAhead = 1_024

/**
 * Submits rows until their end, or until it is stopped: then the rest is read on and not sent. It fails with what
 * reading fails with, when everything before has its verdict.
 */
export const submitRows = <R>(
  rows: Stream.Stream<Row, Failure, R>,
  { flush, isEndless, onSettled, stop, ...options }: Options
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
    const pull = Effect.uninterruptibleMask((restore) =>
      Effect.matchEffect(restore(read.takeAll), {
        onFailure: (failure) => Effect.fail(Option.some(failure)),
        onSuccess: ([taken, isDone]) =>
          isDone && Chunk.isEmpty(taken)
            ? Effect.fail(Option.none())
            : Effect.succeed(Chunk.filterMap(taken, admit))
      })
    )

    const ended = yield* UsageSubmission.submit(Stream.repeatEffectChunkOption(pull), {
      ...options,
      stop: Effect.raceFirst(stop, Deferred.await(failure)),
      onInterrupt: (outcomes) => Effect.sync(() => settleAll(outcomes))
    }).pipe(
      Stream.runForEachChunk((outcomes) => {
        settleAll(outcomes)
        return flushed
      }),
      Effect.exit
    )
    // never handed over
    for (const row of pending.values()) settle(row, verdict.stopped)
    // of an endless source, only what has come in already
    const readOn = yield* Effect.flatMap(
      isEndless ? read.clear : Effect.map(read.takeAll, ([rest]) => rest),
      (rest) => {
        for (const row of rest) settle(row, verdict.stopped)
        return Effect.as(flushed, Chunk.isEmpty(rest))
      }
    ).pipe(Effect.repeat({ until: (isAtEnd) => isAtEnd }), Effect.exit)
    yield* flushed
    yield* ended
    // where the submission had been stopped before
    yield* readOn
    return {
      isReadToItsEnd: Option.isNone(yield* read.size),
      notFlushed: yield* Effect.transposeOption(yield* Deferred.poll(failure))
    }
  })
