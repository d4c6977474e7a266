/** A connection with a cache of prepared statements. Synchronous: throws the errors of the driver. */
import type { Row, SqlValue } from "../sql/session.js"
import type { Driver, Statement } from "./driver.js"

export interface Connection {
  /** Parameters are written `$1`, `$2`, and so on. */
  readonly query: (sql: string, params?: ReadonlyArray<SqlValue>) => ReadonlyArray<Row>
  /** Returns the number of changed rows. */
  readonly run: (sql: string, params?: ReadonlyArray<SqlValue>) => number
  readonly exec: (sql: string) => void
  readonly inTransaction: () => boolean
  readonly close: () => void
}

interface Prepared {
  readonly statement: Statement
  /** For each `?` of the statement, the index of its parameter. */
  readonly parameterIndexes: ReadonlyArray<number>
}

/** Maximum size of the cache. The texts of statements vary only with their filters. */
const maxPrepared = 500

export const connect = (driver: Driver, file: string): Connection => {
  const handle = driver.open(file)
  const cache = new Map<string, Prepared>()
  const prepare = (sql: string): Prepared => {
    const cached = cache.get(sql)
    if (cached !== undefined) {
      return cached
    }
    // replaces numbered parameters, because the drivers bind them differently
    const parameterIndexes: Array<number> = []
    const text = sql.replace(/\$(\d+)/g, (_, digits: string) => {
      parameterIndexes.push(Number(digits) - 1)
      return "?"
    })
    const prepared = { statement: handle.prepare(text), parameterIndexes }
    if (cache.size >= maxPrepared) {
      cache.clear()
    }
    cache.set(sql, prepared)
    return prepared
  }
  return {
    query: (sql, params = []) => {
      const { statement, parameterIndexes } = prepare(sql)
      return statement.all(valuesOf(parameterIndexes, params))
    },
    run: (sql, params = []) => {
      const { statement, parameterIndexes } = prepare(sql)
      return statement.run(valuesOf(parameterIndexes, params))
    },
    exec: handle.exec,
    inTransaction: handle.inTransaction,
    close: () => {
      cache.clear()
      handle.close()
    }
  }
}

/** Converts numbers to bigints, because drivers bind a number as a floating-point number. */
const valuesOf = (parameterIndexes: ReadonlyArray<number>, params: ReadonlyArray<SqlValue>) =>
  parameterIndexes.map((index) => {
    const value = params[index] ?? null
    return typeof value === "number" ? BigInt(value) : value
  })
