/** Seals the hours that have ended: freezes the sum of each entry, and stores the record that will be sent. */
import * as Effect from "effect/Effect"
import type { LeaseLost, LedgerConfigError, LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { deadlineOf } from "../model/deadline.js"
import { toText } from "../model/decimal.js"
import { groupBy } from "../model/groupBy.js"
import { hourOf } from "../model/hour.js"
import { bodyOf } from "../model/recordBody.js"
import type {
  AllocationRow,
  CarryRow,
  EntryRow,
  HistoryRow,
  KeyRow,
  ProductRow,
  RecordRow,
  SubscriptionRow
} from "../model/rows.js"
import { divide, type Part } from "../model/share.js"
import { covers, endOf, isLastHour, subscriptionOf, timestampOf } from "../model/subscription.js"
import type { EntryId, StoreEffect, Tables } from "../tables.js"
import { addLastEntries, closedHours, lastHourOf } from "./ends.js"
import { checkFence, type Lease, requireLedger } from "./lease.js"
import { addZeroEntries } from "./zeroFill.js"

/** The largest balance that is carried, in either direction. The schema has the same limit. */
const maxBalance = 2n ** 62n

/** Maximum number of entries per transaction. */
const maxEntries = 500

/**
 * Seals up to 500 entries: entries of hours that ended at least `sealAfter` milliseconds ago, and entries of subscriptions that have
 * ended, except in hours that a later subscription of the lineage covers. Returns their number. Repeat until it returns 0.
 */
export const seal = (
  store: Store,
  {
    lease,
    now,
    sealAfter
  }: { readonly lease: Lease; readonly now: number; readonly sealAfter: number }
): Effect.Effect<number, LeaseLost | LedgerConfigError | LedgerUnavailable> =>
  store
    .transaction((tables) =>
      Effect.gen(function* () {
        const { region } = lease
        yield* checkFence(tables, lease)
        const ledger = yield* requireLedger(tables)
        const hold =
          ledger.holdFrom === undefined || ledger.heldUntil === undefined
            ? undefined
            : { from: ledger.holdFrom, until: ledger.heldUntil }
        const beforeHour = hourOf(now - sealAfter)
        const products = yield* tables.products
        yield* addZeroEntries(tables, { region, products, beforeHour, now })

        yield* addLastEntries(tables, region, now)
        const closing: Array<EntryRow> = []
        for (const [before, lineages] of yield* closedHours(tables, region, now)) {
          closing.push(
            ...(yield* tables.lockOpenEntries({
              region,
              beforeHour: before,
              lineages,
              hold,
              limit: maxEntries
            }))
          )
        }
        const over = yield* tables.lockOpenEntries({ region, beforeHour, hold, limit: maxEntries })
        const entries = distinct([...closing, ...over]).slice(0, maxEntries)
        return entries.length === 0
          ? { count: 0, overflowing: [] }
          : yield* sealEntries(tables, entries, products, now)
      })
    )
    .pipe(
      Effect.tap(({ overflowing }) =>
        Effect.forEach(
          overflowing,
          ({ dimension, lineage }) =>
            Effect.logError(
              `hours of ${dimension} of ${lineage} are not sealed: more than 2^62 of its smallest parts would be carried. Correct its events by adjust`
            ),
          { discard: true }
        )
      ),
      Effect.map(({ count }) => count)
    )

const distinct = (entries: ReadonlyArray<EntryRow>): ReadonlyArray<EntryRow> => [
  ...new Map(entries.map((entry) => [idOf(entry), entry])).values()
]

const idOf = ({ hour, key }: EntryId) => `${key} ${hour}`

interface Sealed {
  readonly count: number
  /** Keys whose carried balance would exceed its limit. Their hours stay open, so that events can be corrected. */
  readonly overflowing: ReadonlyArray<KeyRow>
}

const sealEntries = (
  tables: Tables,
  entries: ReadonlyArray<EntryRow>,
  products: ReadonlyArray<ProductRow>,
  now: number
): StoreEffect<Sealed> =>
  Effect.gen(function* () {
    const keyIds = [...new Set(entries.map(({ key }) => key))].sort((left, right) => left - right)
    const keys = new Map((yield* tables.keys({ ids: keyIds })).map((key) => [key.id, key]))
    const subscriptions = groupBy(
      yield* tables.subscriptions({
        lineages: [...new Set([...keys.values()].map(({ lineage }) => lineage))]
      }),
      ({ lineage }) => lineage
    )
    const allocations = groupBy(yield* tables.allocations(entries), idOf)
    /** Balances by key and tags. They are updated after each entry, because the remainder of an hour is carried to the next hour. */
    const carry = new Map<number, Map<string, bigint>>(keyIds.map((id) => [id, new Map()]))
    for (const { amount, key, tags } of yield* tables.carry(keyIds))
      carry.get(key)?.set(tags, amount)

    const lastHours = entries.flatMap(({ hour, key }) => {
      const last = lastHourOf(subscriptions.get(keys.get(key)?.lineage ?? "") ?? [])
      return hour < last && last < Number.POSITIVE_INFINITY ? [{ key, hour: last }] : []
    })
    const sealedLast = new Set(
      (yield* tables.entries(lastHours)).filter(({ isSealed }) => isSealed).map(({ key }) => key)
    )

    const sealed: Array<EntryId & { readonly rounding: bigint }> = []
    const records: Array<Omit<RecordRow, "id">> = []
    const history: Array<HistoryRow> = []
    const next: Array<EntryId> = []
    const touched = new Map<number, Map<string, bigint>>()
    const overflowing = new Set<number>()
    const lastOfKey = new Map<number, number>()
    for (const { hour, key } of entries) {
      lastOfKey.set(key, Math.max(hour, lastOfKey.get(key) ?? hour))
    }
    for (const entry of [...entries].sort((left, right) => left.hour - right.hour)) {
      const key = keys.get(entry.key)
      const balances = carry.get(entry.key)
      if (key === undefined || balances === undefined || overflowing.has(entry.key)) continue
      const lineage = subscriptions.get(key.lineage) ?? []
      const { division, record } = sealEntry({
        entry,
        // only the last of the entries, because rounding each of them would lose several fractions
        isRounded: sealedLast.has(entry.key) && lastOfKey.get(entry.key) === entry.hour,
        key,
        lineage,
        allocations: allocations.get(idOf(entry)) ?? [],
        balances,
        product: products.find(({ product }) => product === key.product),
        now
      })
      if (division.rests.some(({ amount }) => amount > maxBalance || amount < -maxBalance)) {
        // the later hours of the key wait too, because their balances depend on this one
        overflowing.add(entry.key)
        continue
      }
      for (const { amount, tags } of division.rests) balances.set(tags, amount)
      touched.set(entry.key, balances)
      sealed.push({ key: entry.key, hour: entry.hour, rounding: division.rounding })
      if (record !== undefined) records.push(record)
      history.push({
        at: now,
        key: entry.key,
        hour: entry.hour,
        was: "open",
        became: "sealed",
        cause:
          record === undefined
            ? `came to no unit: ${toText(entry.quantity, key.scale)}`
            : `sealed with ${record.quantity}`
      })
      const left = division.rests.reduce((sum, { amount }) => sum + amount, 0n)
      const current = Math.max(entry.hour + 1, hourOf(now))
      if (
        left >= 10n ** BigInt(key.scale) &&
        lineage.some((subscription) => covers(subscription, current))
      ) {
        next.push({ key: entry.key, hour: current })
      }
    }
    yield* tables.sealEntries(sealed)
    yield* tables.putCarry(
      [...touched].flatMap(([key, balances]) =>
        [...balances].map(([tags, amount]): CarryRow => ({ key, tags, amount }))
      )
    )
    yield* tables.addRecords(records)
    yield* tables.addHistory(history)
    // remaining whole units are billed in the next hour, even if it has no usage
    yield* tables.ensureEntries(next, now)
    return {
      count: sealed.length,
      overflowing: [...overflowing].flatMap((id) => keys.get(id) ?? [])
    }
  })

const sealEntry = ({
  allocations,
  balances,
  entry,
  isRounded,
  key,
  lineage,
  now,
  product
}: {
  readonly entry: EntryRow
  /** True if the last hour is sealed already, so that a fraction cannot be carried to it. */
  readonly isRounded: boolean
  readonly key: KeyRow
  readonly lineage: ReadonlyArray<SubscriptionRow>
  readonly allocations: ReadonlyArray<AllocationRow>
  readonly balances: ReadonlyMap<string, bigint>
  readonly product: ProductRow | undefined
  readonly now: number
}) => {
  const isLast = isLastHour(lineage, entry.hour)
  const division = divide(
    partsOf(entry, allocations, balances),
    key.scale,
    isRounded || isLast,
    product?.tagKeys
  )
  const subscription = subscriptionOf(lineage, entry.hour)
  const isReported = division.quantity > 0n || product?.dimensions[key.dimension]?.zeroFill === true
  if (subscription === undefined || !isReported) return { division, record: undefined }
  const timestamp = timestampOf(subscription, entry.hour)
  const end = isLast ? endOf(subscription) : subscription.closingAt
  const quantity = Number(division.quantity)
  const record: Omit<RecordRow, "id"> = {
    key: entry.key,
    hour: entry.hour,
    subscription: subscription.id,
    region: key.region,
    product: key.product,
    quantity,
    timestamp,
    body: bodyOf(subscription, key.dimension, timestamp, quantity, division.shares),
    deadline: deadlineOf(timestamp, end),
    sealedAt: now,
    state: "sealed",
    tries: 0,
    nextTryAt: now,
    resolvedAt: undefined,
    meteringRecordId: undefined,
    carriedAt: undefined
  }
  return { division, record }
}

/** Adds the carried balances to the sum of an entry, by tags. */
const partsOf = (
  entry: EntryRow,
  allocations: ReadonlyArray<AllocationRow>,
  balances: ReadonlyMap<string, bigint>
): ReadonlyArray<Part> => {
  const parts = new Map(balances)
  let untagged = entry.quantity
  for (const { quantity, tags } of allocations) {
    if (tags === "") continue
    untagged -= quantity
    parts.set(tags, (parts.get(tags) ?? 0n) + quantity)
  }
  parts.set("", (parts.get("") ?? 0n) + untagged)
  return [...parts].map(([tags, amount]) => ({ tags, amount }))
}
