/** Group commit: events of many callers are stored in batches, one batch at a time. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import { LedgerUnavailable } from "../../LedgerError.js"
import type { EventError, Recorded } from "../../UsageLedger.js"
import type { Prepared } from "./prepareEvent.js"
import type { RecordResult } from "./recordBatch.js"

/** Events of one batch. More would make every caller wait longer. */
const maxBatch = 1_000

export interface Intake {
  /** Waits until the event is stored, with others that arrive meanwhile. An interruption does not take it back. */
  readonly add: (event: Prepared) => Effect.Effect<Recorded, EventError | LedgerUnavailable>
  /** Events that wait. */
  readonly depth: () => number
}

interface Waiting {
  readonly event: Prepared
  readonly resume: (exit: Exit.Exit<Recorded, EventError | LedgerUnavailable>) => void
}

/**
 * Starts the intake. At `size` waiting events others wait outside. When the scope closes, what is waiting is stored first.
 */
export const make = (
  size: number,
  write: (
    events: ReadonlyArray<Prepared>
  ) => Effect.Effect<ReadonlyArray<RecordResult>, LedgerUnavailable>
): Effect.Effect<Intake, never, Scope.Scope> =>
  Effect.gen(function* () {
    let waiting: Array<Waiting> = []
    let isClosed = false
    /** Open while there are events. */
    const work = Effect.unsafeMakeLatch()
    /** Open while there is room. */
    const room = Effect.unsafeMakeLatch(true)
    /** Open while nothing is waiting or being written. */
    const idle = Effect.unsafeMakeLatch(true)

    const writeNext = Effect.suspend(() => {
      const batch = waiting.length <= maxBatch ? waiting : waiting.slice(0, maxBatch)
      waiting = waiting.length <= maxBatch ? [] : waiting.slice(maxBatch)
      if (waiting.length < size) room.unsafeOpen()
      return Effect.map(Effect.exit(write(batch.map(({ event }) => event))), (exit) => {
        batch.forEach(({ resume }, index) => {
          const result = Exit.isSuccess(exit) ? exit.value[index] : undefined
          resume(
            Exit.isFailure(exit)
              ? Exit.failCause(exit.cause)
              : Either.match(result as RecordResult, { onLeft: Exit.fail, onRight: Exit.succeed })
          )
        })
        if (waiting.length > 0) return
        work.unsafeClose()
        idle.unsafeOpen()
      })
    })
    yield* Effect.forkScoped(
      Effect.interruptible(Effect.forever(Effect.zipRight(work.await, writeNext)))
    )
    yield* Effect.addFinalizer(() =>
      Effect.suspend(() => {
        isClosed = true
        room.unsafeOpen()
        return idle.await
      })
    )

    const add = (event: Prepared): Effect.Effect<Recorded, EventError | LedgerUnavailable> =>
      Effect.suspend(() => {
        if (isClosed) {
          return Effect.fail(
            new LedgerUnavailable({ reason: "it is closed", isStored: "no", ids: [event.row.id] })
          )
        }
        if (waiting.length >= size) {
          room.unsafeClose()
          return Effect.zipRight(room.await, add(event))
        }
        return Effect.async((resume) => {
          waiting.push({ event, resume })
          idle.unsafeClose()
          work.unsafeOpen()
        })
      })
    return { add, depth: () => waiting.length }
  })

/** The waits before a batch is written again, in milliseconds. */
const waits = [50, 200, 1_000, 4_000]

/**
 * Runs a write again while the store is not available. Once a run may have stored something, the failure says so, whatever the
 * later ones say.
 */
export const withRetries = <A>(
  ids: () => ReadonlyArray<string>,
  run: Effect.Effect<A, LedgerUnavailable>
): Effect.Effect<A, LedgerUnavailable> => {
  const attempt = (
    index: number,
    isStored: LedgerUnavailable["isStored"]
  ): Effect.Effect<A, LedgerUnavailable> =>
    Effect.catchAll(run, (error) => {
      const worst = isStored === "unknown" ? isStored : error.isStored
      const wait = waits[index]
      return wait === undefined
        ? Effect.fail(new LedgerUnavailable({ reason: error.reason, isStored: worst, ids: ids() }))
        : Effect.zipRight(Effect.sleep(wait), attempt(index + 1, worst))
    })
  return attempt(0, "no")
}

/** Runs an effect with the time of the clock, in epoch milliseconds. */
export const atNow = <A, E, R>(
  body: (now: number) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> => Effect.flatMap(Clock.currentTimeMillis, body)
