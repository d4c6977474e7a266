/** Recomputes sums from their rows. */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Difference } from "../../LedgerReport.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { toText } from "../model/decimal.js"
import type { EntryId, StoreEffect, Tables } from "../tables.js"
import { timeOfHour } from "./entries.js"

/** Number of entries or keys per page. */
const pageSize = 500

export const verify = (store: Store): Stream.Stream<Difference, LedgerUnavailable> =>
  Stream.concat(
    pages(store, (tables, after: EntryId | undefined) => entrySums(tables, after)),
    pages(store, (tables, after: number | undefined) => conservation(tables, after))
  )

interface Page<Position> {
  readonly differences: ReadonlyArray<Difference>
  readonly last: Position | undefined
}

const pages = <Position>(
  store: Store,
  read: (tables: Tables, after: Position | undefined) => StoreEffect<Page<Position>>
): Stream.Stream<Difference, LedgerUnavailable> =>
  Stream.paginateChunkEffect(undefined as Position | undefined, (after) =>
    Effect.map(
      store.snapshot((tables) => read(tables, after)),
      ({ differences, last }) =>
        [
          Chunk.fromIterable(differences),
          last === undefined ? Option.none() : Option.some<Position | undefined>(last)
        ] as const
    )
  )

const entrySums = (tables: Tables, after: EntryId | undefined): StoreEffect<Page<EntryId>> =>
  Effect.gen(function* () {
    const { differences, last } = yield* tables.verifySums(after, pageSize)
    const ids = [...new Set(differences.map(({ key }) => key))]
    const keys = new Map(
      (ids.length === 0 ? [] : yield* tables.keys({ ids })).map((key) => [key.id, key])
    )
    return {
      differences: differences.map(({ computed, hour, key, stored, tags, what }): Difference => {
        const { dimension = "", lineage = "", scale = 0 } = keys.get(key) ?? {}
        const text = (value: bigint) => (what === "events" ? String(value) : toText(value, scale))
        return {
          lineage,
          dimension,
          hour: timeOfHour(hour),
          what: tags === undefined ? what : `${what} ${tags}`,
          stored: text(stored),
          computed: text(computed)
        }
      }),
      last
    }
  })

/** Checks that, for each key, everything that was recorded is open, billed, carried or rounded. */
const conservation = (tables: Tables, after: number | undefined): StoreEffect<Page<number>> =>
  Effect.map(tables.keyTotals(after, pageSize), (totals) => ({
    differences: totals.flatMap(
      ({ billed, carry, key, open, recorded, rounding }): ReadonlyArray<Difference> => {
        const accounted = open + billed * 10n ** BigInt(key.scale) + carry - rounding
        return accounted === recorded
          ? []
          : [
              {
                lineage: key.lineage,
                dimension: key.dimension,
                what: "open, billed and carried",
                stored: toText(accounted, key.scale),
                computed: toText(recorded, key.scale)
              }
            ]
      }
    ),
    last: totals.length < pageSize ? undefined : totals.at(-1)?.key.id
  }))
