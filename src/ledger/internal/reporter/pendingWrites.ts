/** Writes that a worker could not store yet: results, and calls that it did not send. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import * as send from "../transactions/send.js"

/** A call of this worker. */
export interface SentCall {
  readonly id: number
  readonly sentAt: number
}

export interface PendingWrites {
  /** Stores results. If the store is not available after some retries, keeps them until `flush`. */
  readonly addResults: (
    call: SentCall,
    results: ReadonlyArray<send.Result>
  ) => Effect.Effect<{ readonly isHalted: boolean }>
  /** Remembers that a call may have been stored and was not sent. */
  readonly notMade: (call: {
    readonly sentAt: number
    readonly records: ReadonlyArray<number>
  }) => void
  /** Stores all pending writes. */
  readonly flush: Effect.Effect<void, LedgerUnavailable>
}

const retries = Schedule.exponential("100 millis").pipe(Schedule.upTo("5 seconds"))

export const make = (store: Store, worker: string): PendingWrites => {
  const results = new Set<{
    readonly call: SentCall
    readonly results: ReadonlyArray<send.Result>
  }>()
  const unmade = new Set<{ readonly sentAt: number; readonly records: ReadonlyArray<number> }>()
  const write = ({
    call: { id, sentAt },
    results
  }: {
    readonly call: SentCall
    readonly results: ReadonlyArray<send.Result>
  }) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      send.addResults(store, { call: id, results, now, sentBy: { worker, sentAt } })
    )
  return {
    addResults: (call, some) => {
      const one = { call, results: some }
      return write(one).pipe(
        Effect.retry(retries),
        Effect.catchAll((error) =>
          Effect.suspend(() => {
            // until the results are stored, the attempts count as attempts without a response
            results.add(one)
            return Effect.as(
              Effect.logWarning("results are kept until they can be stored", error.message),
              { isHalted: false }
            )
          })
        )
      )
    },
    notMade: (call) => {
      unmade.add(call)
    },
    flush: Effect.gen(function* () {
      for (const one of results) {
        yield* write(one)
        results.delete(one)
      }
      for (const one of unmade) {
        yield* send.markUnsent(store, {
          ...one,
          worker,
          now: yield* Clock.currentTimeMillis
        })
        unmade.delete(one)
      }
    })
  }
}
