/** A connection with its prepared statements. Synchronous: it throws the driver's errors. */
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
  /** The index of the parameter for each place. */
  readonly places: ReadonlyArray<number>
}

/** Texts of statements vary with their filters only. */
const maxPrepared = 500

export const connect = (driver: Driver, file: string): Connection => {
  const handle = driver.open(file)
  const cache = new Map<string, Prepared>()
  const prepare = (sql: string): Prepared => {
    const cached = cache.get(sql)
    if (cached !== undefined) {
      return cached
    }
    // drivers disagree about numbered parameters
    const places: Array<number> = []
    const text = sql.replace(/\$(\d+)/g, (_, digits: string) => {
      places.push(Number(digits) - 1)
      return "?"
    })
    const prepared = { statement: handle.prepare(text), places }
    if (cache.size >= maxPrepared) {
      cache.clear()
    }
    cache.set(sql, prepared)
    return prepared
  }
  return {
    query: (sql, params = []) => {
      const { statement, places } = prepare(sql)
      return statement.all(valuesOf(places, params))
    },
    run: (sql, params = []) => {
      const { statement, places } = prepare(sql)
      return statement.run(valuesOf(places, params))
    },
    exec: handle.exec,
    inTransaction: handle.inTransaction,
    close: () => {
      cache.clear()
      handle.close()
    }
  }
}

/** Drivers bind a number as a floating-point number, and a bigint as an integer. */
const valuesOf = (places: ReadonlyArray<number>, params: ReadonlyArray<SqlValue>) =>
  places.map((place) => {
    const value = params[place] ?? null
    return typeof value === "number" ? BigInt(value) : value
  })
