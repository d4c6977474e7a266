/** Stores a batch of events, and gives each its result. */
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
import { carry, isText, type Prepared, placeEvent, prepareEvent } from "./prepareEvent.js"
import type { Request } from "./request.js"

export type RecordResult = Either.Either<Recorded, EventError>

/** Results by the places of their requests. A place is empty until it is certain. */
export type Results = Array<RecordResult | undefined>

/** A prepared event and its place in the batch. */
interface Item {
  readonly place: number
  readonly event: Prepared
}

/**
 * Stores events, and puts a result for each into `results`. Events of one id are compared with one another as with those that are
 * stored. A second run goes on with the places that have no result.
 */
export const recordBatch = (
  store: Store,
  catalog: Catalog,
  requests: ReadonlyArray<Request>,
  results: Results
): Effect.Effect<void, LedgerUnavailable> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => {
    const items: Array<Item> = []
    const misplaced: Array<Misplaced> = []
    /** Prepares an event. Returns false if it has to be looked at with a new catalog. */
    const prepare = (place: number, subscribed: Subscribed | undefined, isFresh: boolean) => {
      const prepared = prepareEvent(requests[place] as Request, subscribed)
      if (Either.isLeft(prepared)) {
        if (isFresh) results[place] = Either.left(prepared.left)
        return isFresh
      }
      const placed = placeEvent(prepared.right, now)
      if (Either.isRight(placed)) items.push({ place, event: placed.right })
      else if (isFresh) misplaced.push({ place, event: prepared.right, error: placed.left })
      else return false
      return true
    }
    const stale: Array<number> = []
    for (let place = 0; place < requests.length; place += 1) {
      if (results[place] !== undefined) continue
      const subscribed = catalog.cached((requests[place] as Request).event.subscription, now)
      if (subscribed === undefined || !prepare(place, subscribed, false)) stale.push(place)
    }
    const reload: Reload = (ids) => catalog.load(ids, now)
    const record = Effect.suspend(() => recordItems(store, reload, items, now, results))
    if (stale.length === 0) return record
    const ids = new Set(stale.map((place) => (requests[place] as Request).event.subscription))
    return catalog.load([...ids].filter(isText), now).pipe(
      Effect.flatMap((found) => {
        for (const place of stale) {
          prepare(place, found.get((requests[place] as Request).event.subscription), true)
        }
        items.sort((left, right) => left.place - right.place)
        return misplaced.length === 0 ? Effect.void : judgeMisplaced(store, misplaced, results)
      }),
      Effect.zipRight(record)
    )
  })

/** Reads subscriptions as they are now: another process may have ended one. */
type Reload = (
  ids: ReadonlyArray<string>
) => Effect.Effect<ReadonlyMap<string, Subscribed>, LedgerUnavailable>

interface Misplaced extends Item {
  readonly error: EventError
}

/** An event that could not be recorded now may have been recorded before. */
const judgeMisplaced = (
  store: Store,
  items: ReadonlyArray<Misplaced>,
  results: Results
): Effect.Effect<void, LedgerUnavailable> =>
  Effect.map(storedEvents(store, items), (stored) => {
    for (const { error, event, place } of items) {
      const row = stored.get(event.row.id)
      results[place] = row === undefined ? Either.left(error) : compare(event, row)
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
      const { event, place } = item
      const first = firsts.get(event.row.id) as Item
      if (first === item) continue
      const result = results[first.place] as RecordResult
      if (Either.isLeft(result)) left.push(item)
      else results[place] = compareWithin(event, first.event, result.right)
    }
    return recordItems(store, reload, left, now, results)
  })
}

/** The result for the second of two events of one id. */
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
        for (const { event, place } of items) {
          const { hour, id } = event.row
          const stored = existing?.get(id)
          results[place] =
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
          results[only.place] = Either.left(tooMuch(only.event))
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

/**
 * Moves events of sealed entries to a later hour, or gives them their result. Returns the events that are left to store.
 */
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
      const { event, place } = item
      if (!sealed.has(idOf(event.row))) {
        left.push(item)
        continue
      }
      const row = existing.get(event.row.id)
      // an event that was recorded before its hour was sealed is not late
      if (row !== undefined) {
        results[place] = compare(event, row)
        continue
      }
      const subscribed = current.get(event.subscribed.subscription.id) ?? event.subscribed
      const carried = carry({ ...event, subscribed }, "sealed", now)
      if (Either.isRight(carried)) left.push({ place, event: carried.right })
      else results[place] = Either.left(carried.left)
    }
    return left
  })
}

const recorded = (_tag: Recorded["_tag"], id: string, hour: number): Recorded => ({
  _tag,
  id,
  hour: DateTime.unsafeMake(startOf(hour))
})

/** The result for an event whose id is stored. */
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
