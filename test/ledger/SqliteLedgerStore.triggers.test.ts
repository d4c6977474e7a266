import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { event, keyRow, newFile, now, open, withSql } from "./support/sqliteFile.js"

/** A ledger with a sealed entry of key 1, an open one of key 2, and an accepted record. */
const ledger = Effect.gen(function* () {
  const file = yield* newFile
  const store = yield* open(file)
  yield* store.transaction((tables) => tables.addKeys([keyRow("a"), keyRow("b")]))
  const tags = '[["team","a"]]'
  yield* store.recordEvents([event("1", { tags }), event("2", { key: 2, tags })], now)
  const id = { key: 1, hour: 490_000 }
  yield* store.transaction((tables) =>
    Effect.gen(function* () {
      for (const key of [1, 2]) {
        yield* tables.addPostings(
          [{ ...id, key, cause: "adjust", reference: "1", tags: "", quantity: 5n }],
          now
        )
      }
      yield* tables.sealEntries([{ ...id, rounding: 0n }])
      yield* tables.addRecords([
        {
          ...id,
          subscription: "s",
          region: "us-east-1",
          product: "product",
          quantity: 6,
          timestamp: now,
          body: "{}",
          deadline: now + 1,
          sealedAt: now,
          state: "sealed",
          tries: 0,
          nextTryAt: now,
          resolvedAt: undefined,
          meteringRecordId: undefined,
          carriedAt: undefined
        }
      ])
      const call = yield* tables.addCall(
        { region: "us-east-1", fence: 1, worker: "w", sentAt: now },
        [1]
      )
      yield* tables.addResults([
        {
          record: 1,
          call,
          at: now,
          result: "success",
          meteringRecordId: "m",
          requestId: "r",
          detail: undefined
        }
      ])
      yield* tables.updateRecords([
        {
          id: 1,
          state: "accepted",
          tries: 0,
          nextTryAt: now,
          resolvedAt: now,
          meteringRecordId: "m",
          carriedAt: undefined
        }
      ])
      yield* tables.addHistory([
        { at: now, ...id, was: "sealed", became: "accepted", cause: "success" }
      ])
    })
  )
  return file
})

/** Each would change evidence or a sum that is billed. */
const violations: ReadonlyArray<string> = [
  // events
  "UPDATE usage_event SET quantity = 2 WHERE id = '1'",
  "UPDATE usage_event SET id = '3' WHERE id = '1'",
  "DELETE FROM usage_event WHERE id = '2'",
  // sums of a sealed entry
  "UPDATE usage_entry SET quantity = quantity + 1 WHERE key = 1",
  "UPDATE usage_entry SET events = 0 WHERE key = 1",
  "UPDATE usage_entry SET first_at = 0 WHERE key = 1",
  "UPDATE usage_entry SET rounding = 1 WHERE key = 1",
  "UPDATE usage_entry SET sealed = 0 WHERE key = 1",
  "UPDATE usage_entry SET hour = hour + 1 WHERE key = 1",
  "UPDATE usage_entry SET hour = hour + 1 WHERE key = 2",
  "DELETE FROM usage_entry WHERE key = 1",
  "DELETE FROM usage_entry WHERE key = 2",
  "UPDATE usage_allocation SET quantity = 9 WHERE key = 1",
  "UPDATE usage_allocation SET key = 1, tags = 'x' WHERE key = 2",
  'INSERT INTO usage_allocation VALUES (1, 490000, \'[["team","b"]]\', 1)',
  "DELETE FROM usage_allocation WHERE key = 1",
  "UPDATE usage_posting SET quantity = 9 WHERE key = 1",
  "UPDATE usage_posting SET reference = '9' WHERE key = 2",
  "INSERT INTO usage_posting VALUES ('adjust', '9', 1, 490000, '', 1)",
  "DELETE FROM usage_posting WHERE key = 2",
  // records
  ...[
    "id = 2",
    "key = 2",
    "hour = 1",
    "subscription = 'x'",
    "region = 'x'",
    "product = 'x'",
    "quantity = 7",
    "dated_at = 1",
    "body = '[]'",
    "deadline = 1",
    "sealed_at = 1",
    "state = 'sealed'",
    "state = 'inDoubt'"
  ].map((change) => `UPDATE usage_record SET ${change}`),
  "DELETE FROM usage_record",
  `REPLACE INTO usage_record SELECT id, key, hour, subscription, region, product, 7, dated_at, body, deadline, sealed_at, state,
   tries, next_try_at, resolved_at, metering_record_id, carried_at FROM usage_record`,
  // evidence
  ...["usage_call", "usage_attempt", "usage_result", "usage_history"].flatMap((table) => [
    `DELETE FROM ${table}`,
    `REPLACE INTO ${table} SELECT * FROM ${table}`
  ]),
  "UPDATE usage_call SET sent_at = 1",
  "UPDATE usage_attempt SET record = 2",
  "UPDATE usage_result SET result = 'unsent'",
  "UPDATE usage_history SET became = 'expired'",
  // limits
  "UPDATE usage_entry SET quantity = 4611686018427387905 WHERE key = 2",
  "UPDATE usage_entry SET quantity = 1.5 WHERE key = 2",
  "INSERT INTO usage_carry VALUES (1, '', -4611686018427387905)",
  "INSERT INTO usage_carry VALUES (1, '', 9223372036854775807 + 1)"
]

it.scoped.each(violations)("SQLite rejects %s", (sql) =>
  Effect.gen(function* () {
    const file = yield* ledger
    withSql(file, (database) => {
      const before = contents(database)
      expect(() => database.exec(sql)).toThrow()
      expect(contents(database)).toEqual(before)
    })
  })
)

it.scoped("SQLite ignores a replacement of an event or a sealed entry", () =>
  Effect.gen(function* () {
    const file = yield* ledger
    withSql(file, (database) => {
      const before = contents(database)
      database.exec("REPLACE INTO usage_event VALUES ('1', 1, 490000, 1, 99, '')")
      database.exec("REPLACE INTO usage_entry VALUES (1, 490000, 0, 99, 9, 9, 0)")
      expect(contents(database)).toEqual(before)
    })
  })
)

it.scoped("SQLite allows what a ledger does", () =>
  Effect.gen(function* () {
    const file = yield* ledger
    withSql(file, (database) => {
      for (const sql of [
        "UPDATE usage_entry SET quantity = quantity + 1 WHERE key = 2",
        "UPDATE usage_allocation SET quantity = quantity + 1 WHERE key = 2",
        "UPDATE usage_posting SET quantity = quantity + 1 WHERE key = 2",
        "UPDATE usage_record SET carried_at = 1, tries = 2, next_try_at = 3, resolved_at = 4",
        "UPDATE usage_entry SET sealed = 1, rounding = 5 WHERE key = 2"
      ]) {
        expect(database.prepare(sql).run().changes).toBe(1)
      }
    })
  })
)

const contents = (database: {
  readonly prepare: (sql: string) => { readonly all: () => unknown }
}) =>
  [
    "event",
    "posting",
    "entry",
    "allocation",
    "carry",
    "record",
    "call",
    "attempt",
    "result",
    "history"
  ].map((name) => database.prepare(`SELECT * FROM usage_${name}`).all())
