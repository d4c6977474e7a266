import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { LedgerUnavailable } from "../../LedgerError.js"
import type { RecordEventsResult } from "../../UsageLedgerStore.js"
import type { EventRow } from "../model/rows.js"
import { entryIdOf, eventOf } from "../sql/usageTables.js"
import type { Connection } from "./connection.js"
import type { ConnectionPool } from "./connectionPool.js"
import { isOverflow, isRepeatable, sealedState } from "./failure.js"
import {
  again,
  done,
  failWith,
  notReplicated,
  repeat,
  rollback,
  unavailable
} from "./transactions.js"

/**
 * Inserts the events whose ids are new, ordered by id, and adds them to their entries, ordered by key, so that two batches do not
 * deadlock. Returns the new ids as JSON, or null if all ids are new.
 */
const recordStatement = (hasTags: boolean) => `
WITH fresh AS (
  INSERT INTO usage_event (id, key, hour, at, quantity, tags)
  SELECT i.id, i.key, i.hour, i.at, i.quantity, i.tags
  FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[])
    AS i(id, key, hour, at, quantity, tags)
  ORDER BY i.id COLLATE "C"
  ON CONFLICT (id) DO NOTHING
  RETURNING id, key, hour, quantity, tags
), entry AS (
  INSERT INTO usage_entry (key, hour, sealed, quantity, events, first_at, rounding)
  SELECT key, hour, 0, CAST(SUM(quantity) AS bigint), COUNT(*), $7::bigint, 0
  FROM fresh GROUP BY key, hour ORDER BY key, hour
  ON CONFLICT (key, hour) DO UPDATE
    SET quantity = usage_entry.quantity + excluded.quantity, events = usage_entry.events + excluded.events
  RETURNING 1
)${
  hasTags
    ? `, allocation AS (
  INSERT INTO usage_allocation (key, hour, tags, quantity)
  SELECT key, hour, tags, CAST(SUM(quantity) AS bigint)
  FROM fresh WHERE tags <> '' AND (SELECT COUNT(*) FROM entry) >= 0
  GROUP BY key, hour, tags ORDER BY key, hour, tags
  ON CONFLICT (key, hour, tags) DO UPDATE SET quantity = usage_allocation.quantity + excluded.quantity
)`
    : ""
}
SELECT CASE WHEN COUNT(*) = cardinality($1::text[]) THEN NULL ELSE COALESCE(json_agg(id)::text, '[]') END AS fresh
FROM fresh`

const statements = {
  tagged: { name: "record_tagged", text: recordStatement(true) },
  untagged: { name: "record", text: recordStatement(false) }
}

/** Selects the sealed entries of the events that are not stored yet. */
const sealedStatement = `
SELECT DISTINCT e.key, e.hour
FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS i(id, key, hour)
  JOIN usage_entry AS e ON e.key = i.key AND e.hour = i.hour
WHERE e.sealed = 1 AND NOT EXISTS (SELECT 1 FROM usage_event AS v WHERE v.id = i.id)
ORDER BY e.key, e.hour`

/** Records events in one statement, without `BEGIN` and `COMMIT`. */
export const recordEvents = (
  pool: ConnectionPool,
  events: ReadonlyArray<EventRow>,
  now: number
): Effect.Effect<RecordEventsResult, LedgerUnavailable> => {
  if (events.length === 0) return Effect.succeed({ _tag: "Recorded", existing: [] })
  const keyColumns = [
    textArray(events.map(({ id }) => id)),
    integerArray(events.map(({ key }) => key)),
    integerArray(events.map(({ hour }) => hour))
  ]
  const statement = {
    ...(events.some(({ tags }) => tags !== "") ? statements.tagged : statements.untagged),
    values: [
      ...keyColumns,
      integerArray(events.map(({ at }) => at)),
      integerArray(events.map(({ quantity }) => quantity)),
      textArray(events.map(({ tags }) => tags)),
      now
    ]
  }
  return repeat(pool, (connection) =>
    Effect.gen(function* () {
      connection.takeWarning()
      const result = yield* Effect.either(connection.run(statement))
      if (Either.isLeft(result)) {
        const failure = result.left
        // if the session still works, the statement was rolled back; if the session ended, it may have been committed before
        const isRolledBack = yield* rollback(connection)
        if (!isRolledBack) return yield* Effect.fail(unavailable(failure, "unknown"))
        if (failure.sqlState === sealedState) {
          const rows = yield* read(connection, sealedStatement, keyColumns, "no")
          // no rows: another process has stored the events of sealed entries in the meantime
          return rows.length === 0
            ? again(failure)
            : done<RecordEventsResult>({ _tag: "Sealed", entries: rows.map(entryIdOf) })
        }
        if (isRepeatable(failure)) return again(failure)
        return isOverflow(failure)
          ? done<RecordEventsResult>({ _tag: "Overflow" })
          : yield* failWith(failure, "no")
      }
      if (connection.takeWarning()) return yield* Effect.fail(notReplicated)
      const fresh = result.right.rows[0]?.fresh
      if (typeof fresh !== "string")
        return done<RecordEventsResult>({ _tag: "Recorded", existing: [] })
      const freshIds = new Set<string>(JSON.parse(fresh))
      const others = events.filter(({ id }) => !freshIds.has(id)).map(({ id }) => id)
      const existing = yield* read(
        connection,
        `SELECT id, key, hour, at, quantity, tags FROM usage_event WHERE id = ANY ($1::text[])`,
        [textArray(others)],
        "unknown"
      )
      return done<RecordEventsResult>({ _tag: "Recorded", existing: existing.map(eventOf) })
    })
  )
}

const read = (
  connection: Connection,
  text: string,
  values: ReadonlyArray<unknown>,
  isStored: LedgerUnavailable["isStored"]
) =>
  connection.run({ text, values }).pipe(
    Effect.map(({ rows }) => rows),
    Effect.catchAll((failure) => failWith(failure, isStored))
  )

const integerArray = (values: ReadonlyArray<number>): string => `{${values.join(",")}}`

const textArray = (values: ReadonlyArray<string>): string =>
  `{${values.map((value) => `"${value.replace(/["\\]/g, "\\$&")}"`).join(",")}}`
