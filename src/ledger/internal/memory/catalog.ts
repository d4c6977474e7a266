/** The ledger's row, products, subscriptions and keys in memory. */
import * as Effect from "effect/Effect"
import { licenseKey } from "../../../internal/license.js"
import type { KeyRow, SubscriptionRow } from "../model/rows.js"
import type { Tables } from "../tables.js"
import type { Journal } from "./journal.js"
import type { State } from "./state.js"

export const catalogTables = (
  state: State,
  journal: Journal
): Pick<
  Tables,
  | "ledger"
  | "lockLedger"
  | "putLedger"
  | "nextTick"
  | "products"
  | "putProduct"
  | "subscriptions"
  | "putSubscription"
  | "keys"
  | "addKeys"
> => {
  const append = <K, V>(map: Map<K, ReadonlyArray<V>>, key: K, value: V) =>
    journal.set(map, key, [...(map.get(key) ?? []), value])
  return {
    ledger: Effect.sync(() => state.ledger.get("ledger")),
    lockLedger: Effect.sync(() => state.ledger.get("ledger")),
    putLedger: (row) => Effect.sync(() => journal.set(state.ledger, "ledger", row)),
    nextTick: Effect.sync(() => {
      const row = state.ledger.get("ledger")
      if (row === undefined) throw new Error("the ledger has no row")
      journal.set(state.ledger, "ledger", { ...row, tick: row.tick + 1 })
      return row.tick + 1
    }),
    products: Effect.sync(() =>
      [...state.products.values()].sort((left, right) => (left.product < right.product ? -1 : 1))
    ),
    putProduct: (row) => Effect.sync(() => journal.set(state.products, row.product, row)),
    subscriptions: ({ customer, endedBetween, ids, license, lineages, region }) =>
      Effect.sync(() => {
        const candidates =
          ids !== undefined
            ? ids.flatMap((id) => state.subscriptions.get(id) ?? [])
            : lineages !== undefined
              ? lineages.flatMap((lineage) =>
                  (state.subscriptionsByLineage.get(lineage) ?? []).flatMap(
                    (id) => state.subscriptions.get(id) ?? []
                  )
                )
              : [...state.subscriptions.values()]
        const isIn = (time: number | undefined) =>
          endedBetween === undefined ||
          (time !== undefined && time >= endedBetween.from && time <= endedBetween.until)
        return [...new Set(candidates)]
          .filter(
            (row: SubscriptionRow) =>
              (lineages === undefined || lineages.includes(row.lineage)) &&
              (customer === undefined ||
                row.accountId === customer ||
                row.customerId === customer) &&
              (license === undefined ||
                (row.licenseArn !== undefined && licenseKey(row.licenseArn) === license)) &&
              (region === undefined || row.region === region) &&
              (isIn(row.closingAt) || isIn(row.until))
          )
          .sort((left, right) => left.from - right.from || (left.id < right.id ? -1 : 1))
      }),
    putSubscription: (row) =>
      Effect.sync(() => {
        const old = state.subscriptions.get(row.id)
        if (old?.lineage !== row.lineage) {
          append(state.subscriptionsByLineage, row.lineage, row.id)
        }
        journal.set(state.subscriptions, row.id, row)
      }),
    keys: ({ ids, lineages }) =>
      Effect.sync(() =>
        (ids !== undefined
          ? [...new Set(ids)].flatMap((id) => state.keys.get(id) ?? [])
          : lineages !== undefined
            ? [...new Set(lineages)].flatMap((lineage) =>
                (state.keysByLineage.get(lineage) ?? []).flatMap((id) => state.keys.get(id) ?? [])
              )
            : [...state.keys.values()]
        )
          .filter(({ lineage }) => lineages === undefined || lineages.includes(lineage))
          .sort((left, right) => left.id - right.id)
      ),
    addKeys: (rows) =>
      Effect.sync(() =>
        rows.map((row): KeyRow => {
          for (const id of state.keysByLineage.get(row.lineage) ?? []) {
            const key = state.keys.get(id)
            if (key?.dimension === row.dimension) return key
          }
          state.lastKey += 1
          const key = { ...row, id: state.lastKey }
          journal.set(state.keys, key.id, key)
          append(state.keysByLineage, key.lineage, key.id)
          return key
        })
      )
  }
}
