/** The fibers of a submission: one reads the source, some make calls, and the consumer of the stream takes outcomes. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Stream from "effect/Stream"
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import { MeteringClient } from "../../MeteringClient.js"
import type { Outcome } from "../../UsageOutcome.js"
import { type Batch, requestProductCode } from "./batch.js"
import { isCallError } from "./classifyError.js"
import * as clockReading from "./clockReading.js"
import type { Input } from "./prepareRecord.js"
import * as scheduler from "./scheduler.js"

export interface RuntimeOptions extends scheduler.SchedulerOptions {
  readonly concurrency: number
  readonly stop: Effect.Effect<unknown> | undefined
  /** Milliseconds. */
  readonly gracePeriod: number
  readonly onInterrupt: ((outcomes: ReadonlyArray<Outcome>) => Effect.Effect<unknown>) | undefined
  readonly onProgress:
    | ((state: scheduler.SchedulerState, elapsedMillis: number) => Effect.Effect<void>)
    | undefined
}

/** Maximum number of outcomes that wait for the consumer. At this limit, no call is made and no record is read. */
const maxBufferedOutcomes = 1_000

/**
 * Maximum sleep in milliseconds. Workers wake up at least this often, because a system clock that is set forward brings
 * deadlines nearer.
 */
const maxSleepMillis = 60_000

/** Runs a submission. With `readsToEnd` the source is read to its end even after a stop. */
export const run = <E, R>(
  source: Stream.Stream<Input, E, R>,
  options: RuntimeOptions,
  { readsToEnd }: { readonly readsToEnd: boolean }
): Stream.Stream<Outcome, E, R | MeteringClient> =>
  Stream.suspend(() => {
    const handlerFailure: HandlerFailure = { cause: undefined }
    return Stream.ensuring(
      pullOutcomes(source, options, readsToEnd, handlerFailure),
      Effect.suspend(() =>
        handlerFailure.cause === undefined ? Effect.void : Effect.failCause(handlerFailure.cause)
      )
    )
  })

/** The failure of `onInterrupt`. It is kept here, because a stream drops the defects of its scope's finalizers. */
interface HandlerFailure {
  cause: Cause.Cause<never> | undefined
}

const pullOutcomes = <E, R>(
  source: Stream.Stream<Input, E, R>,
  options: RuntimeOptions,
  readsToEnd: boolean,
  handlerFailure: HandlerFailure
): Stream.Stream<Outcome, E, R | MeteringClient> =>
  Stream.fromPull(
    Effect.gen(function* () {
      const client = yield* MeteringClient
      const clock = yield* Effect.clock
      const now = clockReading.make(clock)
      const startedAt = now()
      const submission = scheduler.make(options)
      const { outcomes } = submission

      /** Opened when there may be a call to make. */
      const work = Effect.unsafeMakeLatch()
      /** Opened when another record may be read. */
      const inputCapacity = Effect.unsafeMakeLatch()
      /** Opened when another outcome may be buffered. */
      const outcomeCapacity = Effect.unsafeMakeLatch()
      /** Opened when there may be an outcome to take, or the submission may be done. */
      const outcomesReady = Effect.unsafeMakeLatch()
      const notifyOutcomes = () => {
        inputCapacity.unsafeOpen()
        outcomeCapacity.unsafeOpen()
        outcomesReady.unsafeOpen()
      }
      const notifyAll = () => {
        work.unsafeOpen()
        notifyOutcomes()
      }

      let failure: Cause.Cause<E> | undefined
      let isStopping = false
      /** The time by which the source has to end after a stop, in monotonic milliseconds. */
      let graceUntil = Number.POSITIVE_INFINITY

      const { onProgress } = options
      const reportProgress =
        onProgress === undefined
          ? Effect.void
          : Effect.suspend(() =>
              onProgress(submission.state(), now().monotonic - startedAt.monotonic)
            )

      // -------------------------------------------------------------------------------------------
      // source
      // -------------------------------------------------------------------------------------------

      const isBelowOutcomeLimit = () => outcomes.length < maxBufferedOutcomes
      const hasRoom = () => submission.hasRoom() && isBelowOutcomeLimit()

      /** The chunk that was read last, and the position of its next record. */
      let inputs: ReadonlyArray<Input> = []
      let position = 0
      const offer = (time: clockReading.ClockReading) => {
        // callers check that the position is within the chunk
        submission.offer(inputs[position++] as Input, time)
      }

      const offerRemaining: Effect.Effect<void> = Effect.suspend(() => {
        const time = now()
        const from = position
        while (position < inputs.length && hasRoom()) offer(time)
        if (position > from) {
          work.unsafeOpen()
          outcomesReady.unsafeOpen()
        }
        return position < inputs.length
          ? reportProgress.pipe(
              Effect.zipRight(waitUntil(inputCapacity, hasRoom)),
              Effect.zipRight(offerRemaining)
            )
          : reportProgress
      })

      const offerChunk = (chunk: Chunk.Chunk<Input>) =>
        Effect.suspend(() => {
          inputs = Chunk.toReadonlyArray(chunk)
          position = 0
          return offerRemaining
        })

      /** Offers the rest of the last chunk, so that each of its records gets an outcome, and ends the input. */
      const endInput = () => {
        while (position < inputs.length) offer(now())
        submission.endInput()
      }

      /** Stops reading, without waiting for the source, which may be in an uninterruptible region. */
      const stopReading = Effect.suspend(() => {
        endInput()
        // interrupts the reader before it notifies, so that the reader offers no record in between
        return Effect.zipRight(
          Effect.fiberIdWith((id) => Fiber.interruptAsFork(reader, id)),
          Effect.sync(notifyAll)
        )
      })

      const readSource = Stream.runForEachChunk(source, offerChunk).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isFailure(exit) && !(isStopping && Cause.isInterruptedOnly(exit.cause))) {
              failure ??= exit.cause
            }
            endInput()
            notifyAll()
          })
        ),
        Effect.exit
      )

      // -------------------------------------------------------------------------------------------
      // calls
      // -------------------------------------------------------------------------------------------

      const call = (batch: Batch) =>
        Effect.suspend(() => {
          const productCode = requestProductCode(batch.items)
          const usageRecords = batch.items.map(({ record }) => record)
          return client.batchMeterUsage(
            productCode === undefined ? { usageRecords } : { productCode, usageRecords }
          )
        })

      /** Ends the submission with a defect, after every record that was read has an outcome. */
      const failWithDefect = (cause: Cause.Cause<unknown>) =>
        Effect.suspend(() => {
          // typed errors were handled: only defects and interruptions are left
          failure ??= cause as Cause.Cause<never>
          isStopping = true
          graceUntil = Math.min(graceUntil, now().monotonic + options.gracePeriod)
          submission.stop()
          return stopReading
        })

      const handleExit = (
        batch: Batch,
        exit: Exit.Exit<BatchMeterUsageResponse, BatchMeterUsageError>
      ): ReadonlyArray<scheduler.RetryRequest> => {
        if (Exit.isSuccess(exit)) return submission.onResponse(batch, exit.value, now())
        const error = Cause.failureOption(exit.cause)
        if (Option.isSome(error) && isCallError(error.value)) {
          return submission.onError(batch, error.value, now())
        }
        submission.onInterrupt(batch)
        return []
      }

      const send = Effect.fnUntraced(function* (batch: Batch) {
        const sentAt = now()
        const exit = yield* Effect.exit(call(batch))
        for (const request of handleExit(batch, exit)) {
          const decision = yield* nextRetry(options, request, now().monotonic)
          submission.onRetryDecision(request, decision, sentAt, now())
        }
        const defect = defectOf(exit)
        if (defect !== undefined) yield* failWithDefect(defect)
        notifyAll()
        yield* reportProgress
        yield* waitUntil(outcomeCapacity, isBelowOutcomeLimit)
      })

      /** The time at which the sleeping worker wakes up. */
      let timerUntil = Number.POSITIVE_INFINITY

      /** Waits for work or until a time. One sleeping worker is enough, so the others wait for work only. */
      const waitForWork = (until: number, time: number) => {
        if (until >= timerUntil) return work.await
        timerUntil = until
        // rounded up: a sleep with a fraction of a millisecond can end early, and the worker would loop without a pause
        const sleepMillis = Math.min(Math.ceil(until - time), maxSleepMillis)
        return Effect.raceFirst(work.await, Effect.sleep(sleepMillis)).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              timerUntil = Number.POSITIVE_INFINITY
            })
          )
        )
      }

      const worker = Effect.gen(function* () {
        for (;;) {
          const time = now()
          const before = outcomes.length
          work.unsafeClose()
          const action = submission.nextAction(time)
          // records may have expired
          if (outcomes.length > before) notifyOutcomes()
          if (action._tag === "Wait") {
            yield* waitForWork(action.until, time.monotonic)
            continue
          }
          // opened again, because another worker may have checked for work before this worker closed the latch
          work.unsafeOpen()
          if (action._tag === "Done") return
          yield* send(action.batch)
        }
      })

      // -------------------------------------------------------------------------------------------
      // fibers
      // -------------------------------------------------------------------------------------------

      // forked fibers inherit an uninterruptible region, hence `interruptible`
      const reader = yield* Effect.acquireRelease(
        Effect.forkDaemon(Effect.interruptible(readSource)),
        (reader) =>
          Effect.suspend(
            (): Effect.Effect<unknown> =>
              graceUntil === Number.POSITIVE_INFINITY
                ? Fiber.interrupt(reader)
                : Fiber.interrupt(reader).pipe(
                    Effect.disconnect,
                    Effect.timeoutOption(Math.max(0, graceUntil - now().monotonic)),
                    // in a separate fiber, because finalizers are uninterruptible and the timeout has to interrupt
                    Effect.interruptible,
                    Effect.forkDaemon,
                    Effect.flatMap(Fiber.await)
                  )
          )
      )
      const workers = yield* Effect.all(
        Array.from({ length: options.concurrency }, () => worker),
        { concurrency: "unbounded", discard: true }
      ).pipe(
        Effect.catchAllCause((cause) =>
          Effect.zipRight(
            failWithDefect(cause),
            Effect.sync(() => {
              submission.abandonInFlight()
              notifyAll()
            })
          )
        ),
        Effect.interruptible,
        Effect.forkScoped
      )

      const stopAfter = Effect.fnUntraced(function* (stop: Effect.Effect<unknown>) {
        const stopExit = yield* Effect.exit(stop)
        // a failed `stop` stops as well
        if (Exit.isFailure(stopExit)) failure ??= stopExit.cause
        isStopping = true
        graceUntil = Math.min(graceUntil, now().monotonic + options.gracePeriod)
        submission.stop()
        if (!readsToEnd) yield* stopReading
        notifyAll()
        yield* Effect.sleep(options.gracePeriod)
        yield* Fiber.interrupt(workers)
        submission.abandonInFlight()
        notifyAll()
      })
      if (options.stop !== undefined) {
        yield* Effect.forkScoped(Effect.interruptible(stopAfter(options.stop)))
      }

      // ------------------------------------------------------------------------------------------- outcomes: an array and
      // not a Mailbox, because the synchronous scheduler adds to it and `onInterrupt` takes the rest
      // -------------------------------------------------------------------------------------------

      /** The outcome that was emitted last, until the consumer asks for more. */
      let lastTaken: Outcome | undefined
      const { onInterrupt } = options
      const takeOutcomes =
        onInterrupt === undefined
          ? () => Chunk.unsafeFromArray(outcomes.splice(0))
          : () => Chunk.of((lastTaken = outcomes.shift() as Outcome))

      if (onInterrupt !== undefined) {
        yield* Effect.addFinalizer(
          Effect.fnUntraced(function* (exit) {
            // a consumer that succeeded has processed the last outcome
            const unconfirmed = Exit.isSuccess(exit) || lastTaken === undefined ? [] : [lastTaken]
            if (submission.isDone() && outcomes.length === 0 && unconfirmed.length === 0) return
            isStopping = true
            yield* Fiber.interrupt(workers)
            yield* stopReading
            submission.abandonInFlight()
            const handlerExit = yield* Effect.exit(
              onInterrupt([...unconfirmed, ...outcomes.splice(0)])
            )
            if (Exit.isFailure(handlerExit)) handlerFailure.cause = handlerExit.cause
          })
        )
      }

      const takeOrEnd = Effect.suspend(
        (): Effect.Effect<Chunk.Chunk<Outcome>, Option.Option<E>> => {
          if (outcomes.length > 0) {
            const chunk = takeOutcomes()
            inputCapacity.unsafeOpen()
            outcomeCapacity.unsafeOpen()
            return Effect.succeed(chunk)
          }
          return failure === undefined
            ? Effect.fail(Option.none())
            : Effect.failCause(Cause.map(failure, Option.some))
        }
      )

      return Effect.suspend(() => {
        lastTaken = undefined
        return Effect.zipRight(
          waitUntil(outcomesReady, () => outcomes.length > 0 || submission.isDone()),
          takeOrEnd
        )
      })
    })
  )

/**
 * Waits until a condition holds. All waiters of a latch wait for the same condition. The latch is closed before the
 * condition is checked, so that an opening after the check is not missed.
 */
const waitUntil = (latch: Effect.Latch, isReady: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    latch.unsafeClose()
    if (!isReady()) return Effect.zipRight(latch.await, waitUntil(latch, isReady))
    latch.unsafeOpen()
    return Effect.void
  })

/**
 * Returns the defect of a call, if there is one. An error that is not in the type of a call, from a custom client, is a
 * defect too.
 */
const defectOf = (exit: Exit.Exit<unknown, BatchMeterUsageError>) => {
  if (Exit.isSuccess(exit)) return undefined
  const error = Cause.failureOption(exit.cause)
  return Option.isSome(error) && !isCallError(error.value)
    ? Cause.die(error.value)
    : Cause.isDie(exit.cause)
      ? exit.cause
      : undefined
}

/** Returns the time of the next attempt, or `undefined` if the schedule allows none. */
const nextRetry = (
  { schedule }: RuntimeOptions,
  { error, retryState }: scheduler.RetryRequest,
  now: number
): Effect.Effect<scheduler.RetryDecision | undefined> =>
  Effect.map(schedule.step(now, error, retryState), ([retryState, , decision]) =>
    ScheduleDecision.isContinue(decision)
      ? { at: ScheduleIntervals.start(decision.intervals), retryState }
      : undefined
  )
