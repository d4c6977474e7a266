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
 * - `url`: such as `postgresql://user:password@host:5432/database?sslmode=verify-full`. Percent-encode reserved characters. A
 *   connection pooler must run in session mode.
 * - `password`: replaces the password of the URL. Evaluated for each connection, so that it can be a token that expires, such as
 *   an IAM authentication token.
 * - `schema`: the schema of the tables. Created if it is missing and the role is allowed to. Defaults to `usage_ledger`.
 * - `maxConnections`: maximum number of open connections, at least 1. Defaults to 4, because more would contend for the same
 *   entries.
 * - `applicationName`: shown in the server's lists. Defaults to `effect-marketplace-metering`.
 * - `connectTimeout`: limit of one attempt to connect. Defaults to 5 seconds.
 * - `statementTimeout`: limit of one statement of a transaction, enforced by the server. Defaults to 30 seconds. Reports may
 *   take 10 times as long.
 * - `lockTimeout`: limit of a wait for another transaction. Defaults to 10 seconds.
 * - `idleTimeout`: `idle_in_transaction_session_timeout` of the sessions. If a process freezes in a transaction, the server ends its
 *   session after this time, which releases its locks. Defaults to 5 seconds.
 * - `allowFsyncOff`: accepts a server with `fsync` off. Only for services whose storage is durable without it. Defaults to false.
 *
 * All timeouts are limited to the range from 1 millisecond to 1 day.
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
 * Opens a ledger in PostgreSQL, and creates or migrates its tables. The connections are closed with the scope.
 *
 * Each acknowledged commit is durable on the server: `synchronous_commit` is on in the sessions, whatever the server's default.
 * Fails with `LedgerConfigError` if `pg` is missing, if the server is older than 15, a read-only standby, or has `fsync` off, or
 * if the tables belong to another application or a newer version. Fails with `LedgerUnavailable` if the server cannot be reached.
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
