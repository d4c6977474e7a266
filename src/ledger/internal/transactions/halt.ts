/** Stops a Region until an operator runs `recover`. */
import * as Effect from "effect/Effect"
import { hourOf } from "../model/hour.js"
import type { StoreEffect, Tables } from "../tables.js"

/** The product name of a pause of all products of a Region. */
export const allProducts = "*"

/**
 * Pauses all products of a Region without a retry time, and holds the hours up to now, because a lost database may have billed usage
 * of these hours. Only `recover` ends the pause and the hold. If the Region is stopped already, keeps the first cause.
 */
export const haltRegion = (
  tables: Tables,
  {
    cause,
    holdFrom,
    now,
    region
  }: {
    readonly region: string
    readonly now: number
    readonly cause: string
    /** The first hour that is held. Defaults to the hour of the last call, result or sealing. */
    readonly holdFrom?: number | undefined
  }
): StoreEffect<void> =>
  Effect.gen(function* () {
    const ledger = yield* tables.lockLedger
    const pauses = yield* tables.pauses
    const isHalted = pauses.some(
      (pause) =>
        pause.region === region && pause.product === allProducts && pause.retryAt === undefined
    )
    if (isHalted) return
    yield* tables.putPause({ region, product: allProducts, since: now, cause, retryAt: undefined })
    if (ledger === undefined) return
    const from = holdFrom ?? hourOf((yield* tables.lastActivityAt) ?? now)
    yield* tables.putLedger({
      ...ledger,
      holdFrom: Math.min(ledger.holdFrom ?? from, from),
      heldUntil: Math.max(ledger.heldUntil ?? 0, hourOf(now) + 1)
    })
  })
