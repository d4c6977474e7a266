/** Stores prepared events, and says what became of each. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { EventConflict, InvalidEvent, type LedgerUnavailable } from "../../LedgerError.js"
import type { EventError, Recorded } from "../../UsageLedger.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import { startOf } from "../model/hour.js"
import type { EventRow } from "../model/rows.js"
import { carry, type Prepared } from "./prepareEvent.js"

export type RecordResult = Either.Either<Recorded, EventError>

/**
 * Stores events, and returns a result for each in the order given. Events of one id are compared with one another as with those
 * that are stored. A second run returns `AlreadyRecorded` for what the first has stored.
 */
export const recordBatch = (
  store: Store,
  events: ReadonlyArray<Prepared>,
  now: number
): Effect.Effect<ReadonlyArray<RecordResult>, LedgerUnavailable> =>
  Effect.suspend(() => {
    const firsts = new Map<string, Prepared>()
    for (const event of events) if (!firsts.has(event.row.id)) firsts.set(event.row.id, event)
    const results = new Map<string, RecordResult>()
    return Effect.map(recordDistinct(store, [...firsts.values()], now, results), () =>
      events.map((event): RecordResult => {
        const { id } = event.row
        const first = firsts.get(id)
        const result = results.get(id) as RecordResult
        return first === undefined || first === event || Either.isLeft(result)
          ? result
          : compare(event, { ...first.row, hour: DateTime.toEpochMillis(result.right.hour) / hour })
      })
    )
  })

const hour = startOf(1)

const recordDistinct = (
  store: Store,
  events: ReadonlyArray<Prepared>,
  now: number,
  results: Map<string, RecordResult>
): Effect.Effect<void, LedgerUnavailable> => {
  if (events.length === 0) return Effect.void
  const rows = events.map(({ row }) => row)
  return Effect.flatMap(store.recordEvents(rows, now), (result) => {
    switch (result._tag) {
      case "Recorded": {
        const existing = new Map(result.existing.map((row) => [row.id, row]))
        for (const event of events) {
          const stored = existing.get(event.row.id)
          results.set(
            event.row.id,
            stored === undefined
              ? Either.right(
                  recorded(event.isCarried ? "Carried" : "Recorded", event.row.id, event.row.hour)
                )
              : compare(event, stored)
          )
        }
        return Effect.void
      }
      case "Sealed":
        return Effect.flatMap(
          moveLate(store, events, new Set(result.entries.map(idOf)), now, results),
          (left) => recordDistinct(store, left, now, results)
        )
      case "Overflow": {
        const [only] = events
        if (events.length === 1 && only !== undefined) {
          results.set(only.row.id, Either.left(tooMuch(only)))
          return Effect.void
        }
        const middle = Math.ceil(events.length / 2)
        return Effect.zipRight(
          recordDistinct(store, events.slice(0, middle), now, results),
          recordDistinct(store, events.slice(middle), now, results)
        )
      }
    }
  })
}

const idOf = ({ hour, key }: { readonly key: number; readonly hour: number }) => `${key}/${hour}`

/**
 * Moves events of sealed entries to the current hour, or gives them their result. Returns the events that are left to store.
 */
const moveLate = (
  store: Store,
  events: ReadonlyArray<Prepared>,
  sealed: ReadonlySet<string>,
  now: number,
  results: Map<string, RecordResult>
): Effect.Effect<ReadonlyArray<Prepared>, LedgerUnavailable> => {
  const late = events.filter(({ row }) => sealed.has(idOf(row)))
  return Effect.map(
    store.snapshot((tables) => tables.events(late.map(({ row }) => row.id))),
    (stored) => {
      // what was recorded before its hour was sealed is not late
      const existing = new Map(stored.map((row) => [row.id, row]))
      const left: Array<Prepared> = []
      for (const event of events) {
        if (!sealed.has(idOf(event.row))) {
          left.push(event)
          continue
        }
        const row = existing.get(event.row.id)
        if (row !== undefined) {
          results.set(event.row.id, compare(event, row))
          continue
        }
        const carried = carry(event, "sealed", now)
        if (Either.isRight(carried)) left.push(carried.right)
        else results.set(event.row.id, Either.left(carried.left))
      }
      return left
    }
  )
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
