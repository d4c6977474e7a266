/** A loop that inserts the rows of events, and nothing else, with the ledger's driver and settings. */
import * as Effect from "effect/Effect"
import { type DriverName, findDriver } from "../../../src/ledger/internal/sqlite/driver.js"
import { applySettings } from "../../../src/ledger/internal/sqlite/settings.js"
import { type Ids, makeId } from "./usage.js"

/** Opens a file of its own. Returns a function that inserts events in one transaction. */
export const openBare = (driver: DriverName, file: string) =>
  Effect.gen(function* () {
    const { open } = yield* findDriver(driver)
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => open(file)),
      ({ close }) => Effect.sync(close)
    )
    const journal = applySettings(
      {
        ...database,
        query: (sql) => database.prepare(sql).all([]),
        run: (sql) => database.prepare(sql).run([])
      },
      file
    )
    database.exec(`CREATE TABLE bare_event (
      id TEXT PRIMARY KEY, key INTEGER NOT NULL, hour INTEGER NOT NULL, at INTEGER NOT NULL,
      quantity INTEGER NOT NULL, tags TEXT NOT NULL) STRICT, WITHOUT ROWID`)
    const statement = database.prepare("INSERT INTO bare_event VALUES (?, ?, ?, ?, ?, ?)")
    const insert = (size: number, ids: Ids): void => {
      const now = Date.now()
      const hour = Math.floor(now / 3_600_000)
      database.exec("BEGIN IMMEDIATE")
      for (let i = 0; i < size; i += 1) statement.run([makeId(ids), i % 200, hour, now, 1, ""])
      database.exec("COMMIT")
    }
    return { insert, journal }
  })
