/** Stores a batch of events, and determines the result of each event. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { EventConflict, InvalidEvent, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { EventError, Recorded } from "../contract.js"
import { startOf } from "../model/hour.js"
import type { EventRow } from "../model/rows.js"
import * as metrics from "../service/recordingMetrics.js"
import type { Catalog, Subscribed } from "./catalog.js"
import { assignHour, carry, isText, type Prepared, prepareEvent } from "./prepareEvent.js"
import type { Request } from "./request.js"

export type RecordResult = Either.Either<Recorded, EventError>

/** The result of each request, at the index of the request. `undefined` until the result is final. */
export type Results = Array<RecordResult | undefined>

/** A prepared event, and the index of its request. */
interface Item {
  readonly index: number
  readonly event: Prepared
}

/**
 * Stores events, and puts their results into `results`. If several events have the same id, the first is stored, and the others are
 * compared with it, as if it had been stored before. A retry skips the requests that have a result.
 */
export const recordBatch = (
  store: Store,
  catalog: Catalog,
  requests: ReadonlyArray<Request>,
  results: Results
): Effect.Effect<void, LedgerUnavailable> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const items: Array<Item> = []
    const rejected: Array<Rejected> = []
    /**
     * Prepares an event. An error is final only if `isFresh`, because a cached subscription may be outdated: otherwise returns false, and
     * the event has to be prepared again after the subscription is loaded.
     */
    const prepare = (index: number, subscribed: Subscribed | undefined, isFresh: boolean) => {
      const prepared = prepareEvent(requests[index] as Request, subscribed)
      if (Either.isLeft(prepared)) {
        if (isFresh) results[index] = Either.left(prepared.left)
        return isFresh
      }
      const assigned = assignHour(prepared.right, now)
      if (Either.isRight(assigned)) items.push({ index, event: assigned.right })
      else if (isFresh) rejected.push({ index, event: prepared.right, error: assigned.left })
      else return false
      return true
    }
    const stale: Array<number> = []
    for (let index = 0; index < requests.length; index += 1) {
      if (results[index] !== undefined) continue
      const subscribed = catalog.cached((requests[index] as Request).event.subscription, now)
      if (subscribed === undefined || !prepare(index, subscribed, false)) stale.push(index)
    }
    const reload: Reload = (ids) => catalog.load(ids, now)
    const record = Effect.suspend(() => recordItems(store, reload, items, now, results))
    if (stale.length === 0) return record
    const ids = new Set(stale.map((index) => (requests[index] as Request).event.subscription))
    return catalog.load([...ids].filter(isText), now).pipe(
      Effect.flatMap((found) => {
        for (const index of stale) {
          prepare(index, found.get((requests[index] as Request).event.subscription), true)
        }
        items.sort((left, right) => left.index - right.index)
        return rejected.length === 0 ? Effect.void : resolveRejected(store, rejected, results)
      }),
      Effect.zipRight(record)
    )
  })

/** Loads the current subscriptions, because another process may have ended one. */
type Reload = (
  ids: ReadonlyArray<string>
) => Effect.Effect<ReadonlyMap<string, Subscribed>, LedgerUnavailable>

/** An event that no hour accepts. */
interface Rejected extends Item {
  readonly error: EventError
}

/** Determines the results of rejected events. An event that cannot be recorded now may have been recorded before. */
const resolveRejected = (
  store: Store,
  items: ReadonlyArray<Rejected>,
  results: Results
): Effect.Effect<void, LedgerUnavailable> =>
  Effect.map(storedEvents(store, items), (stored) => {
    for (const { error, event, index } of items) {
      const row = stored.get(event.row.id)
      results[index] = row === undefined ? Either.left(error) : compare(event, row)
    }
  })

const storedEvents = (store: Store, items: ReadonlyArray<Item>) =>
  Effect.map(
    store.snapshot((tables) => tables.events([...new Set(items.map(({ event }) => event.row.id))])),
    (rows) => new Map(rows.map((row) => [row.id, row]))
  )

const recordItems = (
  store: Store,
  reload: Reload,
  items: ReadonlyArray<Item>,
  now: number,
  results: Results
): Effect.Effect<void, LedgerUnavailable> => {
  if (items.length === 0) return Effect.void
  const firsts = new Map<string, Item>()
  for (const item of items) {
    const { id } = item.event.row
    if (!firsts.has(id)) firsts.set(id, item)
  }
  if (firsts.size === items.length) return recordDistinct(store, reload, items, now, results)
  return Effect.flatMap(recordDistinct(store, reload, [...firsts.values()], now, results), () => {
    const left: Array<Item> = []
    for (const item of items) {
      const { event, index } = item
      const first = firsts.get(event.row.id) as Item
      if (first === item) continue
      const result = results[first.index] as RecordResult
      if (Either.isLeft(result)) left.push(item)
      else results[index] = compareWithin(event, first.event, result.right)
    }
    return recordItems(store, reload, left, now, results)
  })
}

/** Returns the result of an event that follows another one with the same id in the batch. */
const compareWithin = (event: Prepared, first: Prepared, { hour }: Recorded): RecordResult =>
  compare(event, { ...first.row, hour: DateTime.toEpochMillis(hour) / startOf(1) })

const recordDistinct = (
  store: Store,
  reload: Reload,
  items: ReadonlyArray<Item>,
  now: number,
  results: Results
): Effect.Effect<void, LedgerUnavailable> => {
  if (items.length === 0) return Effect.void
  const rows = items.map(({ event }) => event.row)
  return Effect.flatMap(metrics.commit(rows.length, store.recordEvents(rows, now)), (result) => {
    switch (result._tag) {
      case "Recorded": {
        const existing =
          result.existing.length === 0
            ? undefined
            : new Map(result.existing.map((row) => [row.id, row]))
        for (const { event, index } of items) {
          const { hour, id } = event.row
          const stored = existing?.get(id)
          results[index] =
            stored === undefined
              ? Either.right(recorded(event.isCarried ? "Carried" : "Recorded", id, hour))
              : compare(event, stored)
        }
        return Effect.void
      }
      case "Sealed": {
        const sealed = new Set(result.entries.map(idOf))
        return Effect.flatMap(moveLate(store, reload, items, sealed, now, results), (left) =>
          recordDistinct(store, reload, left, now, results)
        )
      }
      case "Overflow": {
        const [only] = items
        if (items.length === 1 && only !== undefined) {
          results[only.index] = Either.left(tooMuch(only.event))
          return Effect.void
        }
        const middle = Math.ceil(items.length / 2)
        return Effect.zipRight(
          recordDistinct(store, reload, items.slice(0, middle), now, results),
          recordDistinct(store, reload, items.slice(middle), now, results)
        )
      }
    }
  })
}

const idOf = ({ hour, key }: { readonly key: number; readonly hour: number }) => `${key}/${hour}`

/** Moves the events of sealed entries to a later hour, or puts their errors into `results`. Returns the events that are left to store. */
const moveLate = (
  store: Store,
  reload: Reload,
  items: ReadonlyArray<Item>,
  sealed: ReadonlySet<string>,
  now: number,
  results: Results
): Effect.Effect<ReadonlyArray<Item>, LedgerUnavailable> => {
  const late = items.filter(({ event }) => sealed.has(idOf(event.row)))
  const ids = new Set(late.map(({ event }) => event.subscribed.subscription.id))
  return Effect.zipWith(storedEvents(store, late), reload([...ids]), (existing, current) => {
    const left: Array<Item> = []
    for (const item of items) {
      const { event, index } = item
      if (!sealed.has(idOf(event.row))) {
        left.push(item)
        continue
      }
      const row = existing.get(event.row.id)
      // an event that was recorded before its hour was sealed is not late
      if (row !== undefined) {
        results[index] = compare(event, row)
        continue
      }
      const subscribed = current.get(event.subscribed.subscription.id) ?? event.subscribed
      const carried = carry({ ...event, subscribed }, "sealed", now)
      if (Either.isRight(carried)) left.push({ index, event: carried.right })
      else results[index] = Either.left(carried.left)
    }
    return left
  })
}

const recorded = (_tag: Recorded["_tag"], id: string, hour: number): Recorded => ({
  _tag,
  id,
  hour: DateTime.unsafeMake(startOf(hour))
})

/** Returns the result of an event whose id is stored. */
const compare = ({ hasTime, row }: Prepared, stored: EventRow): RecordResult => {
  const differs = [
    ...(row.key === stored.key ? [] : ["subscription or dimension"]),
    ...(row.quantity === stored.quantity ? [] : ["quantity"]),
    ...(row.tags === stored.tags ? [] : ["tags"]),
    ...(row.at === stored.at || !hasTime ? [] : ["time"])
  ]
  return differs.length === 0
    ? Either.right(recorded("AlreadyRecorded", row.id, stored.hour))
    : Either.left(new EventConflict({ id: row.id, differs }))
}

const tooMuch = ({ row }: Prepared) =>
  new InvalidEvent({
    id: row.id,
    field: "quantity",
    expected: "a sum of the hour of at most 2^62 of the dimension's smallest parts"
  })
