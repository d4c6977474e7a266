import * as Effect from "effect/Effect"
import type { AllocationRow, CarryRow, EntryRow, EventRow, PostingRow } from "../model/rows.js"
import type { EntryId, Tables } from "../tables.js"
import { conditions } from "./catalogTables.js"
import { toBigInt, toNumber } from "./columns.js"
import { type Dialect, listParameter } from "./dialect.js"
import { recordColumns, recordOf } from "./reportingTables.js"
import type { Row, SqlSession } from "./session.js"

const entryId = { key: "bigint", hour: "bigint" } as const

export const entryColumns =
  "e.key, e.hour, e.sealed, CAST(e.quantity AS TEXT) AS quantity, e.events, e.first_at, CAST(e.rounding AS TEXT) AS rounding"

/** Events, postings, entries, allocations and carry, and the insertion of records. */
export const usageTables = (
  { query }: SqlSession,
  dialect: Dialect
): Pick<
  Tables,
  | "events"
  | "postings"
  | "addPostings"
  | "ensureEntries"
  | "lockOpenEntries"
  | "entries"
  | "allocations"
  | "carry"
  | "putCarry"
  | "sealEntries"
  | "addRecords"
> => {
  const ids = dialect.list(1, entryId)
  return {
    events: (events) =>
      Effect.map(
        query(
          `SELECT v.* FROM ${dialect.list(1, { id: "text" })} AS x CROSS JOIN usage_event AS v WHERE v.id = x.id
           ORDER BY x.ord`,
          [listParameter(events.map((id) => [id]))]
        ),
        (rows) => rows.map(eventOf)
      ),
    postings: ({ cause, references }) =>
      Effect.map(
        query(
          `SELECT p.key, p.hour, p.cause, p.reference, p.tags, CAST(p.quantity AS TEXT) AS quantity
           FROM ${dialect.list(2, { reference: "text" })} AS x CROSS JOIN usage_posting AS p
           WHERE p.cause = $1 AND p.reference = x.reference ORDER BY x.ord, p.key, p.hour, p.tags`,
          [cause, listParameter(references.map((reference) => [reference]))]
        ),
        (rows) => rows.map(postingOf)
      ),
    addPostings: (rows, now) => {
      const entries = sums(
        rows,
        () => "",
        (row) => row.quantity
      )
      return Effect.flatMap(
        query(
          `SELECT e.key, e.hour, e.sealed FROM ${ids} AS x CROSS JOIN usage_entry AS e
           WHERE e.key = x.key AND e.hour = x.hour ORDER BY e.key, e.hour ${dialect.forUpdate("e")}`,
          [listParameter(entries.map((entry) => [entry.key, entry.hour]))]
        ),
        (existing) => {
          const sealed = existing.filter((row) => toNumber(row.sealed) === 1).map(entryIdOf)
          if (sealed.length > 0) {
            return Effect.succeed(sealed)
          }
          const tagged = rows.filter((row) => row.tags !== "")
          return Effect.as(
            Effect.all(
              [
                query(
                  `INSERT INTO usage_posting (cause, reference, key, hour, tags, quantity)
                   SELECT x.cause, x.reference, x.key, x.hour, x.tags, x.quantity
                   FROM ${dialect.list(1, {
                     cause: "text",
                     reference: "text",
                     key: "bigint",
                     hour: "bigint",
                     tags: "text",
                     quantity: "bigint"
                   })} AS x WHERE true
                   ON CONFLICT (cause, reference, key, hour, tags)
                   DO UPDATE SET quantity = usage_posting.quantity + excluded.quantity`,
                  [
                    listParameter(
                      rows.map((row) => [
                        row.cause,
                        row.reference,
                        row.key,
                        row.hour,
                        row.tags,
                        row.quantity
                      ])
                    )
                  ]
                ),
                query(
                  `INSERT INTO usage_entry (key, hour, sealed, quantity, events, first_at, rounding)
                   SELECT x.key, x.hour, 0, x.quantity, 0, x.first_at, 0
                   FROM ${dialect.list(1, {
                     key: "bigint",
                     hour: "bigint",
                     quantity: "bigint",
                     first_at: "bigint"
                   })} AS x WHERE true ORDER BY x.key, x.hour
                   ON CONFLICT (key, hour) DO UPDATE SET quantity = usage_entry.quantity + excluded.quantity`,
                  [
                    listParameter(
                      entries.map((entry) => [entry.key, entry.hour, entry.quantity, now])
                    )
                  ]
                ),
                tagged.length === 0
                  ? Effect.void
                  : query(
                      `INSERT INTO usage_allocation (key, hour, tags, quantity)
                       SELECT x.key, x.hour, x.tags, x.quantity
                       FROM ${dialect.list(1, {
                         key: "bigint",
                         hour: "bigint",
                         tags: "text",
                         quantity: "bigint"
                       })} AS x WHERE true ORDER BY x.key, x.hour, x.tags
                       ON CONFLICT (key, hour, tags)
                       DO UPDATE SET quantity = usage_allocation.quantity + excluded.quantity`,
                      [
                        listParameter(
                          sums(
                            tagged,
                            (row) => row.tags,
                            (row) => row.quantity
                          ).map((row) => [row.key, row.hour, row.tags, row.quantity])
                        )
                      ]
                    )
              ],
              { discard: true }
            ),
            []
          )
        }
      )
    },
    ensureEntries: (rows, now) =>
      query(
        `INSERT INTO usage_entry (key, hour, sealed, quantity, events, first_at, rounding)
         SELECT x.key, x.hour, 0, 0, 0, CAST($2 AS bigint), 0 FROM ${ids} AS x WHERE true ORDER BY x.key, x.hour
         ON CONFLICT (key, hour) DO NOTHING`,
        [listParameter(rows.map((row) => [row.key, row.hour])), now]
      ),
    lockOpenEntries: ({ region, beforeHour, lineages, hold, limit }) => {
      const { where, params, parameter, add, addText } = conditions()
      addText("e.sealed = 0")
      add((at) => `e.hour < $${at}`, beforeHour)
      // a subquery and not a join, so that entries are read in the order of the index, whatever the planner's statistics
      add((at) => `(SELECT k.region FROM usage_key AS k WHERE k.id = e.key) = $${at}`, region)
      if (lineages !== undefined) {
        add(
          (at) =>
            `e.key IN (SELECT k.id FROM usage_key AS k
               WHERE k.lineage IN (SELECT x.lineage FROM ${dialect.list(at, { lineage: "text" })} AS x))`,
          listParameter(lineages.map((lineage) => [lineage]))
        )
      }
      if (hold !== undefined) {
        const until = parameter(hold.until)
        add((from) => `(e.hour < $${from} OR e.hour >= $${until})`, hold.from)
      }
      return Effect.map(
        query(
          `SELECT ${entryColumns} FROM usage_entry AS e${where()}
           ORDER BY e.hour, e.key LIMIT $${parameter(limit)} ${dialect.forUpdate("e", "skip")}`,
          params
        ),
        (rows) => rows.map(entryOf)
      )
    },
    entries: (entries) =>
      Effect.map(
        query(
          `SELECT ${entryColumns} FROM ${ids} AS x CROSS JOIN usage_entry AS e
           WHERE e.key = x.key AND e.hour = x.hour ORDER BY x.ord`,
          [listParameter(entries.map((entry) => [entry.key, entry.hour]))]
        ),
        (rows) => rows.map(entryOf)
      ),
    allocations: (entries) =>
      Effect.map(
        query(
          `SELECT a.key, a.hour, a.tags, CAST(a.quantity AS TEXT) AS quantity
           FROM ${ids} AS x CROSS JOIN usage_allocation AS a
           WHERE a.key = x.key AND a.hour = x.hour ORDER BY x.ord, a.tags`,
          [listParameter(entries.map((entry) => [entry.key, entry.hour]))]
        ),
        (rows) => rows.map(allocationOf)
      ),
    carry: (keys) =>
      Effect.map(
        query(
          `SELECT c.key, c.tags, CAST(c.amount AS TEXT) AS amount
           FROM ${dialect.list(1, { key: "bigint" })} AS x CROSS JOIN usage_carry AS c
           WHERE c.key = x.key ORDER BY c.key, c.tags ${dialect.forUpdate("c")}`,
          [listParameter(keys.map((key) => [key]))]
        ),
        (rows) => rows.map(carryOf)
      ),
    putCarry: (rows) => {
      const columns = { key: "bigint", tags: "text", amount: "bigint" } as const
      const listOf = (some: ReadonlyArray<CarryRow>) =>
        listParameter(some.map((row) => [row.key, row.tags, row.amount]))
      const zero = rows.filter((row) => row.amount === 0n)
      const others = rows.filter((row) => row.amount !== 0n)
      return Effect.zipRight(
        zero.length === 0
          ? Effect.void
          : query(
              `DELETE FROM usage_carry WHERE (key, tags) IN
               (SELECT x.key, x.tags FROM ${dialect.list(1, columns)} AS x)`,
              [listOf(zero)]
            ),
        others.length === 0
          ? Effect.void
          : query(
              `INSERT INTO usage_carry (key, tags, amount)
               SELECT x.key, x.tags, x.amount FROM ${dialect.list(1, columns)} AS x WHERE true ORDER BY x.key, x.tags
               ON CONFLICT (key, tags) DO UPDATE SET amount = excluded.amount`,
              [listOf(others)]
            )
      )
    },
    sealEntries: (rows) =>
      query(
        `UPDATE usage_entry SET sealed = 1, rounding = x.rounding
         FROM ${dialect.list(1, { ...entryId, rounding: "bigint" })} AS x
         WHERE usage_entry.key = x.key AND usage_entry.hour = x.hour`,
        [listParameter(rows.map((row) => [row.key, row.hour, row.rounding]))]
      ),
    addRecords: (rows) =>
      Effect.map(
        query(
          `INSERT INTO usage_record (key, hour, subscription, region, product, quantity, dated_at, body, deadline, sealed_at,
             state, tries, next_try_at, resolved_at, metering_record_id, carried_at)
           SELECT x.key, x.hour, x.subscription, x.region, x.product, x.quantity, x.dated_at, x.body, x.deadline, x.sealed_at,
             x.state, x.tries, x.next_try_at, x.resolved_at, x.metering_record_id, x.carried_at
           FROM ${dialect.list(1, {
             key: "bigint",
             hour: "bigint",
             subscription: "text",
             region: "text",
             product: "text",
             quantity: "bigint",
             dated_at: "bigint",
             body: "text",
             deadline: "bigint",
             sealed_at: "bigint",
             state: "text",
             tries: "bigint",
             next_try_at: "bigint",
             resolved_at: "bigint",
             metering_record_id: "text",
             carried_at: "bigint"
           })} AS x WHERE true ORDER BY x.ord RETURNING ${recordColumns}`,
          [
            listParameter(
              rows.map((row) => [
                row.key,
                row.hour,
                row.subscription,
                row.region,
                row.product,
                row.quantity,
                row.timestamp,
                row.body,
                row.deadline,
                row.sealedAt,
                row.state,
                row.tries,
                row.nextTryAt,
                row.resolvedAt,
                row.meteringRecordId,
                row.carriedAt
              ])
            )
          ]
        ),
        (stored) => {
          const order = new Map(rows.map((row, index) => [`${row.key}/${row.hour}`, index]))
          const indexOf = (row: EntryId) => order.get(`${row.key}/${row.hour}`) ?? 0
          return stored.map((row) => recordOf(row)).sort((a, b) => indexOf(a) - indexOf(b))
        }
      )
  }
}

/** Sums quantities by entry and tags, ordered by key and hour. */
export const sums = <A extends EntryId>(
  rows: ReadonlyArray<A>,
  tagsOf: (row: A) => string,
  quantityOf: (row: A) => bigint
): ReadonlyArray<AllocationRow> => {
  const byId = new Map<string, { key: number; hour: number; tags: string; quantity: bigint }>()
  for (const row of rows) {
    const tags = tagsOf(row)
    const id = `${row.key}/${row.hour}/${tags}`
    const sum = byId.get(id)
    if (sum === undefined) {
      byId.set(id, { key: row.key, hour: row.hour, tags, quantity: quantityOf(row) })
    } else {
      sum.quantity += quantityOf(row)
    }
  }
  return [...byId.values()].sort((a, b) => a.key - b.key || a.hour - b.hour)
}

export const entryIdOf = (row: Row): EntryId => ({
  key: toNumber(row.key),
  hour: toNumber(row.hour)
})

export const eventOf = (row: Row): EventRow => ({
  id: String(row.id),
  key: toNumber(row.key),
  hour: toNumber(row.hour),
  at: toNumber(row.at),
  quantity: toNumber(row.quantity),
  tags: String(row.tags)
})

export const entryOf = (row: Row): EntryRow => ({
  key: toNumber(row.key),
  hour: toNumber(row.hour),
  isSealed: toNumber(row.sealed) === 1,
  quantity: toBigInt(row.quantity),
  events: toNumber(row.events),
  firstAt: toNumber(row.first_at),
  rounding: toBigInt(row.rounding)
})

const postingOf = (row: Row): PostingRow => ({
  key: toNumber(row.key),
  hour: toNumber(row.hour),
  cause: row.cause as PostingRow["cause"],
  reference: String(row.reference),
  tags: String(row.tags),
  quantity: toBigInt(row.quantity)
})

const allocationOf = (row: Row): AllocationRow => ({
  key: toNumber(row.key),
  hour: toNumber(row.hour),
  tags: String(row.tags),
  quantity: toBigInt(row.quantity)
})

export const carryOf = (row: Row): CarryRow => ({
  key: toNumber(row.key),
  tags: String(row.tags),
  amount: toBigInt(row.amount)
})
