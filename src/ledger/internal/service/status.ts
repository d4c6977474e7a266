/** Converts the summary of a ledger to the models of `LedgerReport`. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { HourlyCount, Status } from "../../LedgerReport.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { toText } from "../model/decimal.js"
import { hourOf } from "../model/hour.js"
import { timeOf, timeOfHour } from "./entries.js"
import { type LedgerSnapshot, readSnapshot } from "./ledgerSnapshot.js"

export const status = (store: Store): Effect.Effect<Status, LedgerUnavailable> =>
  Effect.map(readSnapshot(store), statusOf)

const statusOf = ({
  carry,
  counts,
  leases,
  ledger,
  nextDeadline,
  now,
  pauses
}: LedgerSnapshot): Status => ({
  seller: ledger.seller,
  target: ledger.target,
  counts: counts.map(({ count, nextDeadline, oldestHour, product, region, state }) => ({
    region,
    product,
    state,
    count,
    oldest: timeOfHour(oldestHour),
    ...(nextDeadline !== undefined && { nextDeadline: timeOf(nextDeadline) })
  })),
  ...(nextDeadline !== undefined && { nextDeadline: timeOf(nextDeadline) }),
  carry: carry.map(({ amount, dimension, lineage, product, scale, tags }) => ({
    product,
    lineage,
    dimension,
    tags,
    units: toText(amount, scale)
  })),
  leases: leases.map(({ holder, region, until }) => ({
    region,
    ...(until > now && { holder }),
    until: timeOf(until)
  })),
  pauses: pauses.map(({ cause, product, region, retryAt, since }) => ({
    region,
    product,
    since: timeOf(since),
    cause,
    ...(retryAt !== undefined && { retryAt: timeOf(retryAt) })
  })),
  ...(ledger.holdFrom !== undefined &&
    ledger.heldUntil !== undefined && {
      hold: { from: timeOfHour(ledger.holdFrom), until: timeOfHour(ledger.heldUntil) }
    })
})

export const hourly = (
  store: Store,
  from: number
): Effect.Effect<ReadonlyArray<HourlyCount>, LedgerUnavailable> =>
  Effect.map(
    store.snapshot(({ hourlyCounts }) => hourlyCounts(hourOf(from))),
    (counts) =>
      counts.map(({ entries, hour, product, state }) => ({
        product,
        hour: timeOfHour(hour),
        state,
        entries
      }))
  )
