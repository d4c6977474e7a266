import { statSync } from "node:fs"
import { expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Driver, Handle } from "../../../../src/ledger/internal/sqlite/driver.js"
import { makeStore } from "../../../../src/ledger/internal/sqlite/store.js"
import { libsql, pretending } from "../../support/libsqlDriver.js"
import { event, keyRow, newFile, now } from "../../support/sqliteFile.js"

const error = (code: string) => Object.assign(new Error(code), { code: `SQLITE_${code}` })

/** A driver whose next matching statement does something else, once. */
const failing = (base: Driver = libsql) => {
  const prepared: Array<string> = []
  let fault: { readonly sql: string; readonly run: (handle: Handle) => void } | undefined
  let opened = 0
  const hit = (handle: Handle, sql: string) => {
    if (fault !== undefined && sql.startsWith(fault.sql)) {
      const { run } = fault
      fault = undefined
      run(handle)
    }
  }
  const driver: Driver = {
    name: "libsql",
    open: (file) => {
      opened += 1
      const handle = base.open(file)
      return {
        ...handle,
        exec: (sql) => {
          hit(handle, sql)
          handle.exec(sql)
        },
        prepare: (sql) => {
          const statement = handle.prepare(sql)
          prepared.push(sql)
          return {
            all: (params) => {
              hit(handle, sql)
              return statement.all(params)
            },
            run: (params) => {
              hit(handle, sql)
              return statement.run(params)
            }
          }
        }
      }
    }
  }
  return {
    driver,
    prepared,
    opened: () => opened,
    /** `before` runs first; then the statement fails instead of running. */
    failNext: (sql: string, code: string, before: (handle: Handle) => void = () => {}) => {
      fault = {
        sql,
        run: (handle) => {
          before(handle)
          throw error(code)
        }
      }
    }
  }
}

const setUp = Effect.gen(function* () {
  const fault = failing()
  const store = yield* makeStore(fault.driver, { file: yield* newFile, busyTimeout: 20 })
  yield* store.transaction((tables) => tables.addKeys([keyRow("a")]))
  return { ...fault, store }
})

const quantity = (store: Effect.Effect.Success<typeof setUp>["store"]) =>
  Effect.map(
    store.snapshot((tables) => tables.entries([{ key: 1, hour: 490_000 }])),
    ([entry]) => entry?.quantity
  )

it.scoped(
  "an event is in doubt after a lost commit, and is recorded once when it comes again",
  () =>
    Effect.gen(function* () {
      const { failNext, opened, store } = yield* setUp
      failNext("COMMIT", "IOERR_FSYNC", (handle) => handle.exec("COMMIT"))
      const failure = yield* Effect.flip(store.recordEvents([event("1")], now))
      expect(failure).toMatchObject({ _tag: "LedgerUnavailable", isStored: "unknown" })
      expect(failure.message).toContain("SQLITE_IOERR")
      const before = opened()
      expect(yield* store.recordEvents([event("1")], now)).toEqual({
        _tag: "Recorded",
        existing: [event("1")]
      })
      expect(opened()).toBe(before + 1)
      expect(yield* quantity(store)).toBe(1n)
    })
)

it.scoped.each([
  ["FULL", "no", "the disk is full", undefined],
  ["FULL", "no", "the disk is full", "ROLLBACK"],
  ["BUSY", "no", "holds the lock", undefined],
  ["IOERR", "unknown", "the disk failed", undefined],
  ["IOERR", "unknown", "the disk failed", "ROLLBACK"],
  ["NOMEM", "unknown", "out of memory", "ROLLBACK"]
] as const)("a commit that fails with %s is stored: %s", ([code, isStored, reason, before]) =>
  Effect.gen(function* () {
    const { driver, failNext } = failing()
    const store = yield* makeStore(driver, { file: yield* newFile, busyTimeout: 0 })
    yield* store.transaction((tables) => tables.addKeys([keyRow("a")]))
    failNext("COMMIT", code, (handle) => before && handle.exec(before))
    const failure = yield* Effect.flip(store.recordEvents([event("1")], now))
    expect(failure).toMatchObject({ _tag: "LedgerUnavailable", isStored })
    expect(failure.message).toContain(reason)
    expect(yield* quantity(store)).toBeUndefined()
    expect(yield* store.recordEvents([event("1")], now)).toEqual({ _tag: "Recorded", existing: [] })
  })
)

it.scoped.each([
  ["BEGIN IMMEDIATE", "CANTOPEN"],
  ["INSERT INTO usage_event", "FULL"],
  ["INSERT INTO usage_event", "IOERR_WRITE"],
  ["INSERT INTO usage_entry", "CORRUPT"],
  ["INSERT INTO usage_entry", "READONLY"]
] as const)("nothing is stored when %s fails with %s, and the store is used again", ([sql, code]) =>
  Effect.gen(function* () {
    const { failNext, store } = yield* setUp
    failNext(sql, code)
    const failure = yield* Effect.flip(store.recordEvents([event("1")], now))
    expect(failure).toMatchObject({ _tag: "LedgerUnavailable", isStored: "no" })
    expect(yield* quantity(store)).toBeUndefined()
    expect(yield* store.recordEvents([event("1")], now)).toEqual({ _tag: "Recorded", existing: [] })
  })
)

it.scoped(
  "a write-ahead log is written to the database after a failed flush, before it is used again",
  () =>
    Effect.gen(function* () {
      const { driver, failNext, prepared } = failing(pretending("version", "3.51.3"))
      const file = yield* newFile
      const store = yield* makeStore(driver, { file, busyTimeout: 0 })
      yield* store.transaction((tables) => tables.addKeys([keyRow("a")]))
      failNext("COMMIT", "IOERR_FSYNC", (handle) => handle.exec("COMMIT"))
      expect(yield* Effect.flip(store.recordEvents([event("1")], now))).toMatchObject({
        isStored: "unknown"
      })
      const checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
      expect(prepared).not.toContain(checkpoint)
      failNext(checkpoint, "BUSY")
      expect(yield* Effect.flip(store.recordEvents([event("1")], now))).toMatchObject({
        isStored: "no"
      })
      let size = -1
      yield* store.transaction(() => Effect.sync(() => (size = statSync(`${file}-wal`).size)))
      expect(size).toBe(0)
      expect(yield* quantity(store)).toBe(1n)
    })
)

it.scoped("a commit waits for a reader", () =>
  Effect.gen(function* () {
    const { failNext, store } = yield* setUp
    failNext("COMMIT", "BUSY")
    expect(yield* store.recordEvents([event("1")], now)).toEqual({ _tag: "Recorded", existing: [] })
    expect(yield* quantity(store)).toBe(1n)
  })
)

it.scoped("a statement outside of its transaction is a defect", () =>
  Effect.gen(function* () {
    const { store } = yield* setUp
    const tables = yield* store.transaction(Effect.succeed)
    const exit = yield* Effect.exit(tables.addKeys([keyRow("b")]))
    expect(String(exit)).toContain("outside of its transaction")
    expect(yield* store.snapshot(({ keys }) => keys({}))).toHaveLength(1)
  })
)

it.scoped("a snapshot is one state, and does not wait for a writer with a write-ahead log", () =>
  Effect.gen(function* () {
    const store = yield* makeStore(pretending("version", "3.51.3"), {
      file: yield* newFile,
      busyTimeout: 20
    })
    yield* store.transaction((tables) => tables.addKeys([keyRow("a")]))
    const started = yield* Deferred.make<void>()
    const goOn = yield* Deferred.make<void>()
    const writer = yield* Effect.fork(
      store.transaction((tables) =>
        tables
          .addKeys([keyRow("b")])
          .pipe(
            Effect.zipRight(Deferred.succeed(started, undefined)),
            Effect.zipRight(Deferred.await(goOn))
          )
      )
    )
    yield* Deferred.await(started)
    const counts = yield* store.snapshot(({ keys }) =>
      Effect.gen(function* () {
        const before = yield* keys({})
        yield* Deferred.succeed(goOn, undefined)
        yield* Fiber.join(writer)
        return [before.length, (yield* keys({})).length]
      })
    )
    expect(counts).toEqual([1, 1])
    expect(yield* store.snapshot(({ keys }) => keys({}))).toHaveLength(2)
  })
)

it.scoped("dies if SQLite changes the text of an id", () =>
  Effect.gen(function* () {
    const file = yield* newFile
    const store = yield* makeStore(pretending("id", "another"), { file, busyTimeout: 1_000 })
    yield* store.transaction((tables) => tables.addKeys([keyRow("a")]))
    yield* store.recordEvents([event("1")], now)
    const cause = yield* Effect.flip(
      Effect.sandbox(store.recordEvents([event("1"), event("2")], now))
    )
    expect(Cause.pretty(cause)).toContain("changed the text of an id")
  })
)
