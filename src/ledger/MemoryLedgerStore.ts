/**
 * A store in memory, for tests. Its rows are lost when the program ends.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { catalogTables } from "./internal/memory/catalog.js"
import * as journals from "./internal/memory/journal.js"
import { readingTables } from "./internal/memory/reading.js"
import { reportingTables } from "./internal/memory/reporting.js"
import * as states from "./internal/memory/state.js"
import { recordEvents, usageTables } from "./internal/memory/usage.js"
import type { Tables } from "./internal/tables.js"
import { type Service, UsageLedgerStore } from "./UsageLedgerStore.js"

/**
 * Makes a store in memory. Transactions run one at a time.
 *
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { MemoryLedgerStore, UsageLedgerStore } from "effect-marketplace-metering/ledger"
 *
 * // a store that a test shares between two ledgers
 * const store = MemoryLedgerStore.make()
 * const StoreLive = Layer.succeed(UsageLedgerStore.UsageLedgerStore, store)
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (): Service => {
  const state = states.make()
  const journal = journals.make()
  const tables: Tables = {
    ...catalogTables(state, journal),
    ...usageTables(state, journal),
    ...reportingTables(state, journal),
    ...readingTables(state)
  }
  const oneAtATime = Effect.unsafeMakeSemaphore(1).withPermits(1)
  const run = <A, E>(body: (tables: Tables) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    oneAtATime(
      Effect.uninterruptible(
        Effect.onExit(
          Effect.suspend(() => body(tables)),
          (exit) =>
            Effect.sync(() => {
              if (Exit.isSuccess(exit)) journal.commit()
              else journal.rollback()
            })
        )
      )
    )
  return {
    transaction: run,
    snapshot: run,
    recordEvents: (events, now) =>
      run(() => Effect.sync(() => recordEvents(state, journal, events, now))),
    description: { kind: "memory", location: "memory" }
  }
}

/**
 * A store in memory.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<UsageLedgerStore> = Layer.sync(UsageLedgerStore, make)
