/** A common interface to the packages for SQLite. All operations are synchronous, and throw the errors of the package. */
import * as Effect from "effect/Effect"
import { type LoadError, loadPackage } from "../../../internal/optionalPackage.js"
import { LedgerConfigError } from "../../LedgerError.js"
import type { Row, SqlValue } from "../sql/session.js"

export type DriverName = "node:sqlite" | "better-sqlite3" | "libsql" | "bun:sqlite"

/** A prepared statement. Its parameters are written `?`. */
export interface Statement {
  /** Returns all rows. Empty for statements that return no rows. */
  readonly all: (params: ReadonlyArray<SqlValue>) => ReadonlyArray<Row>
  /** Returns the number of changed rows. For statements that return no rows. */
  readonly run: (params: ReadonlyArray<SqlValue>) => number
}

export interface Handle {
  readonly prepare: (sql: string) => Statement
  readonly exec: (sql: string) => void
  readonly inTransaction: () => boolean
  readonly close: () => void
}

export interface Driver {
  readonly name: DriverName
  readonly open: (file: string) => Handle
}

/** The statements of the packages. */
interface Prepared {
  readonly all: (...params: ReadonlyArray<SqlValue>) => ReadonlyArray<unknown>
  readonly run: (...params: ReadonlyArray<SqlValue>) => { readonly changes: number | bigint }
  /** Of better-sqlite3 and libsql. */
  readonly reader?: boolean
}

interface Database {
  readonly prepare: (sql: string) => Prepared
  readonly exec: (sql: string) => unknown
  readonly close: () => void
  /** Of better-sqlite3, libsql and Bun. */
  readonly inTransaction?: boolean
  /** Of Node.js. */
  readonly isTransaction?: boolean
}

interface DatabaseClass {
  new (file: string): Database
}

const driverOf = (name: DriverName, Class: DatabaseClass): Driver => ({
  name,
  open: (file) => {
    const database = new Class(file)
    return {
      prepare: (sql) => {
        const prepared = database.prepare(sql)
        return {
          all: (params) => {
            // better-sqlite3 throws in `all` if the statement returns no rows
            if (prepared.reader === false) {
              prepared.run(...params)
              return []
            }
            return prepared.all(...params) as ReadonlyArray<Row>
          },
          run: (params) => Number(prepared.run(...params).changes)
        }
      },
      exec: (sql) => {
        database.exec(sql)
      },
      inTransaction: () => database.isTransaction ?? database.inTransaction ?? false,
      close: () => database.close()
    }
  }
})

/** Imports a package. The name is not a literal, so that bundlers do not resolve packages that are not installed. */
const importIt = (name: DriverName) =>
  loadPackage(
    name,
    () =>
      import(/* @vite-ignore */ /* webpackIgnore: true */ name) as Promise<Record<string, unknown>>
  )

const load = (name: DriverName): Effect.Effect<Driver, LoadError> =>
  name === "node:sqlite"
    ? importIt(name).pipe(
        Effect.map(({ DatabaseSync }) => DatabaseSync as DatabaseClass),
        Effect.filterOrFail(tellsTransaction),
        Effect.mapBoth({
          onSuccess: (Class) => driverOf(name, Class),
          onFailure: (): LoadError => ({
            name,
            isMissing: true,
            reason: "this version of Node.js has no node:sqlite, or an early one"
          })
        })
      )
    : Effect.map(importIt(name), (module) =>
        driverOf(name, module[name === "bun:sqlite" ? "Database" : "default"] as DatabaseClass)
      )

/** True if the driver reports whether a transaction is open. Node.js before 22.16 does not. */
const tellsTransaction = (Class: DatabaseClass): boolean => {
  const database = new Class(":memory:")
  database.close()
  return "isTransaction" in database
}

const order = (): ReadonlyArray<DriverName> =>
  "Bun" in globalThis ? ["bun:sqlite"] : ["node:sqlite", "better-sqlite3", "libsql"]

/** Loads a driver, which defaults to the first that can be loaded. */
export const findDriver = (
  name: DriverName | undefined
): Effect.Effect<Driver, LedgerConfigError> =>
  Effect.mapError(Effect.validateFirst(name === undefined ? order() : [name], load), (errors) => {
    const broken = errors.filter(({ isMissing }) => !isMissing)
    const reasons = (name === undefined ? broken : errors).map(({ reason }) => reason)
    return new LedgerConfigError({
      reason: "driverMissing",
      detail: reasons.length > 0 ? reasons.join("; ") : "no package for SQLite is installed",
      cure: "Use Node.js 22.16 or later, which has node:sqlite. Otherwise: npm install better-sqlite3, or npm install libsql where no compiler is at hand"
    })
  })
