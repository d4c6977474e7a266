/** Applies the settings under which a commit is durable, and reads them back to verify them. */
import { LedgerConfigError } from "../../LedgerError.js"
import type { Connection } from "./connection.js"
import { isBusy } from "./sqliteError.js"

export type Journal = "wal" | "truncate"

/**
 * True if the write-ahead log is safe in this version of SQLite. Versions before 3.51.3 (except 3.50.7 and 3.44.6 and their later
 * patches) can damage a database that has two connections. See https://www.sqlite.org/wal.html#walresetbug.
 */
export const isWalSafe = (version: string): boolean => {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number)
  if (major !== 3) {
    return major > 3
  }
  return (
    minor > 51 ||
    (minor === 51 && patch >= 3) ||
    (minor === 50 && patch >= 7) ||
    (minor === 44 && patch >= 6)
  )
}

const versionOf = (connection: Connection): string =>
  String(connection.query("SELECT sqlite_version() AS version")[0]?.version)

/** The oldest minor version of SQLite 3 with JSON functions, STRICT tables and RETURNING. */
const oldestVersion = 38

/**
 * Applies the settings that make a commit durable.
 *
 * - `journal_mode`: with the write-ahead log, a commit writes and flushes once. Without it, the rollback journal is truncated and not
 *   deleted, because with `synchronous=FULL` SQLite flushes a truncation but not a deletion: a deleted journal could reappear after a
 *   power failure and roll back the last commit.
 * - `fullfsync` makes macOS flush the cache of the disk. Other systems ignore it.
 * - `busy_timeout` stays 0, because SQLite would block the thread, even for a lock that the same thread holds. `whenUnlocked` waits
 *   instead.
 *
 * @throws LedgerConfigError, or an error of SQLite
 */
export const applySettings = (connection: Connection, path: string): Journal => {
  const version = versionOf(connection)
  if (Number(version.split(".")[1]) < oldestVersion) {
    throw new LedgerConfigError({
      reason: "unsafeSettings",
      detail: `SQLite ${version} is too old`,
      cure: `Use a driver with SQLite 3.${oldestVersion} or later`
    })
  }
  const journal: Journal = isWalSafe(version) ? "wal" : "truncate"
  setJournal(connection, journal, path, version)
  const wanted: ReadonlyArray<readonly [name: string, value: number]> = [
    ["synchronous", 2],
    ["fullfsync", 1],
    ["checkpoint_fullfsync", 1],
    ["trusted_schema", 0],
    ["recursive_triggers", 1],
    // in KiB: large, because random ids touch pages all over the table
    ["cache_size", -32_768]
  ]
  for (const [name, value] of wanted) {
    connection.exec(`PRAGMA ${name} = ${value}`)
    const [row] = connection.query(`PRAGMA ${name}`)
    if (Number(row?.[name]) !== value) {
      throw new LedgerConfigError({
        reason: "unsafeSettings",
        detail: `SQLite ${version} did not set ${name} to ${value} but to ${row?.[name]}`,
        cure: "Use another driver"
      })
    }
  }
  return journal
}

export const journalOf = (connection: Connection): string =>
  String(connection.query("PRAGMA journal_mode")[0]?.journal_mode)

/** The journal mode cannot be changed while another connection is open. A retry can succeed. */
export class JournalBusy extends Error {
  readonly configError: LedgerConfigError

  constructor(configError: LedgerConfigError) {
    super(configError.message)
    this.configError = configError
  }
}

const setJournal = (connection: Connection, journal: Journal, path: string, version: string) => {
  if (journalOf(connection) !== journal) {
    try {
      connection.query(`PRAGMA journal_mode = ${journal}`)
    } catch (error) {
      if (!isBusy(error)) {
        throw error
      }
      throw new JournalBusy(
        new LedgerConfigError({
          reason: "unsafeSettings",
          detail: `the journal of ${path} cannot become ${journal}, as SQLite ${version} needs it, while another process uses the file`,
          cure: "Use the same driver in all processes, or stop the other process"
        })
      )
    }
  }
  const found = journalOf(connection)
  if (found !== journal) {
    throw new LedgerConfigError({
      reason: "unsafeSettings",
      detail: `the journal mode of ${path} is ${found}, not ${journal}`,
      cure: "Put the file on a local disk, or use another driver"
    })
  }
}
