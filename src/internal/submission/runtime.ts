/** The fibers of a submission: one reads, some make calls, and whoever takes outcomes drives them all. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import * as Stream from "effect/Stream"
import type { BatchMeterUsageError, BatchMeterUsageResponse } from "../../BatchMeterUsage.js"
import { MeteringClient } from "../../MeteringClient.js"
import type { Input, Outcome } from "../../UsageSubmission.js"
import type { Batch } from "./batch.js"
import * as clockReading from "./clockReading.js"
import * as condition from "./condition.js"
import { progressOf } from "./progress.js"
import type { ResolvedOptions } from "./resolveOptions.js"
import * as scheduler from "./scheduler.js"

/** So many outcomes may wait to be taken; then nothing is sent or read until some are. */
const maxBufferedOutcomes = 1_000

/** So many milliseconds later it is seen, at the latest, that the clock was set and a deadline is nearer. */
const maxSleepMillis = 60_000

/** A source that `isDrained` is read to its end although no more calls are made. */
export const run = <E, R>(
  source: Stream.Stream<Input, E, R>,
  options: ResolvedOptions,
  { isDrained }: { readonly isDrained: boolean }
): Stream.Stream<Outcome, E, R | MeteringClient> =>
  Stream.suspend(() => {
    const handlerFailure: HandlerFailure = { cause: undefined }
    return Stream.ensuring(
      pullOutcomes(source, options, isDrained, handlerFailure),
      Effect.suspend(() =>
        handlerFailure.cause === undefined ? Effect.void : Effect.failCause(handlerFailure.cause)
      )
    )
  })

/** A scope that is closed by a stream would keep a defect of its finalizers to itself. */
interface HandlerFailure {
  /** What `onInterrupt` ended with, where it did not end well. */
  cause: Cause.Cause<never> | undefined
}

const pullOutcomes = <E, R>(
  source: Stream.Stream<Input, E, R>,
  options: ResolvedOptions,
  isDrained: boolean,
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

      /** There may be a call to make. */
      const work = condition.make()
      /** There may be room for records and outcomes. */
      const capacity = condition.make()
      /** There may be outcomes to take. */
      const outcomesReady = condition.make()
      const notifyOutcomes = () => {
        capacity.notifyAll()
        outcomesReady.notifyAll()
      }
      const notifyAll = () => {
        work.notifyAll()
        notifyOutcomes()
      }

      let failure: Cause.Cause<E> | undefined
      let isStopping = false
      /** Until when the source may take to end, once it is not read any further. */
      let graceUntil = Number.POSITIVE_INFINITY

      const { progress } = options
      const reportProgress =
        progress === undefined
          ? Effect.void
          : Effect.suspend(() =>
              Ref.set(
                progress,
                progressOf(submission.state(), options.total, now().monotonic - startedAt.monotonic)
              )
            )

      // -------------------------------------------------------------------------------------------
      // reading
      // -------------------------------------------------------------------------------------------

      const hasRoom = () => submission.hasRoom() && outcomes.length < maxBufferedOutcomes

      /** What has left the source. */
      let inputs: ReadonlyArray<Input> = []
      let position = 0
      const offer = (time: clockReading.ClockReading) => {
        // the place is within the chunk
        submission.offer(inputs[position++] as Input, time)
      }

      const offerChunk = (chunk: Chunk.Chunk<Input>) => {
        inputs = Chunk.toReadonlyArray(chunk)
        position = 0
        const offerRemaining: Effect.Effect<void> = Effect.suspend(() => {
          const seen = capacity.version()
          const time = now()
          const from = position
          while (position < inputs.length && hasRoom()) offer(time)
          if (position > from) {
            work.notifyAll()
            outcomesReady.notifyAll()
          }
          return position < inputs.length
            ? Effect.zipRight(
                Effect.zipRight(reportProgress, capacity.waitSince(seen)),
                offerRemaining
              )
            : reportProgress
        })
        return offerRemaining
      }

      /** Reads no further. The source is not waited for: it may be in the midst of what cannot be interrupted. */
      const stopReading = Effect.suspend(() => {
        // what has left the source is not forgotten
        while (position < inputs.length) offer(now())
        submission.endInput()
        // told at once, so that it reads nothing in between
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
            // what has left the source is not forgotten
            while (position < inputs.length) offer(now())
            submission.endInput()
            notifyAll()
          })
        ),
        Effect.exit
      )

      // -------------------------------------------------------------------------------------------
      // calling
      // -------------------------------------------------------------------------------------------

      const call = (batch: Batch) =>
        Effect.suspend(() => {
          const productCode = scheduler.requestProductCode(batch.entries)
          const usageRecords = batch.entries.map(({ record }) => record)
          return client.batchMeterUsage(
            productCode === undefined ? { usageRecords } : { productCode, usageRecords }
          )
        })

      /** A defect is nobody's outcome: it ends everything, once all that was read has one. */
      const failWithDefect = (cause: Cause.Cause<unknown>) =>
        Effect.suspend(() => {
          // only defects and interruptions are left in it
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
        if (Option.isSome(error)) return submission.onError(batch, error.value, now())
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
        if (Exit.isFailure(exit) && Cause.isDie(exit.cause)) yield* failWithDefect(exit.cause)
        notifyAll()
        yield* reportProgress
        for (
          let seen = capacity.version();
          outcomes.length >= maxBufferedOutcomes;
          seen = capacity.version()
        ) {
          yield* capacity.waitSince(seen)
        }
      })

      /** Until when the one who watches the clock sleeps. */
      let timerUntil = Number.POSITIVE_INFINITY

      /** Waits for a signal, or for a time if nobody else does: one of them is enough to see that it has come. */
      const waitForWork = (seen: number, until: number, time: number) => {
        if (until >= timerUntil) return work.waitSince(seen)
        timerUntil = until
        // a clock that is as exact as its durations would wake up a part of a nanosecond early, for ever
        const sleepMillis = Math.min(Math.ceil(until - time), maxSleepMillis)
        return Effect.raceFirst(work.waitSince(seen), Effect.sleep(sleepMillis)).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              timerUntil = Number.POSITIVE_INFINITY
            })
          )
        )
      }

      const worker = Effect.gen(function* () {
        for (;;) {
          const seen = work.version()
          const time = now()
          const before = outcomes.length
          const action = submission.nextAction(time)
          // some may have been found too late to be sent
          if (outcomes.length > before) notifyOutcomes()
          if (action._tag === "Done") return
          if (action._tag === "Wait") {
            yield* waitForWork(seen, action.until, time.monotonic)
            continue
          }
          // another one may have something to do, or has to watch the clock
          work.notifyAll()
          yield* send(action.batch)
        }
      })

      // -------------------------------------------------------------------------------------------
      // all of them
      // -------------------------------------------------------------------------------------------

      // what starts them may not be interruptible, and they would inherit that
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
                    // in a fiber of its own, for a scope is closed where nothing can be interrupted
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
        // it is stopped all the same
        if (Exit.isFailure(stopExit)) failure ??= stopExit.cause
        isStopping = true
        graceUntil = Math.min(graceUntil, now().monotonic + options.gracePeriod)
        submission.stop()
        if (!isDrained) yield* stopReading
        notifyAll()
        yield* Effect.sleep(options.gracePeriod)
        yield* Fiber.interrupt(workers)
        submission.abandonInFlight()
        notifyAll()
      })
      if (options.stop !== undefined) {
        yield* Effect.forkScoped(Effect.interruptible(stopAfter(options.stop)))
      }

      /** Handed over, and not known to have been dealt with until more is asked for. */
      let lastTaken: Outcome | undefined
      const { onInterrupt } = options
      const takeOutcomes =
        onInterrupt === undefined
          ? () => Chunk.unsafeFromArray(outcomes.splice(0))
          : () => Chunk.of((lastTaken = outcomes.shift() as Outcome))

      if (onInterrupt !== undefined) {
        yield* Effect.addFinalizer(
          Effect.fnUntraced(function* (exit) {
            // who ends well has dealt with what was handed over
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

      const pull: Effect.Effect<Chunk.Chunk<Outcome>, Option.Option<E>> = Effect.suspend(() => {
        lastTaken = undefined
        const seen = outcomesReady.version()
        if (outcomes.length > 0) {
          const chunk = takeOutcomes()
          capacity.notifyAll()
          return Effect.succeed(chunk)
        }
        if (!submission.isDone()) return Effect.zipRight(outcomesReady.waitSince(seen), pull)
        return failure === undefined
          ? Effect.fail(Option.none())
          : Effect.failCause(Cause.map(failure, Option.some))
      })
      return pull
    })
  )

/** When what is left of a call may go again, by the schedule; nothing when it may not. */
const nextRetry = (
  { schedule }: ResolvedOptions,
  { error, retryState }: scheduler.RetryRequest,
  now: number
): Effect.Effect<scheduler.RetryDecision | undefined> =>
  Effect.map(schedule.step(now, error, retryState), ([retryState, , decision]) =>
    ScheduleDecision.isContinue(decision)
      ? { at: ScheduleIntervals.start(decision.intervals), retryState }
      : undefined
  )
