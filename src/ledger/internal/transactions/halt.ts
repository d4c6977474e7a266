/** Stops a Region's lane until an operator has looked at it. */
import * as Effect from "effect/Effect"
import { hourOf } from "../model/hour.js"
import type { Op, Tables } from "../tables.js"

/** The product of a pause that concerns all products of a Region. */
export const allProducts = "*"

/**
 * Pauses all products of a Region without a time of retry, and holds the hours since the last evidence: usage of these may have
 * been billed by a database that is lost. Only `recover` ends it. A second run keeps the first cause.
 */
export const haltLane = (
  tables: Tables,
  {
    cause,
    before,
    now,
    region
  }: {
    readonly region: string
    readonly now: number
    readonly cause: string
    /** The time of the evidence before the one that is contradicted. Defaults to the last of all. */
    readonly before?: number | undefined
  }
): Op<void> =>
  Effect.gen(function* () {
    const ledger = yield* tables.lockLedger
    const pauses = yield* tables.pauses
    const isHalted = pauses.some(
      (pause) =>
        pause.region === region && pause.product === allProducts && pause.retryAt === undefined
    )
    if (isHalted) return
    const lastEvidence = before ?? (yield* tables.lastEvidenceAt)
    yield* tables.putPause({ region, product: allProducts, since: now, cause, retryAt: undefined })
    if (ledger === undefined) return
    const heldFrom = hourOf(lastEvidence ?? now)
    yield* tables.putLedger({
      ...ledger,
      holdFrom: Math.min(ledger.holdFrom ?? heldFrom, heldFrom),
      heldUntil: Math.max(ledger.heldUntil ?? 0, hourOf(now) + 1)
    })
  })
