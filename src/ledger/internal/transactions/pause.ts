/** Products that are not reported for now, and the restart after an operator has looked at it. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { PauseRow } from "../model/rows.js"

/** Pauses a product, or goes on with the pause and its first `since`. A Region that is stopped stays so. */
export const pause = (store: Store, row: PauseRow): Effect.Effect<void, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.flatMap(tables.pauses, (pauses) => {
      const old = pauses.find(
        ({ product, region }) => product === row.product && region === row.region
      )
      return old !== undefined && old.retryAt === undefined
        ? Effect.void
        : tables.putPause({ ...row, since: old?.since ?? row.since })
    })
  )

/** Ends the pause of a product, but not that of a Region that is stopped. A second run changes nothing. */
export const resume = (
  store: Store,
  { product, region }: Pick<PauseRow, "region" | "product">
): Effect.Effect<void, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.flatMap(tables.pauses, (pauses) =>
      pauses.some(
        (one) => one.product === product && one.region === region && one.retryAt !== undefined
      )
        ? tables.removePause(region, product)
        : Effect.void
    )
  )

/**
 * Goes on after a Region was stopped: hours that were held are sealed and sent as they are recorded, and a duplicate in one of the
 * hours before now stops it no more. A second run changes nothing but the time.
 */
export const recover = (
  store: Store,
  { incarnation, now }: { readonly incarnation: string; readonly now: number }
): Effect.Effect<void, LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const ledger = yield* tables.lockLedger
      if (ledger === undefined) return
      yield* tables.putLedger({
        ...ledger,
        incarnation,
        // more than any worker has seen, also of a later state: a ledger counts slower than its clock
        tick: Math.max(ledger.tick + 1, now),
        holdFrom: undefined,
        heldUntil: undefined,
        recoveredAt: now
      })
      for (const { product, region } of yield* tables.pauses) {
        yield* tables.removePause(region, product)
      }
    })
  )
