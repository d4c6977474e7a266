/** Pauses and resumes the reporting of products, and recovers a stopped Region. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { PauseRow } from "../model/rows.js"

/** Pauses a product. Extends an existing pause and keeps its `since`. Does not replace a pause without a retry time. */
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

/** Ends the pause of a product, but not a pause without a retry time. Repeating it changes nothing. */
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
 * Resumes all Regions that were stopped. Held hours are sealed and sent as they are recorded, and a duplicate in an hour that began
 * before now does not stop a Region again. Repeating it moves the time of the recovery, and ends all pauses again.
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
        // larger than any tick that a worker has seen, also before the restore: ticks grow more slowly than milliseconds
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
