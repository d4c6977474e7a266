import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LedgerError, UsageLedgerStore } from "../../src/ledger/index.js"
import { type DriverName, findDriver } from "../../src/ledger/internal/sqlite/driver.js"
import { makeStore } from "../../src/ledger/internal/sqlite/store.js"
import { pretending } from "./support/libsqlDriver.js"
import { event, keyRow, newFile, now, withSql } from "./support/sqliteFile.js"

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const builtIn = major > 22 || (major === 22 && minor >= 16) ? (["node:sqlite"] as const) : []

/** Those with a write-ahead log. libsql has one only with another version of SQLite. */
const drivers: ReadonlyArray<DriverName> = ["libsql", ...builtIn]

const open = (name: DriverName, file: string) =>
  Effect.flatMap(
    name === "libsql" ? Effect.succeed(pretending("version", "3.51.3")) : findDriver(name),
    (driver) => makeStore(driver, { file, busyTimeout: 0 })
  )

const using = <A, E>(
  driver: DriverName,
  file: string,
  use: (store: UsageLedgerStore.Service) => Effect.Effect<A, E>
) => Effect.scoped(Effect.flatMap(open(driver, file), use))

/** Connections of libsql do not end, and so do not empty the log, before their statements are freed. */
const emptyLog = (file: string) =>
  withSql(file, (sql) => sql.prepare("PRAGMA wal_checkpoint(TRUNCATE)").all())

let made = 0
const record = (count: number) => (store: UsageLedgerStore.Service) =>
  store.recordEvents(
    Array.from({ length: count }, () => event(String(++made).padStart(9, "0"))),
    now
  )

const quantityOf = (store: UsageLedgerStore.Service) =>
  Effect.map(
    store.snapshot((tables) => tables.entries([{ key: 1, hour: 490_000 }])),
    ([entry]) => entry?.quantity
  )

const writeAndRead = (
  store: UsageLedgerStore.Service
): ReadonlyArray<Effect.Effect<unknown, LedgerError.LedgerUnavailable>> => [
  record(5)(store),
  quantityOf(store),
  record(5)(store)
]

const removeLog = (file: string) => {
  rmSync(`${file}-wal`)
  rmSync(`${file}-shm`, { force: true })
}

/** A ledger of 2010 events, and the backup that was made after the first 10. */
const setUp = (driver: DriverName) =>
  Effect.gen(function* () {
    const file = yield* newFile
    yield* using(driver, file, (store) =>
      Effect.zipRight(
        store.transaction((tables) => tables.addKeys([keyRow("a")])),
        record(10)(store)
      )
    )
    emptyLog(file)
    copyFileSync(file, `${file}.backup`)
    yield* using(driver, file, record(2_000))
    emptyLog(file)
    return { file, backup: readFileSync(`${file}.backup`) }
  })

describe.each(drivers)("a backup that is restored (%s)", (driver) => {
  it.scoped("beside the log of a killed process is not damaged by it", () =>
    Effect.gen(function* () {
      const { file } = yield* setUp(driver)
      copyFileSync(file, `${file}.killed`)
      yield* using(driver, file, (store) =>
        Effect.tap(record(5)(store), () => copyFileSync(`${file}-wal`, `${file}.log`))
      )
      copyFileSync(`${file}.log`, `${file}.killed-wal`)
      expect(yield* using(driver, `${file}.killed`, quantityOf)).toBe(2015n)

      const restored = `${file}.restored`
      copyFileSync(`${file}.backup`, restored)
      copyFileSync(`${file}.log`, `${restored}-wal`)
      const error = yield* Effect.flip(using(driver, restored, quantityOf))
      expect(error).toMatchObject({ _tag: "LedgerConfigError", reason: "notALedger" })
      expect(error.message).toContain(`delete ${restored}-wal and ${restored}-shm`)
      rmSync(`${restored}-wal`)
      expect(yield* using(driver, restored, quantityOf)).toBe(10n)
    })
  )

  it.scoped("under a running process is used when the log of the replaced file is deleted", () =>
    Effect.gen(function* () {
      const { backup, file } = yield* setUp(driver)
      yield* using(driver, file, (store) =>
        Effect.gen(function* () {
          yield* record(5)(store)
          renameSync(`${file}.backup`, file)
          for (const result of writeAndRead(store)) {
            const error = yield* Effect.flip(result)
            expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
            expect(error.message).toContain(`delete ${file}-wal and ${file}-shm`)
          }
          expect(readFileSync(file).equals(backup)).toBe(true)
          removeLog(file)
          expect(yield* quantityOf(store)).toBe(10n)
          yield* record(5)(store)
          expect(yield* quantityOf(store)).toBe(15n)
        })
      )
      expect(yield* using(driver, file, quantityOf)).toBe(15n)
    })
  )

  it.scoped("into the same file, without its log, is not written to by a running process", () =>
    Effect.gen(function* () {
      const { backup, file } = yield* setUp(driver)
      yield* using(driver, file, (store) =>
        Effect.gen(function* () {
          yield* record(5)(store)
          writeFileSync(file, backup)
          removeLog(file)
          for (const result of writeAndRead(store)) {
            const error = yield* Effect.flip(result)
            expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
            expect(error.message).toContain(`${file}-wal was removed while this process uses it`)
          }
        })
      )
      expect(readFileSync(file).equals(backup)).toBe(true)
    })
  )
})
