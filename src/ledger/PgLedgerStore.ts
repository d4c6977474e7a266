/**
 * A ledger in PostgreSQL 15 or newer, for any number of processes. Needs the package `pg`.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { openDatabase } from "./internal/postgres/openDatabase.js"
import type { LedgerConfigError, LedgerUnavailable } from "./LedgerError.js"
import { type Service, UsageLedgerStore } from "./UsageLedgerStore.js"

/**
 * Options of a store.
 *
 * - `url`: such as `postgresql://user:password@host:5432/database?sslmode=verify-full`. Characters with a meaning in a URL are
 *   percent-encoded. A pooler between must be in session mode.
 * - `password`: replaces the URL's. Evaluated for each connection, so that it can be a token that expires, such as of IAM
 *   authentication.
 * - `schema`: the schema of the tables. Made if it is missing and the role may. Defaults to `usage_ledger`.
 * - `maxConnections`: connections that are open at the same time, at least 1. Defaults to 4: more contend for the same entries.
 * - `applicationName`: shown in the server's lists. Defaults to `effect-marketplace-metering`.
 * - `connectTimeout`: limit of one attempt to connect. Defaults to 5 seconds.
 * - `statementTimeout`: limit of one statement of a transaction, enforced by the server. Defaults to 30 seconds. Reports may
 *   take 10 times as long.
 * - `lockTimeout`: limit of a wait for another transaction. Defaults to 10 seconds.
 * - `idleTimeout`: limit of a pause within a transaction. The server ends the session of a process that was frozen for longer
 *   in a transaction, so that its locks are free. Defaults to 5 seconds.
 *   All limits of time are from 1 millisecond to 1 day.
 * - `allowFsyncOff`: accepts a server with `fsync` off. Only for services whose storage is durable without it. Defaults to false.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly url: string | Redacted.Redacted<string>
  readonly password?: Effect.Effect<Redacted.Redacted<string>, unknown> | undefined
  readonly schema?: string | undefined
  readonly maxConnections?: number | undefined
  readonly applicationName?: string | undefined
  readonly connectTimeout?: Duration.DurationInput | undefined
  readonly statementTimeout?: Duration.DurationInput | undefined
  readonly lockTimeout?: Duration.DurationInput | undefined
  readonly idleTimeout?: Duration.DurationInput | undefined
  readonly allowFsyncOff?: boolean | undefined
}

/**
 * Opens a ledger in PostgreSQL, and makes or migrates its tables. Closed with the scope.
 *
 * Each acknowledged commit is durable on the server: `synchronous_commit` is on in its sessions, whatever the server's default.
 * Fails with `LedgerConfigError` if `pg` is missing, the server is older than 15, a read-only standby, or has `fsync` off, and
 * if the tables are of another application or a newer version. Fails with `LedgerUnavailable` if the server cannot be reached.
 *
 * @example
 * ```ts
 * import { PgLedgerStore } from "effect-marketplace-metering/ledger"
 *
 * const store = PgLedgerStore.make({ url: "postgresql://ledger@db.internal/billing" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<Service, LedgerConfigError | LedgerUnavailable, Scope.Scope> =>
  openDatabase({
    url: Redacted.isRedacted(options.url) ? options.url : Redacted.make(options.url),
    password: options.password,
    schema: options.schema ?? "usage_ledger",
    maxConnections: Math.max(1, Math.floor(options.maxConnections ?? 4)),
    applicationName: options.applicationName ?? "effect-marketplace-metering",
    connectTimeout: toLimit(options.connectTimeout ?? "5 seconds"),
    statementTimeout: toLimit(options.statementTimeout ?? "30 seconds"),
    lockTimeout: toLimit(options.lockTimeout ?? "10 seconds"),
    idleTimeout: toLimit(options.idleTimeout ?? "5 seconds"),
    allowFsyncOff: options.allowFsyncOff ?? false
  })

const toLimit = (duration: Duration.DurationInput): number =>
  Math.min(Math.max(Math.ceil(Duration.toMillis(duration)), 1), Duration.toMillis("1 day"))

/**
 * Provides a ledger in PostgreSQL. See `make`.
 *
 * @example
 * ```ts
 * import { PgLedgerStore } from "effect-marketplace-metering/ledger"
 * import * as Redacted from "effect/Redacted"
 *
 * const Store = PgLedgerStore.layer({
 *   url: Redacted.make("postgresql://ledger:secret@db.internal/billing?sslmode=verify-full")
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options
): Layer.Layer<UsageLedgerStore, LedgerConfigError | LedgerUnavailable> =>
  Layer.scoped(UsageLedgerStore, make(options))

/**
 * Provides a ledger in PostgreSQL, with options from the configuration. See `make`.
 *
 * @example
 * ```ts
 * import { PgLedgerStore } from "effect-marketplace-metering/ledger"
 * import * as Config from "effect/Config"
 *
 * const Store = PgLedgerStore.layerConfig({ url: Config.redacted("LEDGER_DATABASE_URL") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: Config.Config.Wrap<Omit<Options, "password">>
): Layer.Layer<UsageLedgerStore, LedgerConfigError | LedgerUnavailable | ConfigError.ConfigError> =>
  Layer.scoped(UsageLedgerStore, Effect.flatMap(Config.unwrap(options), make))
