/**
 * A ledger in one file, for the processes of one machine.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { findDriver } from "./internal/sqlite/driver.js"
import { makeStore } from "./internal/sqlite/store.js"
import type { LedgerConfigError, LedgerUnavailable } from "./LedgerError.js"
import { UsageLedgerStore } from "./UsageLedgerStore.js"

/**
 * A package for SQLite.
 *
 * @since 0.1.0
 * @category models
 */
export type DriverName = "node:sqlite" | "better-sqlite3" | "libsql" | "bun:sqlite"

/**
 * Options of a SQLite store.
 *
 * - `file`: the path of the database, on a local disk. The file is created if it does not exist; its folder has to exist.
 * - `driver`: defaults to the first that can be loaded: `node:sqlite` (Node.js 22.16 or later), `better-sqlite3`, `libsql`. In
 *   Bun, defaults to `bun:sqlite`.
 * - `busyTimeout`: how long to wait for the lock of another process. Defaults to 5 seconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly file: string
  readonly driver?: DriverName | undefined
  readonly busyTimeout?: Duration.DurationInput | undefined
}

/**
 * A store in a SQLite file.
 *
 * A commit is durable when it returns: `synchronous` is `FULL`, and the settings are read back to verify them. The store uses the
 * write-ahead log if the version of SQLite has the fix for the WAL-reset bug (3.51.3, 3.50.7 or 3.44.6 and later), and otherwise
 * a rollback journal, which is slower. Statements run on the calling thread: a batch of 1000 events takes about 5 milliseconds.
 *
 * Make backups with `VACUUM INTO` or the `.backup` command of SQLite's shell. Do not copy the file while a process runs, because
 * the copy lacks the commits that are still in the write-ahead log. To restore a backup: stop all processes, delete the file and
 * the files beside it that end in `-wal`, `-shm` and `-journal`, put the backup in place, start the processes. If an old log is
 * left there, SQLite applies it to the restored file and damages it. The store can detect an old log only if some pages of the
 * database are in neither the file nor the log, for example when the ledger has grown since the backup. `UsageLedger.verify`
 * finds sums that are wrong. After a restore, a reporter stops as soon as it finds that the service has billed a different quantity
 * than the restored ledger has, and continues after `UsageLedger.operator.recover`.
 *
 * Fails with `LedgerConfigError` if there is no driver, if the file is on a network file system, is not a ledger, has the log of
 * another file beside it, cannot be written, or was written by a newer version. Fails with `LedgerUnavailable` if another process
 * holds the lock, or if the file or its log was removed or replaced while the process runs.
 *
 * @example
 * ```ts
 * import { SqliteLedgerStore } from "effect-marketplace-metering/ledger"
 *
 * const StoreLive = SqliteLedgerStore.layer({ file: "/var/lib/my-product/ledger.db" })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<UsageLedgerStore, LedgerConfigError | LedgerUnavailable> =>
  Layer.scoped(
    UsageLedgerStore,
    Effect.flatMap(findDriver(options.driver), (driver) =>
      makeStore(driver, {
        file: options.file,
        busyTimeout: Duration.toMillis(options.busyTimeout ?? "5 seconds")
      })
    )
  )
