import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { LedgerConfigError, LedgerUnavailable } from "../../LedgerError.js"
import type { Service } from "../../UsageLedgerStore.js"
import { toNumber } from "../sql/columns.js"
import { type Dialect, postgres } from "../sql/dialect.js"
import { makeTables } from "../sql/tables.js"
import { makeConnectionPool } from "./connectionPool.js"
import { type ConnectorOptions, makeConnector } from "./connector.js"
import { prepareSchema } from "./prepareSchema.js"
import { recordEvents } from "./recordEvents.js"
import { type TransactionKind, transact } from "./transactions.js"

interface DatabaseOptions extends Omit<ConnectorOptions, "queryTimeout"> {
  readonly maxConnections: number
}

/** The dialect of read-only transactions, which cannot lock rows and do not need to. */
const withoutLocks: Dialect = { ...postgres, forUpdate: () => "", lockName: undefined }

/** How much longer the client-side timeout is, in milliseconds. The server's timeout applies first, unless the server hangs. */
const marginOfClient = 5_000

/** One day, in milliseconds. Timers of JavaScript are limited to 24 days. */
const maxTimeout = 86_400_000

/** Timeout of one statement of a migration, and of the wait for another process that migrates, in milliseconds. */
const schemaTimeout = 300_000

export const openDatabase = (
  options: DatabaseOptions
): Effect.Effect<Service, LedgerConfigError | LedgerUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const { connect, location } = yield* makeConnector({
      ...options,
      queryTimeout: options.statementTimeout + marginOfClient
    })
    const pool = yield* makeConnectionPool(connect, options.maxConnections)
    const writing: TransactionKind = {
      begin: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
      queryTimeout: options.statementTimeout + marginOfClient
    }
    const reportTimeout = Math.min(10 * options.statementTimeout, maxTimeout)
    const reading: TransactionKind = {
      begin: `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${reportTimeout}`,
      queryTimeout: reportTimeout + marginOfClient
    }
    const preparing: TransactionKind = {
      begin: `${writing.begin}; SET LOCAL statement_timeout = ${schemaTimeout}; SET LOCAL lock_timeout = ${schemaTimeout}`,
      queryTimeout: schemaTimeout + marginOfClient
    }
    yield* prepareSchema(pool, preparing, options.schema)
    return {
      transaction: (body) =>
        transact(pool, writing, (session) => body(makeTables(session, postgres))),
      snapshot: (body) =>
        transact(pool, reading, (session) => body(makeTables(session, withoutLocks))),
      recordEvents: (events, now) => recordEvents(pool, events, now),
      clock: transact(pool, reading, ({ query }) =>
        Effect.map(
          query("SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS bigint) AS now", []),
          ([row]) => toNumber(row?.now)
        )
      ),
      description: {
        kind: "postgres",
        location: `${location}, schema ${options.schema}`
      }
    }
  })
