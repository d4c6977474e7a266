/** Opens, checks and migrates the SQLite file of a ledger. */
import * as Effect from "effect/Effect"
import { LedgerConfigError, type LedgerUnavailable } from "../../LedgerError.js"
import { sqlite } from "../sql/dialect.js"
import {
  applyMigration,
  pendingMigrations,
  readSchemaState,
  schemaVersion
} from "../sql/migrations.js"
import { makeTables } from "../sql/tables.js"
import type { Tables } from "../tables.js"
import { type Connection, connect } from "./connection.js"
import type { Driver } from "./driver.js"
import { checkFile, readOnlyError } from "./fileChecks.js"
import { type FileChange, messageOf, watchFiles } from "./openFiles.js"
import { migrations } from "./schema.js"
import { failureOf, makeSession, type Session } from "./session.js"
import { applySettings, type Journal, JournalBusy, journalOf } from "./settings.js"
import { codeOf } from "./sqliteError.js"
import { type Waiting, whenUnlocked } from "./whenUnlocked.js"
import { hasForeignLog, indexFile, logFile } from "./writeAheadLog.js"

export interface Database {
  readonly path: string
  readonly connection: Connection
  readonly journal: Journal
  readonly session: Session
  readonly tables: Tables
  /** False after an error that leaves the connection in an unknown state. */
  readonly isUsable: () => boolean
  readonly fileChange: () => FileChange | undefined
  readonly onError: (error: unknown) => void
  /**
   * Begins a transaction and checks that the file is still the ledger that was opened.
   *
   * @throws Changed, or an error of SQLite
   */
  readonly begin: (mode: "IMMEDIATE" | "DEFERRED") => void
}

/** The database was changed since it was opened, so that the connection must not be used. */
export class Changed extends Error {
  /** True if the database can be opened again. */
  readonly canReopen: boolean

  constructor(message: string, canReopen = true) {
    super(message)
    this.canReopen = canReopen
  }
}

export const openDatabase = (
  driver: Driver,
  file: string,
  waiting: Waiting
): Effect.Effect<Database, LedgerConfigError | LedgerUnavailable> =>
  Effect.gen(function* () {
    const database = yield* Effect.catchAll(
      whenUnlocked(() => open(driver, file), waiting),
      openingError
    )
    yield* migrate(database, waiting).pipe(
      Effect.onExit((exit) =>
        exit._tag === "Success" ? Effect.void : Effect.sync(() => close(database))
      )
    )
    return database
  })

/**
 * Closes the connection, and ignores errors. A connection whose log was removed stays open, because on closing SQLite would write the
 * removed log to the file, which may have been restored from a backup.
 */
export const close = ({ connection, fileChange }: Database): void => {
  if (fileChange() !== "withoutLog") {
    closeConnection(connection)
  }
}

const closeConnection = (connection: Connection): void => {
  try {
    connection.close()
  } catch {}
}

/** Ends the transaction without storing anything. */
export const rollback = ({ connection, onError }: Database): void => {
  try {
    if (connection.inTransaction()) {
      connection.exec("ROLLBACK")
    }
  } catch (error) {
    onError(error)
  }
}

/**
 * Writes the write-ahead log to the database and empties it.
 *
 * @throws an error of SQLite, also if another connection uses the log
 */
export const checkpoint = (connection: Connection): void => {
  const [row] = connection.query("PRAGMA wal_checkpoint(TRUNCATE)")
  if (Number(row?.busy) !== 0) {
    throw Object.assign(new Error("the write-ahead log is in use"), { code: "SQLITE_BUSY" })
  }
}

const open = (driver: Driver, file: string): Database => {
  const path = checkFile(file)
  if (hasForeignLog(path)) {
    throw foreignLog(path)
  }
  let connection: Connection | undefined
  try {
    connection = connect(driver, path)
    // checks this first, so that nothing is written to the file of another program
    requireLedger(connection, path)
    const journal = applySettings(connection, path)
    // SQLite creates the log at the first read, and `watchFiles` needs the log
    hasTable(connection, "usage_ledger")
    return databaseOf(path, connection, journal)
  } catch (error) {
    if (connection !== undefined) {
      closeConnection(connection)
    }
    const code = codeOf(error)
    if (code === "NOTADB") {
      throw notALedger(path, "is not a database of SQLite")
    }
    if (code === "READONLY" || code === "PERM" || code === "CANTOPEN") {
      throw readOnlyError(path)
    }
    throw error
  }
}

const databaseOf = (path: string, connection: Connection, journal: Journal): Database => {
  const fileChange = watchFiles(path, journal)
  let isUsable = true
  const onError = (error: unknown) => {
    const code = codeOf(error)
    // after these errors the connection is still usable
    isUsable &&= code === "FULL" || code === "BUSY" || code === "CONSTRAINT" || code === "ERROR"
  }
  const session = makeSession(connection, onError)
  const check = () => {
    const change = fileChange()
    if (change !== undefined) {
      throw new Changed(messageOf(change, path), change === "replaced")
    }
    if (Number(connection.query("PRAGMA user_version")[0]?.user_version) > schemaVersion) {
      throw new Changed(`${path} was changed by a newer version of effect-marketplace-metering`)
    }
    if (journalOf(connection) !== journal) {
      throw new Changed(`another process changed the journal mode of ${path}`)
    }
  }
  return {
    path,
    connection,
    journal,
    session,
    tables: makeTables(session, sqlite),
    isUsable: () => isUsable,
    fileChange,
    onError,
    begin: (mode) => {
      connection.exec(`BEGIN ${mode}`)
      try {
        check()
      } catch (error) {
        isUsable &&= !(error instanceof Changed && error.canReopen)
        connection.exec("ROLLBACK")
        throw error
      }
      session.start()
    }
  }
}

const hasTable = (connection: Connection, name: string): boolean =>
  connection.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", [name])
    .length > 0

const requireLedger = (connection: Connection, path: string) => {
  const [other] = connection.query("SELECT name FROM sqlite_master LIMIT 1")
  if (other !== undefined && !hasTable(connection, "usage_ledger")) {
    throw notALedger(
      path,
      `is the database of another program: it has ${other.name} and no usage_ledger`
    )
  }
}

/** Applies the pending migrations, each in its own transaction. Reads the state each time, because another process may migrate too. */
const migrate = (
  database: Database,
  waiting: Waiting
): Effect.Effect<void, LedgerConfigError | LedgerUnavailable> =>
  Effect.gen(function* () {
    const { connection, session, path } = database
    for (;;) {
      yield* Effect.catchAll(
        whenUnlocked(() => {
          connection.exec("BEGIN IMMEDIATE")
          session.start()
        }, waiting),
        openingError
      )
      const state = hasTable(connection, "usage_migration")
        ? yield* readSchemaState(session)
        : { version: 0, writableFrom: 0 }
      if (state.writableFrom > schemaVersion) {
        return yield* Effect.fail(newerSchema(path, state.version))
      }
      const [next] = pendingMigrations(migrations, state)
      if (next === undefined) {
        session.end()
        return rollback(database)
      }
      yield* applyMigration(session, next)
      yield* Effect.catchAll(
        whenUnlocked(() => connection.exec("COMMIT"), waiting),
        openingError
      )
    }
  })

const openingError = (
  error: unknown
): Effect.Effect<never, LedgerConfigError | LedgerUnavailable> =>
  error instanceof LedgerConfigError
    ? Effect.fail(error)
    : error instanceof JournalBusy
      ? Effect.fail(error.configError)
      : failureOf(error, "no")

const notALedger = (path: string, detail: string) =>
  new LedgerConfigError({
    reason: "notALedger",
    detail: `${path} ${detail}`,
    cure: "Give the path of a ledger, or of a file that does not exist yet"
  })

const foreignLog = (path: string) =>
  new LedgerConfigError({
    reason: "notALedger",
    detail: `${logFile(path)} does not belong to ${path}, and SQLite would damage it`,
    cure: `If ${path} was restored from a backup, delete ${logFile(path)} and ${indexFile(path)}. Otherwise restore a backup`
  })

const newerSchema = (path: string, version: number) =>
  new LedgerConfigError({
    reason: "newerSchema",
    detail: `${path} has version ${version} of the schema, and this code writes version ${schemaVersion}`,
    cure: "Update effect-marketplace-metering to the version that last wrote to the file, or a later one"
  })
