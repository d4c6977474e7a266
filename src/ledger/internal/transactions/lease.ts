/** Who sends in a Region. */
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
  /** Grows each time that another worker takes the lease. */
  readonly fence: number
}

/** The last lease that a worker has seen, by which it notices a restored backup. */
export interface Seen {
  readonly incarnation: string
  readonly tick: number
}

interface Leased {
  readonly lease: Lease
  readonly seen: Seen
}

/** The longest lease, in milliseconds. One that ends later was written by a wrong clock, and does not count. */
export const maxDuration = 10 * 60_000

/** The most by which clocks may differ, in milliseconds. */
const maxDifference = 60_000

/**
 * Takes or renews the lease of a Region for `duration` milliseconds. A second run renews it. After a restored backup the Region is
 * stopped, and the lease fails with `LedgerRolledBack`.
 */
export const lease = (
  store: Store,
  input: {
    readonly region: string
    readonly worker: string
    readonly now: number
    readonly duration: number
    /** Milliseconds, for `health`. */
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

/** Fails if this process and the store disagree about the time: hours would be sealed, and records given up or carried forward, at wrong times. */
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

/** Gives the lease back, if it is still this worker's. A second run changes nothing. */
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

/** Locks the lease, and fails if it is not this one any more. */
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
