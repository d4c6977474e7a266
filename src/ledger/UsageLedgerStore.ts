/**
 * The storage of a ledger: a SQLite file, PostgreSQL, or memory.
 *
 * A store implements rows and transactions. `UsageLedger` and `UsageReporter` implement everything else, the same for all stores.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { EventRow } from "./internal/model/rows.js"
import type { Tables } from "./internal/tables.js"
import type { LedgerUnavailable } from "./LedgerError.js"

/**
 * The result of `recordEvents`.
 *
 * - `Recorded`: all events whose ids are not in `existing` are stored. `existing` has the stored rows of the others.
 * - `Sealed`: nothing was stored, because these entries are sealed.
 * - `Overflow`: nothing was stored, because a sum would exceed 2^62.
 *
 * @since 0.1.0
 * @category models
 */
export type RecordEventsResult =
  | { readonly _tag: "Recorded"; readonly existing: ReadonlyArray<EventRow> }
  | {
      readonly _tag: "Sealed"
      readonly entries: ReadonlyArray<{ readonly key: number; readonly hour: number }>
    }
  | { readonly _tag: "Overflow" }

/**
 * A store. The interface is sealed: only the stores of this package implement it, and its tables may change in any version.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Runs a transaction. All of its changes are durable when it succeeds, and none is stored when it fails. `body` is uninterruptible,
   * and may run more than once, so it must have no effects except on `tables`.
   */
  readonly transaction: <A, E>(
    body: (tables: Tables) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | LedgerUnavailable>
  /** Runs a read-only transaction on one consistent state. */
  readonly snapshot: <A, E>(
    body: (tables: Tables) => Effect.Effect<A, E>
  ) => Effect.Effect<A, E | LedgerUnavailable>
  /**
   * Stores events and adds them to their entries, in one transaction. The ids in one call must be distinct. Events with tags are
   * added to allocations too.
   */
  readonly recordEvents: (
    events: ReadonlyArray<EventRow>,
    now: number
  ) => Effect.Effect<RecordEventsResult, LedgerUnavailable>
  /**
   * The clock of the store's server, in epoch milliseconds. Absent for a local store, which uses the clock of the process. Reporters
   * compare their own clock with it.
   */
  readonly clock?: Effect.Effect<number, LedgerUnavailable> | undefined
  /** The kind and the location of the store, for messages. Contains no password. */
  readonly description: {
    readonly kind: "sqlite" | "postgres" | "memory"
    readonly location: string
  }
}

/**
 * The storage of a ledger.
 *
 * @since 0.1.0
 * @category tags
 */
export class UsageLedgerStore extends Context.Tag("effect-marketplace-metering/UsageLedgerStore")<
  UsageLedgerStore,
  Service
>() {}
