import * as Effect from "effect/Effect"
import type { HistoryRow, KeyRow, RecordState } from "../model/rows.js"
import type {
  Difference,
  EntryFilter,
  EntryId,
  EntryView,
  HourlyCount,
  StateCount,
  Tables
} from "../tables.js"
import { conditions, keyOf } from "./catalogTables.js"
import {
  sumColumns,
  toBigInt,
  toNumber,
  toOptionalNumber,
  toOptionalText,
  toSum
} from "./columns.js"
import { type Dialect, listParameter } from "./dialect.js"
import { prefixedRecordColumns, recordOf } from "./reportingTables.js"
import type { Row, SqlSession } from "./session.js"
import { carryOf, entryColumns, entryOf } from "./usageTables.js"

/** SQL for the state of an entry: `open`, the state of its record, or `zero` for a sealed entry without a record. */
const entryState = "CASE WHEN e.sealed = 0 THEN 'open' ELSE COALESCE(r.state, 'zero') END"

/** SQL for the number of smallest parts in one unit, 10^scale, of the key `k`. */
const unit = `CASE k.scale ${Array.from({ length: 10 }, (_, scale) => `WHEN ${scale} THEN ${10 ** scale}`).join(" ")} END`

/** Lists, counts and checks. */
export const readingTables = (
  { query }: SqlSession,
  dialect: Dialect
): Pick<
  Tables,
  | "entryPage"
  | "history"
  | "stateCounts"
  | "hourlyCounts"
  | "carryOver"
  | "lastActivityAt"
  | "verifySums"
  | "keyTotals"
> => ({
  entryPage: (filter, after, limit) => {
    const { where, params, parameter, add } = conditions()
    // with two lower bounds of the hour, SQLite would seek the index by the wrong one
    const isAfter = after !== undefined && after.hour >= (filter.fromHour ?? 0)
    addFilter(dialect, add, isAfter ? { ...filter, fromHour: undefined } : filter)
    if (after !== undefined) {
      const key = parameter(after.key)
      add((hour) => `(e.hour, e.key) > ($${hour}, $${key})`, after.hour)
    }
    return Effect.map(
      query(
        `SELECT ${entryColumns}, k.lineage, k.dimension, k.scale, k.region, k.product, ${prefixedRecordColumns}
         FROM usage_entry AS e JOIN usage_key AS k ON k.id = e.key
         LEFT JOIN usage_record AS r ON r.key = e.key AND r.hour = e.hour${where()}
         ORDER BY e.hour, e.key LIMIT $${parameter(limit)}`,
        params
      ),
      (rows) => rows.map(viewOf)
    )
  },
  history: (ids) =>
    Effect.map(
      query(
        `SELECT h.* FROM ${dialect.list(1, { key: "bigint", hour: "bigint" })} AS x CROSS JOIN usage_history AS h
         WHERE h.key = x.key AND h.hour = x.hour ORDER BY h.seq`,
        [listParameter(ids.map((id) => [id.key, id.hour]))]
      ),
      (rows) => rows.map(historyOf)
    ),
  stateCounts: (acceptedFromHour) =>
    Effect.map(
      query(
        `SELECT k.region, k.product, 'open' AS state, COUNT(*) AS count, MIN(e.hour) AS oldest_hour, NULL AS next_deadline
         FROM usage_entry AS e JOIN usage_key AS k ON k.id = e.key WHERE e.sealed = 0 GROUP BY k.region, k.product
         UNION ALL
         SELECT r.region, r.product, r.state, COUNT(*), MIN(r.hour),
           MIN(CASE WHEN r.resolved_at IS NULL THEN r.deadline END)
         FROM usage_record AS r WHERE r.state <> 'accepted' GROUP BY r.region, r.product, r.state
         UNION ALL
         SELECT r.region, r.product, 'accepted', COUNT(*), MIN(r.hour), NULL
         FROM usage_record AS r WHERE r.state = 'accepted' AND r.hour >= $1 GROUP BY r.region, r.product
         ORDER BY 1, 2, 3`,
        [acceptedFromHour]
      ),
      (rows) => rows.map(stateCountOf)
    ),
  hourlyCounts: (fromHour) =>
    Effect.map(
      query(
        `SELECT k.product, e.hour, ${entryState} AS state, COUNT(*) AS entries
         FROM usage_entry AS e JOIN usage_key AS k ON k.id = e.key
         LEFT JOIN usage_record AS r ON r.key = e.key AND r.hour = e.hour
         WHERE e.hour >= $1 GROUP BY 1, 2, 3 ORDER BY 2, 1, 3`,
        [fromHour]
      ),
      (rows) =>
        rows.map((row) => ({
          product: String(row.product),
          hour: toNumber(row.hour),
          state: row.state as HourlyCount["state"],
          entries: toNumber(row.entries)
        }))
    ),
  carryOver: (units, limit) =>
    Effect.map(
      query(
        `SELECT c.key, c.tags, CAST(c.amount AS TEXT) AS amount, k.scale, k.product, k.dimension, k.lineage
         FROM usage_carry AS c JOIN usage_key AS k ON k.id = c.key
         WHERE c.amount / (${unit}) >= $1 ORDER BY c.key, c.tags LIMIT $2`,
        [units, limit]
      ),
      (rows) =>
        rows.map((row) => ({
          ...carryOf(row),
          scale: toNumber(row.scale),
          product: String(row.product),
          dimension: String(row.dimension),
          lineage: String(row.lineage)
        }))
    ),
  lastActivityAt: Effect.map(
    query(
      `SELECT (SELECT MAX(sent_at) FROM usage_call) AS sent_at, (SELECT MAX(at) FROM usage_result) AS result_at,
         (SELECT MAX(sealed_at) FROM usage_record) AS sealed_at`,
      []
    ),
    ([row]) => {
      const times = [row?.sent_at, row?.result_at, row?.sealed_at].flatMap(
        (time) => toOptionalNumber(time) ?? []
      )
      return times.length === 0 ? undefined : Math.max(...times)
    }
  ),
  verifySums: (after, limit) =>
    Effect.gen(function* () {
      const page = conditions()
      if (after !== undefined) {
        const key = page.parameter(after.key)
        page.add((hour) => `(e.hour, e.key) > ($${hour}, $${key})`, after.hour)
      }
      const entries = (yield* query(
        `SELECT ${entryColumns} FROM usage_entry AS e${page.where()} ORDER BY e.hour, e.key
         LIMIT $${page.parameter(limit)}`,
        page.params
      )).map(entryOf)
      const end = entries.at(-1)
      if (end === undefined) {
        return { differences: [], last: undefined }
      }
      const range = conditions()
      if (after !== undefined) {
        const key = range.parameter(after.key)
        range.add(
          (hour) => `v.hour >= $${hour} AND (v.hour, v.key) > ($${hour}, $${key})`,
          after.hour
        )
      }
      const last = range.parameter(end.key)
      // compares the hour by itself too, so that an index of hours can be used
      range.add(
        (hour) => `v.hour <= $${hour} AND (v.hour, v.key) <= ($${hour}, $${last})`,
        end.hour
      )
      const select = (table: string, count: string) =>
        query(
          `SELECT v.key, v.hour, v.tags, ${count} AS events, ${sumColumns("v.quantity", "sum")}
           FROM ${table} AS v${range.where()} GROUP BY v.key, v.hour, v.tags`,
          range.params
        )
      const computed = [
        ...(yield* select("usage_event", "COUNT(*)")),
        ...(yield* select("usage_posting", "0"))
      ]
      const allocations = yield* query(
        `SELECT v.key, v.hour, v.tags, CAST(v.quantity AS TEXT) AS quantity FROM usage_allocation AS v${range.where()}`,
        range.params
      )
      const found = comparison()
      for (const row of computed) {
        const sum = toSum(row, "sum")
        found.compute(row, "quantity", undefined, sum)
        found.compute(row, "events", undefined, toBigInt(row.events))
        if (row.tags !== "") {
          found.compute(row, "allocation", String(row.tags), sum)
        }
      }
      for (const entry of entries) {
        found.store(entry, "quantity", undefined, entry.quantity)
        found.store(entry, "events", undefined, BigInt(entry.events))
      }
      for (const row of allocations) {
        found.store(row, "allocation", String(row.tags), toBigInt(row.quantity))
      }
      return {
        differences: found.differences(),
        last: entries.length < limit ? undefined : { key: end.key, hour: end.hour }
      }
    }),
  keyTotals: (after, limit) =>
    Effect.gen(function* () {
      const keys = (yield* query(
        "SELECT k.* FROM usage_key AS k WHERE k.id > $1 ORDER BY k.id LIMIT $2",
        [after ?? -1, limit]
      )).map((row) => keyOf(row))
      const [first, last] = [keys.at(0), keys.at(-1)]
      if (first === undefined || last === undefined) {
        return []
      }
      const totals = (table: string, amount: string, condition = "1 = 1") =>
        Effect.map(
          query(
            `SELECT v.key, ${sumColumns(`v.${amount}`, "sum")} FROM ${table} AS v
             WHERE v.key BETWEEN $1 AND $2 AND ${condition} GROUP BY v.key`,
            [first.id, last.id]
          ),
          (rows) => new Map(rows.map((row) => [toNumber(row.key), toSum(row, "sum")]))
        )
      const events = yield* totals("usage_event", "quantity")
      const postings = yield* totals("usage_posting", "quantity", "v.cause <> 'forward'")
      const open = yield* totals("usage_entry", "quantity", "v.sealed = 0")
      const billed = yield* totals("usage_record", "quantity", "v.carried_at IS NULL")
      const carry = yield* totals("usage_carry", "amount")
      const rounding = yield* totals("usage_entry", "rounding")
      return keys.map((key) => ({
        key,
        recorded: (events.get(key.id) ?? 0n) + (postings.get(key.id) ?? 0n),
        open: open.get(key.id) ?? 0n,
        billed: billed.get(key.id) ?? 0n,
        carry: carry.get(key.id) ?? 0n,
        rounding: rounding.get(key.id) ?? 0n
      }))
    })
})

const addFilter = (
  dialect: Dialect,
  add: ReturnType<typeof conditions>["add"],
  { product, lineages, fromHour, untilHour, states }: EntryFilter
): void => {
  if (product !== undefined) {
    add((at) => `k.product = $${at}`, product)
  }
  if (lineages !== undefined) {
    add(
      (at) => `k.lineage IN (SELECT x.id FROM ${dialect.list(at, { id: "text" })} AS x)`,
      listParameter(lineages.map((lineage) => [lineage]))
    )
  }
  if (fromHour !== undefined) {
    add((at) => `e.hour >= $${at}`, fromHour)
  }
  if (untilHour !== undefined) {
    add((at) => `e.hour < $${at}`, untilHour)
  }
  if (states !== undefined) {
    add(
      (at) => `${entryState} IN (SELECT x.id FROM ${dialect.list(at, { id: "text" })} AS x)`,
      listParameter(states.map((state) => [state]))
    )
  }
}

/** Compares stored values with computed values. A missing value counts as 0. */
const comparison = () => {
  const values = new Map<string, { -readonly [name in keyof Difference]: Difference[name] }>()
  const at = (row: Row | EntryId, what: Difference["what"], tags: string | undefined) => {
    const [key, hour] = [toNumber(row.key), toNumber(row.hour)]
    const id = `${key}/${hour}/${what}/${tags ?? ""}`
    const existing = values.get(id)
    if (existing !== undefined) {
      return existing
    }
    const value = { key, hour, what, tags, stored: 0n, computed: 0n }
    values.set(id, value)
    return value
  }
  type Add = (
    row: Row | EntryId,
    what: Difference["what"],
    tags: string | undefined,
    amount: bigint
  ) => void
  const compute: Add = (row, what, tags, amount) => {
    at(row, what, tags).computed += amount
  }
  const store: Add = (row, what, tags, amount) => {
    at(row, what, tags).stored += amount
  }
  return {
    compute,
    store,
    differences: (): ReadonlyArray<Difference> =>
      [...values.values()]
        .filter(({ stored, computed }) => stored !== computed)
        .sort((a, b) => a.hour - b.hour || a.key - b.key)
  }
}

const viewOf = (row: Row): EntryView => {
  const key: KeyRow = keyOf(row, "key")
  return {
    entry: entryOf(row),
    key,
    record: row.record_id === null ? undefined : recordOf(row, "record_")
  }
}

const historyOf = (row: Row): HistoryRow => ({
  at: toNumber(row.at),
  key: toNumber(row.key),
  hour: toNumber(row.hour),
  was: toOptionalText(row.was) as HistoryRow["was"],
  became: row.became as RecordState | "open",
  cause: String(row.cause)
})

const stateCountOf = (row: Row): StateCount => ({
  region: String(row.region),
  product: String(row.product),
  state: row.state as StateCount["state"],
  count: toNumber(row.count),
  oldestHour: toNumber(row.oldest_hour),
  nextDeadline: toOptionalNumber(row.next_deadline)
})
