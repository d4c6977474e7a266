/** Adds entries of 0 for dimensions with `zeroFill`, which are reported for every hour. */
import * as Effect from "effect/Effect"
import { groupBy } from "../model/groupBy.js"
import type { ProductRow } from "../model/rows.js"
import { covers } from "../model/subscription.js"
import type { StoreEffect, Tables } from "../tables.js"

/** Maximum number of past hours to which entries of 0 are added if no worker has run for a while. */
const maxZeroFillHours = 24

/** Adds entries of 0 for the hours since the last run. */
export const addZeroEntries = (
  tables: Tables,
  {
    beforeHour,
    now,
    products,
    region
  }: {
    readonly region: string
    readonly products: ReadonlyArray<ProductRow>
    readonly beforeHour: number
    readonly now: number
  }
): StoreEffect<void> =>
  Effect.gen(function* () {
    const filled = new Map(
      products
        .filter((product) => product.region === region)
        .map(({ dimensions, product }) => [
          product,
          Object.keys(dimensions).filter((name) => dimensions[name]?.zeroFill)
        ])
    )
    if (![...filled.values()].some(({ length }) => length > 0)) return
    const done = yield* tables.source(zeroFillSource, region)
    const from = Math.max(
      done === undefined ? beforeHour - 1 : Number(done.position),
      beforeHour - maxZeroFillHours
    )
    if (from >= beforeHour) return
    const subscriptions = yield* tables.subscriptions({ region })
    const lineages = [...new Set(subscriptions.map(({ lineage }) => lineage))]
    const keys = (yield* tables.keys({ lineages })).filter(({ dimension, product }) =>
      filled.get(product)?.includes(dimension)
    )
    const byLineage = groupBy(subscriptions, ({ lineage }) => lineage)
    for (let hour = from; hour < beforeHour; hour += 1) {
      const entries = keys.filter(({ lineage }) =>
        byLineage.get(lineage)?.some((subscription) => covers(subscription, hour))
      )
      yield* tables.ensureEntries(
        entries.map(({ id }) => ({ key: id, hour })),
        now
      )
    }
    yield* tables.putSource({
      source: zeroFillSource,
      partition: region,
      position: String(beforeHour)
    })
  })

/** The name of the source whose position is the first hour that has not been filled with entries of 0. */
const zeroFillSource = "effect-marketplace-metering/zeroFill"
