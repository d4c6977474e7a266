/** A store that fails as scripted, and shows what was written to it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import {
  LedgerError,
  MemoryLedgerStore,
  type UsageLedgerStore
} from "effect-marketplace-metering/ledger"

export interface FailingStore {
  readonly store: UsageLedgerStore.Service
  /** Failures of the next writes of events: nothing stored, or stored without a response. */
  readonly failures: Array<"no" | "unknown">
  /** Sizes of the batches that were written. */
  readonly batches: Array<number>
  /** If set, writes of events wait for it. */
  gate: Option.Option<Effect.Effect<void>>
  /** If true, transactions and snapshots fail. */
  isAway: boolean
}

export const unavailable = (isStored: "no" | "unknown") =>
  new LedgerError.LedgerUnavailable({ reason: "simulated", isStored })

export const failingStore = (
  inner: UsageLedgerStore.Service = MemoryLedgerStore.make()
): FailingStore => {
  const unlessAway = <A, E>(
    effect: Effect.Effect<A, E>
  ): Effect.Effect<A, E | LedgerError.LedgerUnavailable> =>
    Effect.suspend(
      (): Effect.Effect<A, E | LedgerError.LedgerUnavailable> =>
        self.isAway ? Effect.fail(unavailable("no")) : effect
    )
  const self: FailingStore = {
    failures: [],
    batches: [],
    gate: Option.none(),
    isAway: false,
    store: {
      description: inner.description,
      transaction: (body) => unlessAway(inner.transaction(body)),
      snapshot: (body) => unlessAway(inner.snapshot(body)),
      recordEvents: (events, now) =>
        Effect.suspend(() => {
          self.batches.push(events.length)
          const failure = self.failures.shift()
          const write = Effect.zipRight(
            Option.getOrElse(self.gate, () => Effect.void),
            unlessAway(inner.recordEvents(events, now))
          )
          if (failure === undefined) return write
          const failed = Effect.fail(unavailable(failure))
          return failure === "unknown" ? Effect.zipRight(write, failed) : failed
        })
    }
  }
  return self
}
