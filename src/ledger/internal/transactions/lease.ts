/** The lease of a Region, whose holder is the worker that seals and sends there. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import {
  LeaseLost,
  LedgerConfigError,
  LedgerRolledBack,
  type LedgerUnavailable
} from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { LedgerRow } from "../model/rows.js"
import type { Tables } from "../tables.js"
import { haltRegion } from "./halt.js"

export interface Lease {
  readonly region: string
  readonly worker: string
  /** Fencing token, incremented each time that the lease is acquired again. */
  readonly fence: number
}

/** The state of the ledger when the worker last renewed its lease. A smaller `tick` later means that a backup was restored. */
export interface Seen {
  readonly incarnation: string
  readonly tick: number
}

interface Leased {
  readonly lease: Lease
  readonly seen: Seen
}

/** The longest lease, in milliseconds. A lease that ends later was stored by a wrong clock, and is ignored. */
export const maxDuration = 10 * 60_000

/** The largest allowed difference between two clocks, in milliseconds. */
const maxDifference = 60_000

/**
 * Acquires or renews the lease of a Region for `duration` milliseconds. If a backup was restored, stops the Region and fails with
 * `LedgerRolledBack`.
 */
export const lease = (
  store: Store,
  input: {
    readonly region: string
    readonly worker: string
    readonly now: number
    readonly duration: number
    /** Milliseconds. Stored for `health`. */
    readonly sealAfter: number
    readonly seen: Seen | undefined
  }
): Effect.Effect<Leased, LeaseLost | LedgerRolledBack | LedgerConfigError | LedgerUnavailable> =>
  Effect.flatMap(
    store.transaction((tables) =>
      Effect.gen(function* () {
        const { duration, now, region, sealAfter, seen, worker } = input
        const row = yield* tables.lockLease(region)
        const ledger = yield* requireLedger(tables)
        if (seen !== undefined && ledger.tick < seen.tick) {
          yield* haltRegion(tables, { region, now, cause: rolledBack })
          return Either.left(new LedgerRolledBack({ detail: rolledBack }))
        }
        const isTaken = row !== undefined && row.until > now
        const isPlausible = row !== undefined && row.until <= now + maxDuration + maxDifference
        if (isTaken && isPlausible && row.holder !== worker) {
          return Either.left(new LeaseLost({ region, holder: row.holder }))
        }
        const isHeld = isTaken && row.holder === worker
        const fence = isHeld ? row.fence : (row?.fence ?? 0) + 1
        yield* tables.putLease({ region, holder: worker, fence, until: now + duration, sealAfter })
        const tick = yield* tables.nextTick
        return Either.right({
          lease: { region, worker, fence },
          seen: { incarnation: ledger.incarnation, tick }
        })
      })
    ),
    (leased): Either.Either<Leased, LeaseLost | LedgerRolledBack> => leased
  )

/**
 * Fails if the clocks of this process and the store's server differ, because hours would be sealed, and records expired or carried
 * forward, at the wrong time.
 */
export const checkClock = ({
  clock,
  description
}: Store): Effect.Effect<void, LedgerConfigError | LedgerUnavailable> =>
  clock === undefined
    ? Effect.void
    : Effect.gen(function* () {
        const before = yield* Clock.currentTimeMillis
        const there = yield* clock
        const after = yield* Clock.currentTimeMillis
        const difference = there < before ? before - there : there > after ? after - there : 0
        if (Math.abs(difference) <= maxDifference) return
        const seconds = Math.round(Math.abs(difference) / 1_000)
        return yield* new LedgerConfigError({
          reason: "wrongClock",
          detail: `The clock of this machine is ${seconds} s ${difference > 0 ? "ahead of" : "behind"} that of ${description.location}`,
          cure: "Set the clock that is wrong, such as by NTP. Until then nothing is reported, retried, carried forward or recovered from here."
        })
      })

const rolledBack =
  "the database is older than this worker has seen it, as after the restore of a backup"

/** Releases the lease if this worker still holds it. Repeating it changes nothing. */
export const release = (
  store: Store,
  { fence, region, worker }: Lease,
  now: number
): Effect.Effect<void, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.flatMap(tables.lockLease(region), (row) =>
      row !== undefined && row.holder === worker && row.fence === fence && row.until > now
        ? tables.putLease({ ...row, until: now })
        : Effect.void
    )
  )

/** Locks the lease, and fails if this worker does not hold it with this fencing token. */
export const checkFence = (
  tables: Tables,
  { fence, region, worker }: Lease
): Effect.Effect<void, LeaseLost | LedgerUnavailable> =>
  Effect.flatMap(tables.lockLease(region), (row) =>
    row !== undefined && row.holder === worker && row.fence === fence
      ? Effect.void
      : Effect.fail(new LeaseLost({ region, ...(row !== undefined && { holder: row.holder }) }))
  )

export const requireLedger = (
  tables: Tables
): Effect.Effect<LedgerRow, LedgerConfigError | LedgerUnavailable> =>
  Effect.flatMap(tables.ledger, (row) =>
    row === undefined
      ? Effect.fail(
          new LedgerConfigError({
            reason: "notInitialized",
            detail: "The database has no ledger yet",
            cure: "Provide UsageLedger.layer first, or run `effect-marketplace-metering ledger init`."
          })
        )
      : Effect.succeed(row)
  )
