/** A cache of subscriptions with their lineages, products and keys. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { KeyRow, ProductRow, SubscriptionRow } from "../model/rows.js"
import type { Tables } from "../tables.js"

/** A subscription with its lineage, product and keys. */
export interface Subscribed {
  readonly subscription: SubscriptionRow
  /** All subscriptions of the lineage. */
  readonly lineage: ReadonlyArray<SubscriptionRow>
  readonly product: ProductRow
  /** By dimension. */
  readonly keys: ReadonlyMap<string, KeyRow>
}

export interface Catalog {
  /** Returns a subscription from the cache, or `undefined` if it has to be loaded. */
  readonly cached: (id: string, now: number) => Subscribed | undefined
  /** Loads subscriptions, and returns those that exist. */
  readonly load: (
    ids: ReadonlyArray<string>,
    now: number
  ) => Effect.Effect<ReadonlyMap<string, Subscribed>, LedgerUnavailable>
  /** Clears the cache, after a change of subscriptions. */
  readonly clear: () => void
}

/** Age at which a subscription is loaded again, in milliseconds, because another process may have closed it. */
const maxAge = 10_000

/** Maximum number of cached subscriptions. */
const maxSize = 100_000

export const make = (store: Store): Catalog => {
  const cache = new Map<string, { readonly value: Subscribed; readonly loadedAt: number }>()
  return {
    cached: (id, now) => {
      const found = cache.get(id)
      return found !== undefined && now - found.loadedAt < maxAge && now >= found.loadedAt
        ? found.value
        : undefined
    },
    load: (ids, now) =>
      Effect.map(
        store.snapshot((tables) => read(tables, ids)),
        (found) => {
          if (cache.size + found.size > maxSize) cache.clear()
          for (const [id, value] of found) cache.set(id, { value, loadedAt: now })
          return found
        }
      ),
    clear: () => cache.clear()
  }
}

/** Reads subscriptions with their lineages, products and keys. */
export const read = (tables: Tables, ids: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const wanted = yield* tables.subscriptions({ ids: [...new Set(ids)] })
    const lineages = [...new Set(wanted.map(({ lineage }) => lineage))]
    const related = yield* tables.subscriptions({ lineages })
    const keys = yield* tables.keys({ lineages })
    const products = new Map((yield* tables.products).map((row) => [row.product, row]))
    const found = new Map<string, Subscribed>()
    for (const subscription of wanted) {
      const product = products.get(subscription.product)
      if (product === undefined) continue
      const { lineage } = subscription
      found.set(subscription.id, {
        subscription,
        product,
        lineage: related.filter((one) => one.lineage === lineage),
        keys: new Map(
          keys.filter((key) => key.lineage === lineage).map((key) => [key.dimension, key])
        )
      })
    }
    return found
  })
