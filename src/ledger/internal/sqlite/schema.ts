/** The schema of a ledger in SQLite, with triggers that enforce the invariants for all SQL statements. */
import { type Migration, type SchemaWords, schema1, schema2 } from "../sql/migrations.js"

const words: SchemaWords = {
  integer: "INTEGER",
  text: "TEXT",
  identity: "INTEGER PRIMARY KEY AUTOINCREMENT",
  clustered: " STRICT, WITHOUT ROWID",
  options: " STRICT",
  updated: " STRICT"
}

/** SQL of a trigger that rejects an operation on a table if a condition is true. */
const reject = (
  table: string,
  operation: "INSERT" | "UPDATE" | "DELETE",
  name: string,
  message: string,
  condition = "1"
) =>
  `CREATE TRIGGER ${table}_${name} BEFORE ${operation} ON ${table} WHEN ${condition}
   BEGIN SELECT RAISE(ABORT, '${message}'); END`

const differs = (columns: ReadonlyArray<string>) =>
  columns.map((column) => `OLD.${column} IS NOT NEW.${column}`).join(" OR ")

/** SQL condition: the row exists. Used to reject REPLACE, which deletes a row without firing the DELETE triggers. */
const exists = (table: string, keys: ReadonlyArray<string>) =>
  `EXISTS (SELECT 1 FROM ${table} WHERE ${keys.map((key) => `${key} = NEW.${key}`).join(" AND ")})`

const noDeletion = (table: string) =>
  reject(table, "DELETE", "no_delete", `a row of ${table} is not deleted`)

/** Triggers of a table whose rows are never changed, deleted or replaced. */
const appendOnly = (table: string, keys: ReadonlyArray<string>) => [
  reject(table, "UPDATE", "no_update", `a row of ${table} does not change`),
  noDeletion(table),
  reject(table, "INSERT", "no_replace", `a row of ${table} is not replaced`, exists(table, keys))
]

const isSealed = (row: "OLD" | "NEW") =>
  `EXISTS (SELECT 1 FROM usage_entry WHERE key = ${row}.key AND hour = ${row}.hour AND sealed = 1)`

/** Triggers of a table whose rows are parts of an entry's sum, and cannot change once the entry is sealed. */
const partOfSum = (table: string, keys: ReadonlyArray<string>) => [
  reject(table, "INSERT", "insert_sealed", "the entry is sealed", isSealed("NEW")),
  reject(
    table,
    "UPDATE",
    "update_sealed",
    "the entry is sealed",
    `${isSealed("OLD")} OR ${differs(keys)}`
  ),
  noDeletion(table)
]

const triggers1: ReadonlyArray<string> = [
  reject("usage_event", "UPDATE", "no_update", "an event does not change"),
  noDeletion("usage_event"),
  // inserting a stored id again is ignored, and not an error
  `CREATE TRIGGER usage_event_no_replace BEFORE INSERT ON usage_event WHEN ${exists("usage_event", ["id"])}
   BEGIN SELECT RAISE(IGNORE); END`,
  ...partOfSum("usage_posting", ["cause", "reference", "key", "hour", "tags"]),
  ...partOfSum("usage_allocation", ["key", "hour", "tags"]),
  reject(
    "usage_entry",
    "UPDATE",
    "sealed",
    "a sealed entry does not change",
    `(OLD.sealed = 1 AND (${differs(["sealed", "quantity", "events", "first_at", "rounding"])}))
     OR ${differs(["key", "hour"])}`
  ),
  noDeletion("usage_entry"),
  // the insertion is ignored, and `recordEvents` detects that no row was changed
  `CREATE TRIGGER usage_entry_no_replace BEFORE INSERT ON usage_entry WHEN ${isSealed("NEW")}
   BEGIN SELECT RAISE(IGNORE); END`,
  reject(
    "usage_record",
    "UPDATE",
    "body",
    "a record does not change",
    differs([
      "id",
      "key",
      "hour",
      "subscription",
      "region",
      "product",
      "quantity",
      "dated_at",
      "body",
      "deadline",
      "sealed_at"
    ])
  ),
  reject(
    "usage_record",
    "UPDATE",
    "accepted",
    "an accepted record stays accepted",
    "OLD.state = 'accepted' AND NEW.state IS NOT 'accepted'"
  ),
  noDeletion("usage_record"),
  reject(
    "usage_record",
    "INSERT",
    "no_replace",
    "a record is not replaced",
    `${exists("usage_record", ["id"])} OR ${exists("usage_record", ["key", "hour"])}`
  ),
  ...appendOnly("usage_call", ["id"]),
  ...appendOnly("usage_attempt", ["record", "call"]),
  ...appendOnly("usage_result", ["seq"]),
  ...appendOnly("usage_history", ["seq"])
]

/** Stores the oldest schema version whose code can write to the file in a pragma, which each transaction reads at its start. */
const writableFrom = (version: number) => `PRAGMA user_version = ${version}`

export const migrations: ReadonlyArray<Migration> = [
  {
    version: 1,
    writableFrom: 1,
    statements: [...schema1(words), ...triggers1, writableFrom(1)]
  },
  { version: 2, writableFrom: 2, statements: [...schema2(words), writableFrom(2)] }
]
