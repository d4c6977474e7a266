import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { redactor } from "../../../internal/client/redact.js"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import type { Service } from "../../UsageLedgerStore.js"
import { type Dialect, postgres } from "../sql/dialect.js"
import { makeTables } from "../sql/tables.js"
import { type Connection, connect } from "./connection.js"
import { makeConnectionPool } from "./connectionPool.js"
import { failureOf, ownFailure, type PgFailure } from "./failure.js"
import { loadPg, type PgResult } from "./pgPackage.js"
import { prepareSchema } from "./prepareSchema.js"
import { recordEvents } from "./recordEvents.js"
import { checkServer, setupStatements } from "./sessionSettings.js"
import { type TransactionKind, transact, unavailable } from "./transactions.js"

export interface DatabaseOptions {
  readonly url: Redacted.Redacted<string>
  readonly password: Effect.Effect<Redacted.Redacted<string>, unknown> | undefined
  readonly schema: string
  readonly maxConnections: number
  readonly applicationName: string
  /** Limits in milliseconds. */
  readonly connectTimeout: number
  readonly statementTimeout: number
  readonly lockTimeout: number
  readonly idleTimeout: number
  readonly allowFsyncOff: boolean
}

/** A read-only transaction cannot lock rows, and has no need to. */
const withoutLocks: Dialect = { ...postgres, forUpdate: () => "", lockName: undefined }

const asText = { getTypeParser: () => (value: string) => value }

/** The server ends a statement first, unless it or the network is frozen. */
const marginOfClient = 5_000

/** Limit of one step of a migration, and of the wait for another process that migrates, in milliseconds. */
const schemaTimeout = 300_000

export const openDatabase = (
  options: DatabaseOptions
): Effect.Effect<Service, LedgerConfigError | LedgerUnavailable, Scope.Scope> =>
  Effect.gen(function* () {
    const { makeClient } = yield* loadPg
    const url = yield* parseUrl(options.url)
    const configOf = (password: Redacted.Redacted<string> | undefined) => ({
      connectionString:
        password === undefined ? url.href : withPassword(url, Redacted.value(password)),
      application_name: options.applicationName,
      connectionTimeoutMillis: options.connectTimeout,
      query_timeout: options.statementTimeout + marginOfClient,
      keepAlive: true,
      // the application can have changed how values are read, for all of its connections
      types: asText
    })
    const redact = redactor(() => [url.password, decodeURIComponent(url.password)])
    const { host, port, database } = yield* Effect.try({
      try: () => makeClient(configOf(undefined)),
      catch: (error) =>
        new LedgerConfigError({
          reason: "invalidOptions",
          detail: `the URL of the database cannot be used: ${failureOf(error, redact).reason}`,
          cure: "Correct its parameters (url)"
        })
    })
    const setup = setupStatements(options)
    const password: Effect.Effect<Redacted.Redacted<string> | undefined, PgFailure> =
      options.password === undefined
        ? Effect.succeed(undefined)
        : Effect.mapError(options.password, () =>
            ownFailure("the password of the database could not be determined")
          )
    const open: Effect.Effect<readonly [Connection, PgResult], PgFailure> = Effect.flatMap(
      password,
      (given) =>
        connect(
          () => makeClient(configOf(given)),
          setup,
          given === undefined ? redact : redactor(() => [Redacted.value(given)])
        )
    )
    // later connections are checked too: the server behind the address can have changed
    const openChecked = Effect.flatMap(open, ([connection, settings]) =>
      Effect.matchEffect(checkServer(settings, options), {
        onSuccess: () => Effect.succeed(connection),
        onFailure: (error) =>
          Effect.zipRight(connection.close, Effect.fail(ownFailure(error.message)))
      })
    )
    yield* open.pipe(
      Effect.mapError((failure) => unavailable(failure, "no")),
      Effect.flatMap(([connection, settings]) =>
        Effect.ensuring(checkServer(settings, options), connection.close)
      )
    )
    const pool = yield* makeConnectionPool(openChecked, options.maxConnections)
    const writing: TransactionKind = {
      begin: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE",
      queryTimeout: options.statementTimeout + marginOfClient
    }
    const reportTimeout = 10 * options.statementTimeout
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
      description: {
        kind: "postgres",
        location: redact(`${host}:${port}/${database ?? ""}, schema ${options.schema}`)
      }
    }
  })

const parseUrl = (url: Redacted.Redacted<string>): Effect.Effect<URL, LedgerConfigError> =>
  Effect.suspend(() => {
    const invalid = (detail: string) =>
      Effect.fail(
        new LedgerConfigError({
          reason: "invalidOptions",
          detail: `the URL of the database ${detail}`,
          cure: "Write it as postgresql://user:password@host:5432/database, and percent-encode @ / : # ? % in the password"
        })
      )
    let parsed: URL
    try {
      parsed = new URL(Redacted.value(url))
      decodeURIComponent(parsed.password)
    } catch {
      // the error would show the URL
      return invalid("is not valid")
    }
    if (parsed.protocol !== "postgresql:" && parsed.protocol !== "postgres:") {
      return invalid("does not start with postgresql:")
    }
    // part of a password that was not encoded
    if (/[@:#]/.test(parsed.pathname) || parsed.hash !== "") {
      return invalid("is not valid after its host")
    }
    return Effect.succeed(parsed)
  })

const withPassword = (url: URL, password: string): string => {
  const copy = new URL(url)
  copy.password = encodeURIComponent(password)
  return copy.href
}
