/** The schema of a ledger in PostgreSQL: types, additional indexes, and triggers that enforce the invariants for all SQL statements. */
import { type Migration, type SchemaWords, schema1, schema2 } from "../sql/migrations.js"
import { invariantState, sealedState } from "./failure.js"

const words: SchemaWords = {
  integer: "bigint",
  // the database's collation can change with the operating system
  text: 'text COLLATE "C"',
  identity: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
  clustered: "",
  options: "",
  // leaves room on each page for new row versions, so that updates do not change the indexes (HOT)
  updated: " WITH (fillfactor = 50)"
}

/** SQL of a trigger function that rejects the change. */
const rejection = (name: string, sqlState: string, message: string) =>
  `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN RAISE EXCEPTION '%: ${message}', TG_TABLE_NAME USING ERRCODE = '${sqlState}'; END $$`

const trigger = (name: string, when: string, table: string, does: string, condition = "") =>
  `CREATE TRIGGER ${name} BEFORE ${when} ON ${table} FOR EACH ROW ${condition === "" ? "" : `WHEN (${condition}) `}EXECUTE FUNCTION ${does}()`

const changed = (columns: ReadonlyArray<string>) =>
  `(${columns.map((column) => `OLD.${column}`)}) IS DISTINCT FROM (${columns.map((column) => `NEW.${column}`)})`

/** Tables whose rows are never changed or deleted. */
const appendOnly = [
  "usage_key",
  "usage_event",
  "usage_call",
  "usage_attempt",
  "usage_result",
  "usage_history"
]

/** Tables whose rows are changed, but never deleted. */
const permanent = [
  "usage_ledger",
  "usage_posting",
  "usage_entry",
  "usage_allocation",
  "usage_record"
]

const triggers = [
  rejection("usage_reject_change", invariantState, "this change is not allowed"),
  rejection("usage_reject_sealed", sealedState, "the entry is sealed"),
  ...appendOnly.map((table) =>
    trigger(`${table}_append_only`, "UPDATE OR DELETE", table, "usage_reject_change")
  ),
  ...permanent.map((table) =>
    trigger(`${table}_permanent`, "DELETE", table, "usage_reject_change")
  ),
  ...[...appendOnly, ...permanent].map(
    (table) =>
      `CREATE TRIGGER ${table}_no_truncate BEFORE TRUNCATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION usage_reject_change()`
  ),
  trigger(
    "usage_ledger_owner",
    "UPDATE",
    "usage_ledger",
    "usage_reject_change",
    changed(["seller", "target"])
  ),
  trigger(
    "usage_posting_identity",
    "UPDATE",
    "usage_posting",
    "usage_reject_change",
    changed(["cause", "reference", "key", "hour", "tags"])
  ),
  trigger(
    "usage_entry_identity",
    "UPDATE",
    "usage_entry",
    "usage_reject_change",
    changed(["key", "hour"])
  ),
  trigger(
    "usage_entry_sealed",
    "UPDATE",
    "usage_entry",
    "usage_reject_sealed",
    `OLD.sealed = 1 AND ${changed(["sealed", "quantity", "events", "first_at", "rounding"])}`
  ),
  `CREATE FUNCTION usage_check_sealed() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   BEGIN
     IF EXISTS (SELECT 1 FROM usage_entry WHERE key = NEW.key AND hour = NEW.hour AND sealed = 1) THEN
       RAISE EXCEPTION '%: the entry is sealed', TG_TABLE_NAME USING ERRCODE = '${sealedState}';
     END IF;
     RETURN NEW;
   END $$`,
  ...["usage_posting", "usage_allocation"].map((table) =>
    trigger(`${table}_sealed`, "INSERT OR UPDATE", table, "usage_check_sealed")
  ),
  trigger(
    "usage_allocation_identity",
    "UPDATE",
    "usage_allocation",
    "usage_reject_change",
    changed(["key", "hour", "tags"])
  ),
  trigger(
    "usage_record_frozen",
    "UPDATE",
    "usage_record",
    "usage_reject_change",
    changed([
      ...["id", "key", "hour", "subscription", "region", "product"],
      ...["quantity", "dated_at", "body", "deadline", "sealed_at"]
    ])
  ),
  trigger(
    "usage_record_accepted",
    "UPDATE",
    "usage_record",
    "usage_reject_change",
    "OLD.state = 'accepted' AND NEW.state <> 'accepted'"
  ),
  trigger(
    "usage_record_carried",
    "UPDATE",
    "usage_record",
    "usage_reject_change",
    `OLD.carried_at IS NOT NULL AND ${changed(["carried_at"])}`
  )
]

export const migrations: ReadonlyArray<Migration> = [
  {
    version: 1,
    writableFrom: 1,
    statements: [
      ...schema1(words),
      // events are inserted roughly in the order of time, so that a page has few different hours
      "CREATE INDEX usage_event_hour ON usage_event USING brin (hour) WITH (autosummarize = on)",
      ...triggers
    ]
  },
  { version: 2, writableFrom: 2, statements: schema2(words) }
]
