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
 * Options of a file.
 *
 * - `file`: its path, on a local disk. It is made if it does not exist; its folder is not.
 * - `driver`: defaults to the first that can be loaded: `node:sqlite` (Node.js 22.16 or later), `better-sqlite3`, `libsql`; in
 *   Bun `bun:sqlite`.
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
 * A store in a file of SQLite.
 *
 * A commit is durable when it returns: `synchronous` is `FULL`, and the settings are read back. The write-ahead log is used
 * where the version of SQLite is free of a fault that damages it (3.51.3, 3.50.7 or 3.44.6 and later); otherwise a rollback
 * journal, which is slower. Statements run on the calling thread: a batch of 1000 events takes about 5 milliseconds.
 *
 * Make backups by `VACUUM INTO` or by the `.backup` command of SQLite's shell: a copy of the file lacks commits while a process
 * runs. Restore one in this order: stop all processes, delete the file and those beside it that end in `-wal`, `-shm` and
 * `-journal`, put the backup in place, start the processes. SQLite applies a log that was left there to the restored file, which
 * damages it. Such a log is rejected only if pages of the database are in neither of both, as when the ledger has grown since the
 * backup; `UsageLedger.verify` finds differences of sums. A reporter stops as soon as the service has billed another quantity
 * than the restored ledger would, and goes on after `UsageLedger.operator.recover`.
 *
 * Fails with `LedgerConfigError` without a driver, on a network file system, or if the file is not a ledger, has the log of
 * another file beside it, cannot be written or is of a newer version. Fails with `LedgerUnavailable` if another process holds
 * the lock, and while the file or its log was removed or replaced under a running process.
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
