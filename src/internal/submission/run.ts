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
import * as dispatching from "./dispatch.js"
import * as moment from "./moment.js"
import type { Parcel } from "./parcel.js"
import { progressOf } from "./report.js"
import type { Settings } from "./settings.js"
import * as signal from "./signal.js"

/** So many outcomes may wait to be taken; then nothing is sent or read until some are. */
const outcomesHeld = 1_000

/** So many milliseconds later it is seen, at the latest, that the clock was set and a deadline is nearer. */
const longestSleep = 60_000

/** A source that `isDrained` is read to its end although no more calls are made. */
export const run = <E, R>(
  source: Stream.Stream<Input, E, R>,
  settings: Settings,
  { isDrained }: { readonly isDrained: boolean }
): Stream.Stream<Outcome, E, R | MeteringClient> =>
  Stream.suspend(() => {
    const fault: Fault = { ofHandler: undefined }
    return Stream.ensuring(
      pulled(source, settings, isDrained, fault),
      Effect.suspend(() =>
        fault.ofHandler === undefined ? Effect.void : Effect.failCause(fault.ofHandler)
      )
    )
  })

/** A scope that is closed by a stream would keep a defect of its finalizers to itself. */
interface Fault {
  /** What `onInterrupt` ended with, where it did not end well. */
  ofHandler: Cause.Cause<never> | undefined
}

const pulled = <E, R>(
  source: Stream.Stream<Input, E, R>,
  settings: Settings,
  isDrained: boolean,
  fault: Fault
): Stream.Stream<Outcome, E, R | MeteringClient> =>
  Stream.fromPull(
    Effect.gen(function* () {
      const client = yield* MeteringClient
      const clock = yield* Effect.clock
      const now = moment.make(clock)
      const startedAt = now()
      const dispatch = dispatching.make(settings)
      const { outcomes } = dispatch

      /** There may be a call to make. */
      const work = signal.make()
      /** There may be room for records and outcomes. */
      const room = signal.make()
      /** There may be outcomes to take. */
      const told = signal.make()
      const settled = () => {
        room.give()
        told.give()
      }
      const changed = () => {
        work.give()
        settled()
      }

      let failure: Cause.Cause<E> | undefined
      let isStopping = false
      /** Until when the source may take to end, once it is not read any further. */
      let graceUntil = Number.POSITIVE_INFINITY

      const { progress } = settings
      const report =
        progress === undefined
          ? Effect.void
          : Effect.suspend(() =>
              Ref.set(
                progress,
                progressOf(dispatch.state(), settings.total, now().steady - startedAt.steady)
              )
            )

      // -------------------------------------------------------------------------------------------
      // reading
      // -------------------------------------------------------------------------------------------

      const hasRoom = () => dispatch.hasRoom() && outcomes.length < outcomesHeld

      /** What has left the source. */
      let inputs: ReadonlyArray<Input> = []
      let place = 0
      const offer = (time: moment.Moment) => {
        // the place is within the chunk
        dispatch.offer(inputs[place++] as Input, time)
      }

      const read = (chunk: Chunk.Chunk<Input>) => {
        inputs = Chunk.toReadonlyArray(chunk)
        place = 0
        const some: Effect.Effect<void> = Effect.suspend(() => {
          const seen = room.count()
          const time = now()
          const from = place
          while (place < inputs.length && hasRoom()) offer(time)
          if (place > from) {
            work.give()
            told.give()
          }
          return place < inputs.length
            ? Effect.zipRight(Effect.zipRight(report, room.after(seen)), some)
            : report
        })
        return some
      }

      /** Reads no further. The source is not waited for: it may be in the midst of what cannot be interrupted. */
      const endReading = Effect.suspend(() => {
        // what has left the source is not forgotten
        while (place < inputs.length) offer(now())
        dispatch.end()
        // told at once, so that it reads nothing in between
        return Effect.zipRight(
          Effect.fiberIdWith((id) => Fiber.interruptAsFork(reader, id)),
          Effect.sync(changed)
        )
      })

      const reading = Stream.runForEachChunk(source, read).pipe(
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isFailure(exit) && !(isStopping && Cause.isInterruptedOnly(exit.cause))) {
              failure ??= exit.cause
            }
            // what has left the source is not forgotten
            while (place < inputs.length) offer(now())
            dispatch.end()
            changed()
          })
        ),
        Effect.exit
      )

      // -------------------------------------------------------------------------------------------
      // calling
      // -------------------------------------------------------------------------------------------

      const call = (parcel: Parcel) =>
        Effect.suspend(() => {
          const productCode = dispatching.sentProductOf(parcel.entries)
          const usageRecords = parcel.entries.map(({ record }) => record)
          return client.batchMeterUsage(
            productCode === undefined ? { usageRecords } : { productCode, usageRecords }
          )
        })

      /** A defect is nobody's outcome: it ends everything, once all that was read has one. */
      const crash = (cause: Cause.Cause<unknown>) =>
        Effect.suspend(() => {
          // only defects and interruptions are left in it
          failure ??= cause as Cause.Cause<never>
          isStopping = true
          graceUntil = Math.min(graceUntil, now().steady + settings.grace)
          dispatch.halt()
          return endReading
        })

      const landed = (
        parcel: Parcel,
        exit: Exit.Exit<BatchMeterUsageResponse, BatchMeterUsageError>
      ): ReadonlyArray<dispatching.Again> => {
        if (Exit.isSuccess(exit)) return dispatch.answered(parcel, exit.value, now())
        const error = Cause.failureOption(exit.cause)
        if (Option.isSome(error)) return dispatch.failed(parcel, error.value, now())
        dispatch.lost(parcel)
        return []
      }

      const send = Effect.fnUntraced(function* (parcel: Parcel) {
        const sentAt = now()
        const exit = yield* Effect.exit(call(parcel))
        for (const again of landed(parcel, exit)) {
          const decision = yield* ask(settings, again, now().steady)
          dispatch.decided(again, decision, sentAt, now())
        }
        if (Exit.isFailure(exit) && Cause.isDie(exit.cause)) yield* crash(exit.cause)
        changed()
        yield* report
        for (let seen = room.count(); outcomes.length >= outcomesHeld; seen = room.count()) {
          yield* room.after(seen)
        }
      })

      /** Until when the one who watches the clock sleeps. */
      let alarm = Number.POSITIVE_INFINITY

      /** Waits for a signal, or for a time if nobody else does: one of them is enough to see that it has come. */
      const wait = (seen: number, until: number, time: number) => {
        if (until >= alarm) return work.after(seen)
        alarm = until
        // a clock that is as exact as its durations would wake up a part of a nanosecond early, for ever
        const enough = Math.min(Math.ceil(until - time), longestSleep)
        return Effect.raceFirst(work.after(seen), Effect.sleep(enough)).pipe(
          Effect.ensuring(
            Effect.sync(() => {
              alarm = Number.POSITIVE_INFINITY
            })
          )
        )
      }

      const working = Effect.gen(function* () {
        for (;;) {
          const seen = work.count()
          const time = now()
          const before = outcomes.length
          const step = dispatch.next(time)
          // some may have been found too late to be sent
          if (outcomes.length > before) settled()
          if (step._tag === "Done") return
          if (step._tag === "Wait") {
            yield* wait(seen, step.until, time.steady)
            continue
          }
          // another one may have something to do, or has to watch the clock
          work.give()
          yield* send(step.parcel)
        }
      })

      // -------------------------------------------------------------------------------------------
      // all of them
      // -------------------------------------------------------------------------------------------

      // what starts them may not be interruptible, and they would inherit that
      const reader = yield* Effect.acquireRelease(
        Effect.forkDaemon(Effect.interruptible(reading)),
        (reader) =>
          Effect.suspend(
            (): Effect.Effect<unknown> =>
              graceUntil === Number.POSITIVE_INFINITY
                ? Fiber.interrupt(reader)
                : Fiber.interrupt(reader).pipe(
                    Effect.disconnect,
                    Effect.timeoutOption(Math.max(0, graceUntil - now().steady)),
                    // in a fiber of its own, for a scope is closed where nothing can be interrupted
                    Effect.interruptible,
                    Effect.forkDaemon,
                    Effect.flatMap(Fiber.await)
                  )
          )
      )
      const workers = yield* Effect.all(
        Array.from({ length: settings.concurrency }, () => working),
        { concurrency: "unbounded", discard: true }
      ).pipe(
        Effect.catchAllCause((cause) =>
          Effect.zipRight(
            crash(cause),
            Effect.sync(() => {
              dispatch.abandon()
              changed()
            })
          )
        ),
        Effect.interruptible,
        Effect.forkScoped
      )

      const stopping = Effect.fnUntraced(function* (stop: Effect.Effect<unknown>) {
        const ended = yield* Effect.exit(stop)
        // it is stopped all the same
        if (Exit.isFailure(ended)) failure ??= ended.cause
        isStopping = true
        graceUntil = Math.min(graceUntil, now().steady + settings.grace)
        dispatch.halt()
        if (!isDrained) yield* endReading
        changed()
        yield* Effect.sleep(settings.grace)
        yield* Fiber.interrupt(workers)
        dispatch.abandon()
        changed()
      })
      if (settings.stop !== undefined) {
        yield* Effect.forkScoped(Effect.interruptible(stopping(settings.stop)))
      }

      /** Handed over, and not known to have been dealt with until more is asked for. */
      let last: Outcome | undefined
      const { onInterrupt } = settings
      const take =
        onInterrupt === undefined
          ? () => Chunk.unsafeFromArray(outcomes.splice(0))
          : () => Chunk.of((last = outcomes.shift() as Outcome))

      if (onInterrupt !== undefined) {
        yield* Effect.addFinalizer(
          Effect.fnUntraced(function* (exit) {
            // who ends well has dealt with what was handed over
            const inHand = Exit.isSuccess(exit) || last === undefined ? [] : [last]
            if (dispatch.isDone() && outcomes.length === 0 && inHand.length === 0) return
            isStopping = true
            yield* Fiber.interrupt(workers)
            yield* endReading
            dispatch.abandon()
            const given = yield* Effect.exit(onInterrupt([...inHand, ...outcomes.splice(0)]))
            if (Exit.isFailure(given)) fault.ofHandler = given.cause
          })
        )
      }

      const pull: Effect.Effect<Chunk.Chunk<Outcome>, Option.Option<E>> = Effect.suspend(() => {
        last = undefined
        const seen = told.count()
        if (outcomes.length > 0) {
          const chunk = take()
          room.give()
          return Effect.succeed(chunk)
        }
        if (!dispatch.isDone()) return Effect.zipRight(told.after(seen), pull)
        return failure === undefined
          ? Effect.fail(Option.none())
          : Effect.failCause(Cause.map(failure, Option.some))
      })
      return pull
    })
  )

/** When what is left of a call may go again, by the schedule; nothing when it may not. */
const ask = (
  { schedule }: Settings,
  { error, retries }: dispatching.Again,
  now: number
): Effect.Effect<dispatching.Decision | undefined> =>
  Effect.map(schedule.step(now, error, retries), ([retries, , decision]) =>
    ScheduleDecision.isContinue(decision)
      ? { at: ScheduleIntervals.start(decision.intervals), retries }
      : undefined
  )
