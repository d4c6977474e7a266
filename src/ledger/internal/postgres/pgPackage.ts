/** Loads the package `pg`, and declares the parts of it that are used here. */
import * as Effect from "effect/Effect"
import { loadPackage } from "../../../internal/optionalPackage.js"
import { LedgerConfigError } from "../../LedgerError.js"

export interface PgResult {
  readonly command: string
  readonly rows: ReadonlyArray<{ readonly [column: string]: unknown }>
}

export interface PgStatement {
  readonly text: string
  readonly values?: ReadonlyArray<unknown>
  /** Name of a prepared statement, which is prepared once per connection. */
  readonly name?: string
  /** Timeout in milliseconds. Defaults to the timeout of the connection. */
  readonly query_timeout?: number
}

type Callback<A> = (error: Error | null | undefined, result: A) => void

export interface PgClient {
  readonly connect: (callback: (error: Error | null | undefined) => void) => void
  readonly query: (statement: PgStatement, callback: Callback<PgResult | Array<PgResult>>) => void
  readonly end: (callback: () => void) => void
  /** Lets the process exit while the connection is open. Absent in older versions. */
  readonly unref?: () => void
  readonly on: {
    (event: "error", listener: (error: Error) => void): unknown
    (event: "end", listener: () => void): unknown
    (event: "notice", listener: (notice: { readonly code?: string | undefined }) => void): unknown
  }
}

interface PgClientConfig {
  readonly connectionString: string
  readonly application_name: string
  readonly connectionTimeoutMillis: number
  readonly query_timeout: number
  readonly keepAlive: boolean
  readonly types: { readonly getTypeParser: () => (value: string) => string }
}

/** The address of the server, as parsed by `pg` from the URL. */
interface PgAddress {
  readonly host: string
  readonly port: number
  readonly database: string | undefined
}

interface PgPackage {
  readonly makeClient: (config: PgClientConfig) => PgClient & PgAddress
}

/** Loads `pg`, which is an optional peer dependency. */
export const loadPg: Effect.Effect<PgPackage, LedgerConfigError> = loadPackage(
  "pg",
  () => import("pg")
).pipe(
  Effect.map(
    ({ default: { Client } }): PgPackage => ({
      makeClient: (config) => new Client(config) as unknown as PgClient & PgAddress
    })
  ),
  Effect.mapError(
    ({ isMissing, reason }) =>
      new LedgerConfigError({
        reason: "driverMissing",
        detail: isMissing
          ? "the package pg, with which PostgreSQL is reached, is not installed"
          : reason,
        cure: "Install it: npm install pg"
      })
  )
)
