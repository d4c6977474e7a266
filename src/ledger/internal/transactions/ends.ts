/** Subscriptions that have ended: their hours are sealed at once, and their fractions are rounded. */
import * as Effect from "effect/Effect"
import { groupBy } from "../model/groupBy.js"
import { hourOf, millisPerHour } from "../model/hour.js"
import type { SubscriptionRow } from "../model/rows.js"
import { endOf } from "../model/subscription.js"
import type { StoreEffect, Tables } from "../tables.js"

/** How long after the end of a subscription its hours are sealed at once. */
const closingWindow = 2 * millisPerHour

/**
 * How long after a planned end a renewal may still be stored. The last hour has to be accepted within one hour after the end, so
 * 20 minutes are left to send it.
 */
const renewal = 40 * 60_000

/** How long after the end of a subscription its fractions are rounded. Long, because no worker may have run for a while. */
const roundingWindow = 48 * millisPerHour

/**
 * Returns the lineages with an ended subscription, grouped by the hour before which all their entries can be sealed: the first hour
 * of the next subscription of the lineage, or else the hour after the current one.
 */
export const closedHours = (
  tables: Tables,
  region: string,
  now: number
): StoreEffect<ReadonlyMap<number, ReadonlyArray<string>>> =>
  Effect.gen(function* () {
    const ended = (yield* tables.subscriptions({
      region,
      endedBetween: { from: now - closingWindow, until: now }
    })).filter((subscription) => isClosed(subscription, now))
    if (ended.length === 0) return new Map()
    const lineages = groupBy(
      yield* tables.subscriptions({ lineages: [...new Set(ended.map(({ lineage }) => lineage))] }),
      ({ lineage }) => lineage
    )
    return groupBy([...lineages.keys()], (lineage) =>
      (lineages.get(lineage) ?? [])
        .filter((subscription) => !isClosed(subscription, now))
        .reduce((before, { from }) => Math.min(before, hourOf(from)), hourOf(now) + 1)
    )
  })

/** True after a cancellation, and some time after a planned end, because a renewal may be stored late. */
const isClosed = ({ closingAt, until }: SubscriptionRow, now: number): boolean =>
  (closingAt !== undefined && closingAt <= now) || (until !== undefined && until + renewal <= now)

/** Returns the last hour of a lineage. `Infinity` if it has no end. */
export const lastHourOf = (lineage: ReadonlyArray<SubscriptionRow>): number =>
  Math.max(
    ...(lineage.some(hasBegun) ? lineage.filter(hasBegun) : lineage).map((one) =>
      hourOf(Math.max(endOf(one) - 1, one.from))
    )
  )

/** False for a renewal that was cancelled before its start. */
const hasBegun = (subscription: SubscriptionRow): boolean => endOf(subscription) > subscription.from

/** Adds an entry of 0 to the last hour of each ended lineage that has a fraction left, so that the fraction is rounded. */
export const addLastEntries = (tables: Tables, region: string, now: number): StoreEffect<void> =>
  Effect.gen(function* () {
    const ended = yield* tables.subscriptions({
      region,
      endedBetween: { from: now - roundingWindow, until: now }
    })
    if (ended.length === 0) return
    const lineages = groupBy(
      yield* tables.subscriptions({ lineages: [...new Set(ended.map(({ lineage }) => lineage))] }),
      ({ lineage }) => lineage
    )
    for (const [lineage, subscriptions] of lineages) {
      if (!subscriptions.every((one) => isClosed(one, now))) lineages.delete(lineage)
    }
    const keys = yield* tables.keys({ lineages: [...lineages.keys()] })
    const balances = groupBy(yield* tables.carry(keys.map(({ id }) => id)), ({ key }) => key)
    yield* tables.ensureEntries(
      keys.flatMap(({ id, lineage }) => {
        const left = (balances.get(id) ?? []).reduce((sum, { amount }) => sum + amount, 0n)
        return left > 0n ? [{ key: id, hour: lastHourOf(lineages.get(lineage) ?? []) }] : []
      }),
      now
    )
  })
