import { copyFileSync, existsSync, renameSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { UsageLedgerStore } from "effect-marketplace-metering/ledger"
import Libsql from "libsql"
import { event, folder, keyRow, newFile, now, open, withSql } from "./support/sqliteFile.js"

const recorded = { _tag: "Recorded", existing: [] }

const withKeys = (store: UsageLedgerStore.Service) =>
  store.transaction((tables) => tables.addKeys([keyRow("a"), keyRow("b")]))

const quantityOf = (store: UsageLedgerStore.Service, key = 1) =>
  Effect.map(
    store.snapshot((tables) => tables.entries([{ key, hour: 490_000 }])),
    ([entry]) => entry?.quantity
  )

/** A closed connection whose statements are not freed keeps its locks. */
const release = (sql: Libsql.Database) => {
  if (sql.inTransaction) sql.exec("ROLLBACK")
  sql.close()
}

describe("rejects", () => {
  it.scoped("names that are not files", () =>
    Effect.gen(function* () {
      for (const file of ["", ":memory:", "file:ledger.db?mode=memory"]) {
        expect(yield* Effect.flip(open(file))).toMatchObject({
          reason: "unsafeSettings",
          cure: "Give the path of a file on a local disk. For tests, use MemoryLedgerStore"
        })
      }
    })
  )

  it.scoped("a folder, and a file in a folder that does not exist", () =>
    Effect.gen(function* () {
      const path = yield* folder
      expect(yield* Effect.flip(open(path))).toMatchObject({ reason: "notALedger" })
      const error = yield* Effect.flip(open(join(path, "missing", "ledger.db")))
      expect(error).toMatchObject({ reason: "unsafeSettings" })
      expect(error.message).toContain("does not exist. Create the folder")
      expect(existsSync(join(path, "missing"))).toBe(false)
    })
  )

  it.scoped("a file that is not a database, and leaves it as it was", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      writeFileSync(file, "id,quantity\n".repeat(1000))
      const error = yield* Effect.flip(open(file))
      expect(error).toMatchObject({ reason: "notALedger" })
      expect(error.message).toContain("is not a database of SQLite")
    })
  )

  it.scoped("the database of another program, and leaves it as it was", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      withSql(file, (sql) => sql.exec("CREATE TABLE orders (id INTEGER)"))
      const error = yield* Effect.flip(open(file))
      expect(error).toMatchObject({ reason: "notALedger" })
      expect(error.message).toContain("it has orders and no usage_ledger")
      withSql(file, (sql) => {
        expect(sql.prepare("SELECT name FROM sqlite_master").all()).toEqual([{ name: "orders" }])
      })
    })
  )

  it.scoped("a newer schema that this code cannot write, and takes one that it can", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(open(file))
      withSql(file, (sql) => sql.exec("INSERT INTO usage_migration VALUES (98, 1)"))
      yield* Effect.scoped(open(file))
      withSql(file, (sql) => sql.exec("INSERT INTO usage_migration VALUES (99, 99)"))
      const error = yield* Effect.flip(open(file))
      expect(error).toMatchObject({ reason: "newerSchema" })
      expect(error.message).toContain("has version 99 of the schema")
    })
  )

  it.scoped("a driver that is not installed", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(open(yield* newFile, { driver: "better-sqlite3" }))
      expect(error).toMatchObject({ reason: "driverMissing" })
      expect(error.message).toMatch(/better-sqlite3.*npm install libsql/)
    })
  )
})

describe("a file", () => {
  it.scoped("of version 1 is changed to version 2", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(open(file))
      withSql(file, (sql) => {
        sql.exec("ALTER TABLE usage_lane DROP COLUMN seal_after")
        sql.exec("DROP INDEX usage_subscription_license")
        sql.exec("DELETE FROM usage_migration WHERE version = 2")
        sql.exec("INSERT INTO usage_lane VALUES ('r', 'w', 1, 5)")
        sql.exec("PRAGMA user_version = 1")
      })
      const store = yield* open(file)
      expect(yield* store.snapshot((tables) => tables.leases)).toEqual([
        { region: "r", holder: "w", fence: 1, until: 5, sealAfter: 600_000 }
      ])
      // a process of version 1 reads this before each transaction
      expect(withSql(file, (sql) => sql.pragma("user_version"))).toEqual([{ user_version: 2 }])
    })
  )

  it.scoped("keeps what was committed", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      yield* Effect.scoped(
        Effect.gen(function* () {
          const store = yield* open(file)
          yield* withKeys(store)
          expect(yield* store.recordEvents([event("1", { quantity: 3 })], now)).toEqual(recorded)
        })
      )
      const store = yield* open(file)
      expect(store.description).toEqual({ kind: "sqlite", location: file })
      expect(yield* quantityOf(store)).toBe(3n)
      expect(yield* store.recordEvents([event("1", { quantity: 3 })], now)).toEqual({
        _tag: "Recorded",
        existing: [event("1", { quantity: 3 })]
      })
    })
  )

  it.scoped(
    "has a rollback journal with a version of SQLite whose write-ahead log is not safe",
    () =>
      Effect.gen(function* () {
        const file = yield* newFile
        withSql(file, (sql) => {
          sql.exec("PRAGMA journal_mode = wal")
          sql.exec("VACUUM")
        })
        const store = yield* open(file)
        yield* withKeys(store)
        expect(existsSync(`${file}-wal`)).toBe(false)
        expect(existsSync(`${file}-journal`)).toBe(true)
        withSql(file, (sql) => {
          expect(sql.prepare("PRAGMA journal_mode").get()).toMatchObject({ journal_mode: "delete" })
        })
      })
  )

  it.scoped("is not taken from a process that has its write-ahead log open", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const error = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const sql = new Libsql(file)
          sql.exec("PRAGMA journal_mode = wal")
          sql.prepare("SELECT * FROM sqlite_master").all()
          return sql
        }),
        () => Effect.flip(open(file, { busyTimeout: 20 })),
        (sql) => Effect.sync(() => release(sql))
      )
      expect(error).toMatchObject({ reason: "unsafeSettings" })
      expect(error.message).toContain("Use the same driver in all processes")
    })
  )

  it.scoped("is not made again when it was removed, and is used again when it is back", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const store = yield* open(file)
      yield* withKeys(store)
      renameSync(file, `${file}.moved`)
      const error = yield* Effect.flip(store.recordEvents([event("1")], now))
      expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
      expect(error.message).toContain("was removed")
      expect(yield* Effect.flip(quantityOf(store))).toMatchObject({ _tag: "LedgerUnavailable" })
      expect(existsSync(file)).toBe(false)
      copyFileSync(`${file}.moved`, file)
      expect(yield* store.recordEvents([event("1")], now)).toEqual(recorded)
      expect(yield* quantityOf(store)).toBe(1n)
    })
  )

  it.scoped("that is replaced by another program's is not written to", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const store = yield* open(file)
      withSql(`${file}.other`, (sql) => sql.exec("CREATE TABLE orders (id INTEGER)"))
      renameSync(`${file}.other`, file)
      const error = yield* Effect.flip(withKeys(store))
      expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
      expect(error.message).toContain("it has orders and no usage_ledger")
    })
  )

  it.scoped("that newer code has changed is not written to", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const store = yield* open(file)
      withSql(file, (sql) => {
        sql.exec("INSERT INTO usage_migration VALUES (99, 99)")
        sql.exec("PRAGMA user_version = 99")
      })
      const error = yield* Effect.flip(withKeys(store))
      expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
      expect(error.message).toContain("has version 99 of the schema")
    })
  )

  it.scoped("is not used after the end of its scope", () =>
    Effect.gen(function* () {
      const store = yield* Effect.scoped(open(yield* newFile))
      expect(yield* Effect.flip(withKeys(store))).toMatchObject({
        reason: "the store is closed",
        isStored: "no"
      })
    })
  )
})

describe("a transaction", () => {
  it.scoped("stores nothing when it fails or dies", () =>
    Effect.gen(function* () {
      const store = yield* open(yield* newFile)
      const failed = yield* Effect.flip(
        store.transaction((tables) =>
          Effect.zipRight(tables.addKeys([keyRow("a")]), Effect.fail("no" as const))
        )
      )
      expect(failed).toBe("no")
      const died = yield* Effect.exit(
        store.transaction((tables) =>
          Effect.zipRight(tables.addKeys([keyRow("a")]), Effect.die("defect"))
        )
      )
      expect(died).toEqual(Exit.die("defect"))
      expect(yield* store.snapshot((tables) => tables.keys({}))).toEqual([])
    })
  )

  it.scoped("is not committed after a failed statement, even if the failure is caught", () =>
    Effect.gen(function* () {
      const store = yield* open(yield* newFile)
      yield* withKeys(store)
      const carry = (key: number, amount: bigint) => [{ key, tags: "", amount }]
      const exit = yield* Effect.exit(
        store.transaction((tables) =>
          tables
            .putCarry(carry(1, 5n))
            .pipe(
              Effect.zipRight(Effect.exit(tables.putCarry(carry(2, 2n ** 62n + 1n)))),
              Effect.zipRight(Effect.exit(tables.putCarry(carry(2, 7n))))
            )
        )
      )
      expect(Exit.isFailure(exit) && Cause.isDie(exit.cause)).toBe(true)
      expect(yield* store.snapshot((tables) => tables.carry([1, 2]))).toEqual([])
      yield* store.transaction((tables) => tables.putCarry(carry(2, 7n)))
      expect(yield* store.snapshot((tables) => tables.carry([1, 2]))).toEqual(carry(2, 7n))
    })
  )

  it.scoped("is not interrupted", () =>
    Effect.gen(function* () {
      const store = yield* open(yield* newFile)
      const started = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const fiber = yield* Effect.fork(
        store.transaction((tables) =>
          tables
            .addKeys([keyRow("a")])
            .pipe(
              Effect.zipRight(Deferred.succeed(started, undefined)),
              Effect.zipRight(Deferred.await(goOn)),
              Effect.zipRight(tables.addKeys([keyRow("b")]))
            )
        )
      )
      yield* Deferred.await(started)
      const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(interruption)
      const keys = yield* store.snapshot((tables) => tables.keys({}))
      expect(keys.map(({ dimension }) => dimension)).toEqual(["a", "b"])
    })
  )

  it.scoped("waits for others without blocking the thread, and is interrupted while it waits", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const [first, second] = [yield* open(file), yield* open(file)]
      const started = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const holder = yield* Effect.fork(
        first.transaction((tables) =>
          tables
            .addKeys([keyRow("a")])
            .pipe(
              Effect.zipRight(Deferred.succeed(started, undefined)),
              Effect.zipRight(Deferred.await(goOn))
            )
        )
      )
      yield* Deferred.await(started)
      const interrupted = yield* Effect.fork(
        second.transaction((tables) => tables.addKeys([keyRow("never")]))
      )
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(interrupted)
      const waiter = yield* Effect.fork(
        second.transaction((tables) => tables.addKeys([keyRow("b")]))
      )
      yield* Effect.yieldNow()
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(holder)
      yield* Fiber.join(waiter)
      const keys = yield* first.snapshot((tables) => tables.keys({}))
      expect(keys.map(({ dimension }) => dimension)).toEqual(["a", "b"])
    })
  )

  it.scoped("fails when another connection holds the lock for too long, and works afterwards", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const store = yield* open(file, { busyTimeout: 20 })
      yield* withKeys(store)
      const error = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const sql = new Libsql(file)
          sql.exec("BEGIN IMMEDIATE")
          return sql
        }),
        () => Effect.flip(store.recordEvents([event("1")], now)),
        (sql) => Effect.sync(() => release(sql))
      )
      expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
      expect(error.message).toContain("SQLITE_BUSY")
      expect(yield* store.recordEvents([event("1")], now)).toEqual(recorded)
    })
  )

  it.scoped("is rolled back when its commit cannot get the lock", () =>
    Effect.gen(function* () {
      const file = yield* newFile
      const store = yield* open(file, { busyTimeout: 20 })
      yield* withKeys(store)
      // a reader keeps a rollback journal from being committed
      const error = yield* Effect.acquireUseRelease(
        Effect.sync(() => {
          const sql = new Libsql(file)
          sql.exec("BEGIN")
          sql.prepare("SELECT * FROM usage_key").all()
          return sql
        }),
        () => Effect.flip(store.recordEvents([event("1")], now)),
        (sql) => Effect.sync(() => release(sql))
      )
      expect(error).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
      expect(yield* quantityOf(store)).toBeUndefined()
      expect(yield* store.recordEvents([event("1")], now)).toEqual(recorded)
    })
  )
})

describe("sums", () => {
  it.scoped("keep all digits up to 2^62", () =>
    Effect.gen(function* () {
      const store = yield* open(yield* newFile)
      yield* withKeys(store)
      const large = 2n ** 62n - 1n
      const posting = {
        key: 1,
        hour: 490_000,
        cause: "advance",
        reference: "log/0",
        tags: '[["team","a"]]',
        quantity: large
      } as const
      yield* store.transaction((tables) => tables.addPostings([posting], now))
      expect(yield* quantityOf(store)).toBe(large)
      yield* store.transaction((tables) => tables.putCarry([{ key: 1, tags: "", amount: -large }]))
      const read = yield* store.snapshot((tables) =>
        Effect.all([
          tables.postings({ cause: "advance", references: ["log/0"] }),
          tables.allocations([posting]),
          tables.carry([1]),
          tables.keyTotals(undefined, 1)
        ])
      )
      expect(read).toMatchObject([
        [posting],
        [{ quantity: large }],
        [{ amount: -large }],
        [{ recorded: large, open: large, carry: -large }]
      ])
    })
  )

  it.scoped("beyond 2^62 are an overflow, and nothing is stored", () =>
    Effect.gen(function* () {
      const store = yield* open(yield* newFile)
      yield* withKeys(store)
      const posting = { hour: 490_000, cause: "advance", reference: "r", tags: "" } as const
      yield* store.transaction((tables) =>
        tables.addPostings(
          [
            { ...posting, key: 1, quantity: 2n ** 62n - 1n },
            { ...posting, key: 2, quantity: 2n ** 62n - BigInt(Number.MAX_SAFE_INTEGER) }
          ],
          now
        )
      )
      const overflow = { _tag: "Overflow" }
      expect(yield* store.recordEvents([event("1", { quantity: 2 })], now)).toEqual(overflow)
      const batch = Array.from({ length: 600 }, (_, index) =>
        event(`n${index}`, { key: 2, quantity: Number.MAX_SAFE_INTEGER })
      )
      expect(yield* store.recordEvents(batch, now)).toEqual(overflow)
      expect(yield* store.recordEvents(batch.slice(0, 2), now)).toEqual(overflow)
      expect(yield* quantityOf(store, 2)).toBe(2n ** 62n - BigInt(Number.MAX_SAFE_INTEGER))
      expect(yield* store.recordEvents(batch.slice(0, 1), now)).toEqual(recorded)
      expect(yield* quantityOf(store, 2)).toBe(2n ** 62n)
      expect(yield* store.snapshot((tables) => tables.verifySums(undefined, 10))).toEqual({
        differences: [],
        last: undefined
      })
    })
  )
})
