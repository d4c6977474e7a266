/** Streams entries page by page. */
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { Entry } from "../../LedgerReport.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { EntryFilter } from "../contract.js"
import { toText } from "../model/decimal.js"
import { millisPerHour, startOf } from "../model/hour.js"
import { isText } from "../recording/prepareEvent.js"
import { millisOf } from "../recording/request.js"
import type * as tables from "../tables.js"

/** Number of entries per page. */
const pageSize = 500

export const timeOf = (millis: number): DateTime.Utc => DateTime.unsafeMake(millis)

export const timeOfHour = (hour: number): DateTime.Utc => timeOf(startOf(hour))

/** Returns the first hour that begins at a time or later. */
const hourFrom = (time: DateTime.Utc | undefined): number | undefined => {
  const millis = millisOf(time)
  return millis === undefined ? undefined : Math.ceil(millis / millisPerHour)
}

/** Converts a filter to the filter of the tables. Returns `undefined` if no entry can match it. */
export const resolveFilter = (
  store: Store,
  { from, product, states, subscription, until }: EntryFilter
): Effect.Effect<tables.EntryFilter | undefined, LedgerUnavailable> => {
  if (product !== undefined && !isText(product)) return Effect.succeed(undefined)
  const filter: tables.EntryFilter = {
    product,
    states,
    fromHour: hourFrom(from),
    untilHour: hourFrom(until)
  }
  if (subscription === undefined) return Effect.succeed(filter)
  return isText(subscription)
    ? Effect.map(
        store.snapshot(({ subscriptions }) => subscriptions({ ids: [subscription] })),
        ([row]) => row && { ...filter, lineages: [row.lineage] }
      )
    : Effect.succeed(undefined)
}

/** Streams the values that `read` returns for each page of entries. Each page is read in its own snapshot. */
export const entryPages = <A>(
  store: Store,
  filter: tables.EntryFilter,
  read: (
    tables: tables.Tables,
    views: ReadonlyArray<tables.EntryView>
  ) => tables.StoreEffect<Iterable<A>>
): Stream.Stream<A, LedgerUnavailable> =>
  Stream.paginateChunkEffect(undefined as tables.EntryId | undefined, (after) =>
    store.snapshot((tables) =>
      Effect.flatMap(tables.entryPage(filter, after, pageSize), (views) =>
        Effect.map(read(tables, views), (values) => {
          const last = views.at(-1)?.entry
          return [
            Chunk.fromIterable(values),
            last === undefined || views.length < pageSize
              ? Option.none()
              : Option.some({ key: last.key, hour: last.hour })
          ] as const
        })
      )
    )
  )

export const entries = (
  store: Store,
  filter: EntryFilter = {}
): Stream.Stream<Entry, LedgerUnavailable> =>
  Stream.unwrap(
    Effect.map(resolveFilter(store, filter), (resolved) =>
      resolved === undefined
        ? Stream.empty
        : entryPages(store, resolved, (_, views) => Effect.succeed(views.map(entryOf)))
    )
  )

export const entryOf = ({ entry, key, record }: tables.EntryView): Entry => ({
  product: key.product,
  region: key.region,
  subscription: record?.subscription ?? key.lineage,
  lineage: key.lineage,
  dimension: key.dimension,
  hour: timeOfHour(entry.hour),
  state: entry.isSealed ? (record?.state ?? "zero") : "open",
  recorded: toText(entry.quantity, key.scale),
  events: entry.events,
  ...(record !== undefined && {
    quantity: record.quantity,
    deadline: timeOf(record.deadline),
    ...(record.meteringRecordId !== undefined && { meteringRecordId: record.meteringRecordId })
  })
})
