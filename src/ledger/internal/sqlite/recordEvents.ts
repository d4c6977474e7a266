/** Stores a batch of events within the current transaction, with few statements. */

import type { RecordEventsResult } from "../../UsageLedgerStore.js"
import type { EventRow } from "../model/rows.js"
import { type Columns, listParameter, sqlite } from "../sql/dialect.js"
import { entryIdOf, eventOf, sums } from "../sql/usageTables.js"
import type { EntryId } from "../tables.js"
import type { Connection } from "./connection.js"
import { codeOf } from "./sqliteError.js"

const entryId = { key: "bigint", hour: "bigint" } as const

const select = (columns: Columns) =>
  `SELECT ${Object.keys(columns)
    .map((name) => `x.${name}`)
    .join(", ")} FROM ${sqlite.list(1, columns)} AS x WHERE true`

/** Numbers of rows per INSERT statement. Bound parameters are cheaper than a JSON list, which SQLite has to parse. */
const insertSizes = [100, 10, 1] as const

const insertStatements = new Map(
  insertSizes.map((size) => [
    size,
    `INSERT INTO usage_event (id, key, hour, at, quantity, tags) VALUES ${Array.from(
      { length: size },
      (_, row) => `(${[1, 2, 3, 4, 5, 6].map((column) => `$${6 * row + column}`).join()})`
    ).join()} ON CONFLICT (id) DO NOTHING`
  ])
)

const existingEvents = `SELECT v.* FROM ${sqlite.list(1, { id: "text" })} AS x CROSS JOIN usage_event AS v WHERE v.id = x.id`

const addToEntries = `INSERT INTO usage_entry (key, hour, quantity, events, first_at, sealed, rounding)
  SELECT x.key, x.hour, x.quantity, x.events, x.first_at, 0, 0
  FROM ${sqlite.list(1, { ...entryId, quantity: "bigint", events: "bigint", first_at: "bigint" })} AS x WHERE true
  ON CONFLICT (key, hour) DO UPDATE SET quantity = usage_entry.quantity + excluded.quantity,
    events = usage_entry.events + excluded.events
  WHERE usage_entry.sealed = 0`

const sealedEntries = `SELECT e.key, e.hour FROM ${sqlite.list(1, entryId)} AS x CROSS JOIN usage_entry AS e
  WHERE e.key = x.key AND e.hour = x.hour AND e.sealed = 1 ORDER BY x.ord`

const addToAllocations = `INSERT INTO usage_allocation (key, hour, tags, quantity)
  ${select({ ...entryId, tags: "text", quantity: "bigint" })}
  ON CONFLICT (key, hour, tags) DO UPDATE SET quantity = usage_allocation.quantity + excluded.quantity`

/** The largest sum. SQLite would turn a larger sum into a floating-point number. The schema has the same limit. */
const maxSum = 2n ** 62n

/** Records events. The caller has to roll back unless the result is `Recorded`. */
export const recordEvents = (
  connection: Connection,
  events: ReadonlyArray<EventRow>,
  now: number
): RecordEventsResult => {
  const existing = insert(connection, events)
  const ids = new Set(existing.map(({ id }) => id))
  const fresh = ids.size === 0 ? events : events.filter(({ id }) => !ids.has(id))
  if (fresh.length === 0) {
    return { _tag: "Recorded", existing }
  }
  const entries = entrySums(fresh)
  const tagged = fresh.filter(({ tags }) => tags !== "")
  const allocations = sums(
    tagged,
    (event) => event.tags,
    (event) => BigInt(event.quantity)
  )
  if ([...entries, ...allocations].some(({ quantity }) => quantity > maxSum)) {
    return { _tag: "Overflow" }
  }
  try {
    const changed = connection.run(addToEntries, [
      listParameter(
        entries.map((entry) => [entry.key, entry.hour, entry.quantity, entry.events, now])
      )
    ])
    if (changed !== entries.length) {
      const sealed = connection.query(sealedEntries, [
        listParameter(entries.map((entry) => [entry.key, entry.hour]))
      ])
      return { _tag: "Sealed", entries: sealed.map(entryIdOf) }
    }
    if (allocations.length > 0) {
      connection.run(addToAllocations, [
        listParameter(allocations.map((row) => [row.key, row.hour, row.tags, row.quantity]))
      ])
    }
  } catch (error) {
    // the limits of sums are the only constraints that these statements can violate
    if (codeOf(error) === "CONSTRAINT") {
      return { _tag: "Overflow" }
    }
    throw error
  }
  return { _tag: "Recorded", existing }
}

/** Inserts the events whose ids are not stored yet. Returns the number of inserted rows. */
const insertNew = (connection: Connection, events: ReadonlyArray<EventRow>): number => {
  let inserted = 0
  let from = 0
  for (const [size, statement] of insertStatements) {
    for (; from + size <= events.length; from += size) {
      const values: Array<string | number> = []
      for (let i = from; i < from + size; i += 1) {
        const { at, hour, id, key, quantity, tags } = events[i] as EventRow
        values.push(id, key, hour, at, quantity, tags)
      }
      inserted += connection.run(statement, values)
    }
  }
  return inserted
}

/** Inserts the events whose ids are not stored yet. Returns the stored rows of the others. */
const insert = (
  connection: Connection,
  events: ReadonlyArray<EventRow>
): ReadonlyArray<EventRow> => {
  connection.exec("SAVEPOINT usage_events")
  if (insertNew(connection, events) === events.length) {
    connection.exec("RELEASE usage_events")
    return []
  }
  // some ids are stored already, as in a retry: finds these events, and inserts only the others
  connection.exec("ROLLBACK TO usage_events; RELEASE usage_events")
  const existing = connection
    .query(existingEvents, [listParameter(events.map(({ id }) => [id]))])
    .map(eventOf)
  const ids = new Set(existing.map(({ id }) => id))
  const fresh = events.filter(({ id }) => !ids.has(id))
  if (fresh.length === events.length) {
    throw new Error("two events of one call have the same id, or SQLite changed the text of an id")
  }
  if (fresh.length > 0) {
    insert(connection, fresh)
  }
  return existing
}

/** Sums the quantities and counts the events of each entry. */
const entrySums = (
  events: ReadonlyArray<EventRow>
): ReadonlyArray<EntryId & { readonly quantity: bigint; readonly events: number }> => {
  const byKey = new Map<
    number,
    Map<number, { key: number; hour: number; quantity: bigint; small: number; events: number }>
  >()
  for (const { key, hour, quantity } of events) {
    let byHour = byKey.get(key)
    if (byHour === undefined) {
      byHour = new Map()
      byKey.set(key, byHour)
    }
    let sum = byHour.get(hour)
    if (sum === undefined) {
      sum = { key, hour, quantity: 0n, small: 0, events: 0 }
      byHour.set(hour, sum)
    }
    // adds numbers, which is faster, as long as the sum is a safe integer
    const small = sum.small + quantity
    if (Number.isSafeInteger(small)) {
      sum.small = small
    } else {
      sum.quantity += BigInt(quantity)
    }
    sum.events += 1
  }
  return [...byKey.values()]
    .flatMap((byHour) => [...byHour.values()])
    .map(({ key, hour, quantity, small, events: count }) => ({
      key,
      hour,
      quantity: quantity + BigInt(small),
      events: count
    }))
    .sort((a, b) => a.key - b.key || a.hour - b.hour)
}
