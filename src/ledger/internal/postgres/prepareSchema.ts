/** Creates and migrates the tables, in the first of the processes that start. */
import * as Effect from "effect/Effect"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import {
  applyMigration,
  pendingMigrations,
  readSchemaState,
  type SchemaState,
  schemaVersion
} from "../sql/migrations.js"
import type { SqlSession } from "../sql/session.js"
import type { ConnectionPool } from "./connectionPool.js"
import { quoteIdentifier } from "./quote.js"
import { migrations } from "./schema.js"
import { type TransactionKind, transact } from "./transactions.js"

export const prepareSchema = (
  pool: ConnectionPool,
  kind: TransactionKind,
  schema: string
): Effect.Effect<void, LedgerConfigError | LedgerUnavailable> =>
  Effect.gen(function* () {
    // checks without the lock first: if nothing is to do, the role needs no rights to change the schema
    if (yield* transact(pool, kind, (session) => isCurrent(session, schema))) return
    yield* transact(pool, kind, (session) => migrate(session, schema))
  })

const isCurrent = (session: SqlSession, schema: string) =>
  Effect.gen(function* () {
    const state = yield* stateOf(session, schema)
    return state !== undefined && pendingMigrations(migrations, state).length === 0
  })

const migrate = (session: SqlSession, schema: string) =>
  Effect.gen(function* () {
    yield* session.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `effect-marketplace-metering/${schema}`
    ])
    const state = yield* stateOf(session, schema)
    if (state === undefined) yield* makeSchema(session, schema)
    for (const migration of pendingMigrations(migrations, state ?? emptyState)) {
      yield* applyMigration(session, migration)
    }
  })

const emptyState: SchemaState = { version: 0, writableFrom: 0 }

/** Reads the state of the schema. Returns `undefined` if there are no tables. */
const stateOf = (
  session: SqlSession,
  schema: string
): Effect.Effect<SchemaState | undefined, LedgerConfigError | LedgerUnavailable> =>
  Effect.gen(function* () {
    const columns = yield* session.query(
      `SELECT table_name, column_name FROM information_schema.columns
       WHERE table_schema = $1 AND table_name LIKE 'usage\\_%'`,
      [schema]
    )
    if (columns.length === 0) return undefined
    const has = (table: string, column: string) =>
      columns.some((row) => row.table_name === table && row.column_name === column)
    if (!has("usage_migration", "writable_from") || !has("usage_ledger", "incarnation")) {
      return yield* new LedgerConfigError({
        reason: "notALedger",
        detail: `the schema ${schema} has tables named usage_... that are not a ledger's`,
        cure: "Give the ledger a schema of its own (schema)"
      })
    }
    const state = yield* readSchemaState(session)
    if (state.writableFrom > schemaVersion) {
      return yield* new LedgerConfigError({
        reason: "newerSchema",
        detail: `the ledger's tables are of version ${state.version}, and this program writes version ${schemaVersion}`,
        cure: "Update this program"
      })
    }
    return state
  })

const makeSchema = (session: SqlSession, schema: string) =>
  Effect.gen(function* () {
    const found = yield* session.query(
      `SELECT to_regnamespace($1) IS NOT NULL AS has_schema, CASE WHEN to_regnamespace($1) IS NULL
         THEN has_database_privilege(current_database(), 'CREATE')
         ELSE has_schema_privilege(to_regnamespace($1)::oid, 'CREATE') END AS is_allowed, current_user AS role`,
      [quoteIdentifier(schema)]
    )
    const { has_schema, is_allowed, role } = found[0] ?? {}
    if (is_allowed !== "t") {
      return yield* new LedgerConfigError({
        reason: "notInitialized",
        detail: `the role ${role} may not make the ledger's tables in the schema ${schema}`,
        cure: `Let an administrator run: CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}; GRANT USAGE, CREATE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(String(role))}`
      })
    }
    if (has_schema !== "t") {
      yield* session.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`, [])
    }
  })
