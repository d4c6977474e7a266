/** The settings of a session, and what is required of the server. */
import * as Effect from "effect/Effect"
import { LedgerConfigError } from "../../LedgerError.js"
import type { PgResult } from "./pgPackage.js"
import { quoteIdentifier } from "./quote.js"

export interface SessionOptions {
  readonly schema: string
  /** Timeouts in milliseconds. */
  readonly statementTimeout: number
  readonly lockTimeout: number
  readonly idleTimeout: number
  readonly allowFsyncOff: boolean
}

const oldestVersion = 15

/** SQL that sets up a session. The last statement returns the row that `checkServer` needs. */
export const setupStatements = (options: SessionOptions): string =>
  [
    `SET search_path TO ${quoteIdentifier(options.schema)}, pg_temp`,
    "SET default_transaction_isolation TO 'read committed'",
    "SET default_transaction_read_only TO off",
    `SET statement_timeout TO ${options.statementTimeout}`,
    `SET lock_timeout TO ${options.lockTimeout}`,
    `SET idle_in_transaction_session_timeout TO ${options.idleTimeout}`,
    // the statements are short, and compiling them would take longer than running them
    "SET jit TO off",
    // keeps a stricter setting, such as remote_apply
    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')",
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num') AS version_number,
       pg_is_in_recovery()::text AS is_standby, current_setting('fsync') AS fsync,
       current_setting('synchronous_commit') AS synchronous_commit`
  ].join(";\n")

export const checkServer = (
  { rows }: PgResult,
  { allowFsyncOff }: SessionOptions
): Effect.Effect<void, LedgerConfigError> =>
  Effect.suspend(() => {
    const { version, version_number, is_standby, fsync, synchronous_commit } = rows[0] ?? {}
    if (!(Number(version_number) >= oldestVersion * 10_000)) {
      return new LedgerConfigError({
        reason: "unsupportedServer",
        detail: `the database is PostgreSQL ${version}, and the ledger needs ${oldestVersion} or newer`,
        cure: "Update the server"
      })
    }
    if (is_standby !== "false") {
      return new LedgerConfigError({
        reason: "unsupportedServer",
        detail: "the database is a standby, which is read-only",
        cure: "Give the address of the primary server (url)"
      })
    }
    if (fsync !== "on" && !allowFsyncOff) {
      return new LedgerConfigError({
        reason: "unsafeSettings",
        detail: "fsync is off on the database server: a power failure can lose recorded usage",
        cure: "Set fsync = on there, or set allowFsyncOff if its storage is durable without it"
      })
    }
    if (synchronous_commit === "off" || synchronous_commit === "local") {
      return new LedgerConfigError({
        reason: "unsafeSettings",
        detail: `synchronous_commit stays ${synchronous_commit} in this session: a crash can lose recorded usage`,
        cure: "Set synchronous_commit = on for the database and the role, and connect without a pooler in transaction mode"
      })
    }
    return Effect.void
  })
