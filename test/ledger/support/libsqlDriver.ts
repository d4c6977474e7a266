import Libsql from "libsql"
import type { Driver } from "../../../src/ledger/internal/sqlite/driver.js"

export const libsql: Driver = {
  name: "libsql",
  open: (file) => {
    const database = new Libsql(file)
    return {
      prepare: (sql) => {
        const statement = database.prepare(sql)
        return {
          all: (params) => statement.all(...params) as never,
          run: (params) => statement.run(...params).changes
        }
      },
      exec: (sql) => database.exec(sql),
      inTransaction: () => database.inTransaction,
      close: () => database.close()
    }
  }
}

/** SQLite that tells of one setting, or of its version, something else. */
export const pretending = (column: string, value: string | number): Driver => ({
  ...libsql,
  open: (file) => {
    const handle = libsql.open(file)
    return {
      ...handle,
      prepare: (sql) => {
        const statement = handle.prepare(sql)
        return {
          ...statement,
          all: (params) =>
            statement.all(params).map((row) => (column in row ? { ...row, [column]: value } : row))
        }
      }
    }
  }
})
