/** Transactions: all or nothing, one after the other where they lock the same rows. */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Tables } from "../../../src/ledger/internal/tables.js"
import { event, record } from "../rows.js"
import { addKey, keyRow, posting, read, type StoreTest, subscription, write } from "./storeTest.js"

/** Changes rows of every table. `key` has an open entry at hour 1 and a record at hour 2. */
const changeAll = (tables: Tables, key: number, recordId: number) =>
  Effect.gen(function* () {
    yield* tables.putLedger({
      ...{ version: 1, writableFrom: 1, seller: "s", target: "sandbox", incarnation: "i", tick: 1 },
      ...{ holdFrom: 1, heldUntil: 2, recoveredAt: 3 }
    })
    yield* tables.nextTick
    yield* tables.putProduct({
      ...{ product: "new", region: "r", productCode: "c", late: "carry" as const },
      ...{ dimensions: {}, tagKeys: [] }
    })
    yield* tables.putSubscription(subscription({ closingAt: 9, customerId: "new" }))
    yield* tables.putSubscription(subscription({ id: "new" }))
    yield* tables.addKeys([keyRow({ dimension: "new" })])
    yield* tables.addPostings([posting({ key, hour: 1, tags: "t", quantity: 5n })], 1)
    yield* tables.ensureEntries([{ key, hour: 3 }], 1)
    yield* tables.putCarry([
      { key, tags: "", amount: 0n },
      { key, tags: "t", amount: 2n }
    ])
    yield* tables.sealEntries([{ key, hour: 1, rounding: 1n }])
    yield* tables.addRecords([record({ key, hour: 1 })])
    yield* tables.putLease({ region: "r", holder: "new", fence: 9, until: 9, sealAfter: 9 })
    const [row] = yield* tables.lockRecords([recordId])
    if (row !== undefined) {
      yield* tables.updateRecords([{ ...row, state: "accepted", resolvedAt: 1, tries: 5 }])
    }
    const call = yield* tables.addCall({ region: "r", fence: 9, worker: "w", sentAt: 1_000 }, [
      recordId
    ])
    yield* tables.addResults([
      {
        ...{ record: recordId, call, at: 1_001, result: "success" },
        ...{ meteringRecordId: "m", requestId: "q", detail: "d" }
      }
    ])
    yield* tables.addHistory([
      { at: 1, key, hour: 1, was: undefined, became: "sealed", cause: "c" }
    ])
    yield* tables.removePause("r", "p")
    yield* tables.putPause({ region: "r", product: "new", since: 1, cause: "c", retryAt: 1 })
    yield* tables.putSource({ source: "s", partition: "p", position: "new" })
  })

/** All rows of these tests. */
const readAll = (tables: Tables, key: number, recordId: number) => {
  const ids = [1, 2, 3].map((hour) => ({ key, hour }))
  return Effect.all({
    ledger: tables.ledger,
    products: tables.products,
    subscriptions: tables.subscriptions({}),
    byLineage: tables.subscriptions({ lineages: ["l"] }),
    byCustomer: tables.subscriptions({ customer: "new" }),
    keys: tables.keys({}),
    keysByLineage: tables.keys({ lineages: ["l"] }),
    events: tables.events(["a", "b", "new"]),
    postings: tables.postings({ cause: "advance", references: ["source/0"] }),
    allocations: tables.allocations(ids),
    carry: tables.carry([key]),
    open: tables.lockOpenEntries({ region: "r", beforeHour: 9, limit: 9 }),
    leases: tables.leases,
    lease: tables.lockLease("r"),
    due: tables.dueRecords({ region: "r", now: 0, limit: 9 }),
    unresolved: tables.unresolvedRecords({ deadlineUntil: 1e13, limit: 9 }),
    attempts: tables.attempts([recordId]),
    pauses: tables.pauses,
    source: tables.source("s", "p"),
    entries: tables.entryPage({}, undefined, 9),
    history: tables.history(ids),
    states: tables.stateCounts(0),
    hours: tables.hourlyCounts(0),
    carryOver: tables.carryOver(1, 9),
    lastActivityAt: tables.lastActivityAt,
    sums: tables.verifySums(undefined, 9),
    totals: tables.keyTotals(undefined, 9)
  })
}

export const transactionContract = (test: StoreTest): void => {
  const prepare = (store: Parameters<Parameters<StoreTest>[1]>[0]) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      yield* store.recordEvents(
        [event({ id: "a", key, tags: "t" }), event({ id: "b", key, hour: 2 })],
        1
      )
      const [row] = yield* write(store, (tables) =>
        Effect.gen(function* () {
          yield* tables.putSubscription(subscription({}))
          yield* tables.putCarry([{ key, tags: "", amount: 3n }])
          yield* tables.sealEntries([{ key, hour: 2, rounding: 0n }])
          yield* tables.putLease({ region: "r", holder: "old", fence: 1, until: 1, sealAfter: 1 })
          yield* tables.putPause({ region: "r", product: "p", since: 1, cause: "c", retryAt: 1 })
          yield* tables.putSource({ source: "s", partition: "p", position: "old" })
          return yield* tables.addRecords([record({ key, hour: 2, sealedAt: 5 })])
        })
      )
      const recordId = row?.id as number
      return { key, recordId, all: write(store, (tables) => readAll(tables, key, recordId)) }
    })

  const endings: ReadonlyArray<readonly [string, Effect.Effect<never, string>]> = [
    ["fails", Effect.fail("typed")],
    ["dies", Effect.die("defect")],
    ["is interrupted from within", Effect.interrupt],
    [
      "throws",
      Effect.sync(() => {
        throw new Error("thrown")
      })
    ]
  ]
  for (const [ends, ending] of endings) {
    test(`stores nothing of a transaction that ${ends}`, (store) =>
      Effect.gen(function* () {
        const { all, key, recordId } = yield* prepare(store)
        const before = yield* all
        const exit = yield* Effect.exit(
          write(store, (tables) => Effect.zipRight(changeAll(tables, key, recordId), ending))
        )
        assert.isTrue(Exit.isFailure(exit))
        if (ends === "fails") assert.deepEqual(exit, Exit.fail("typed"))
        assert.deepEqual(yield* all, before)
        // and the store goes on
        yield* write(store, (tables) => changeAll(tables, key, recordId))
        assert.notDeepEqual(yield* all, before)
      }))
  }

  test("reads its own changes within a transaction, and stores all of them", (store) =>
    Effect.gen(function* () {
      const { all, key, recordId } = yield* prepare(store)
      const within = yield* write(store, (tables) =>
        Effect.zipRight(changeAll(tables, key, recordId), readAll(tables, key, recordId))
      )
      assert.deepEqual(yield* all, within)
      assert.strictEqual(within.source?.position, "new")
    }))

  test("ends and stores a transaction that is interrupted while it runs", (store) =>
    Effect.gen(function* () {
      const isRunning = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const pause = { region: "r", product: "p", since: 1, cause: "c", retryAt: undefined }
      const running = yield* Effect.fork(
        write(store, (tables) =>
          Effect.gen(function* () {
            yield* tables.putPause(pause)
            yield* Deferred.succeed(isRunning, undefined)
            yield* Deferred.await(goOn)
            yield* tables.putPause({ ...pause, product: "q" })
          })
        )
      )
      yield* Deferred.await(isRunning)
      const interruption = yield* Effect.fork(Fiber.interrupt(running))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(interruption)
      const pauses = yield* read(store, (tables) => tables.pauses)
      assert.deepEqual(
        pauses.map(({ product }) => product),
        ["p", "q"]
      )
    }))

  test("returns the result and the typed failure of a body", (store) =>
    Effect.gen(function* () {
      assert.strictEqual(yield* write(store, () => Effect.succeed(1)), 1)
      assert.strictEqual(yield* read(store, () => Effect.succeed(2)), 2)
      assert.strictEqual(yield* Effect.flip(write(store, () => Effect.fail("a"))), "a")
      assert.strictEqual(yield* Effect.flip(read(store, () => Effect.fail("b"))), "b")
      assert.deepEqual(yield* read(store, (tables) => tables.pauses), [])
    }))

  const add = (position: string | undefined) => String(Number(position ?? "0") + 1)
  const locks: ReadonlyArray<
    readonly [
      string,
      (tables: Tables, key: number, recordId: number) => Effect.Effect<unknown, unknown>
    ]
  > = [
    ["a lease that does not exist yet", (tables) => tables.lockLease("missing")],
    ["a lease", (tables) => tables.lockLease("r")],
    ["a name", (tables) => tables.lock("name")],
    ["a source", (tables) => tables.source("s", "p")],
    ["a source that does not exist yet", (tables) => tables.source("missing", "p")],
    ["carry", (tables, key) => tables.carry([key])],
    ["records", (tables, _, recordId) => tables.lockRecords([recordId])],
    ["a lineage", (tables) => tables.putSubscription(subscription({}))]
  ]
  for (const [what, lock] of locks) {
    test(`loses no update under the lock of ${what}`, (store) =>
      Effect.gen(function* () {
        const { key, recordId } = yield* prepare(store)
        const counter = { region: "counter", product: "p", cause: "c", retryAt: undefined }
        yield* write(store, (tables) => tables.putPause({ ...counter, since: 0 }))
        yield* Effect.all(
          Array.from({ length: 12 }, () =>
            write(store, (tables) =>
              Effect.gen(function* () {
                yield* lock(tables, key, recordId)
                const [old] = yield* tables.pauses
                yield* Effect.yieldNow()
                yield* tables.putPause({ ...counter, since: (old?.since ?? 0) + 1 })
              })
            )
          ),
          { concurrency: "unbounded" }
        )
        const [pause] = yield* read(store, (tables) => tables.pauses)
        assert.strictEqual(pause?.since, 12)
      }))
  }

  test("moves a source on by one transaction at a time", (store) =>
    Effect.gen(function* () {
      yield* Effect.all(
        Array.from({ length: 12 }, () =>
          write(store, (tables) =>
            Effect.gen(function* () {
              const old = yield* tables.source("s", "0")
              yield* Effect.yieldNow()
              yield* tables.putSource({ source: "s", partition: "0", position: add(old?.position) })
            })
          )
        ),
        { concurrency: "unbounded" }
      )
      const source = yield* write(store, (tables) => tables.source("s", "0"))
      assert.strictEqual(source?.position, "12")
    }))

  test("counts each tick once", (store) =>
    Effect.gen(function* () {
      const { key, recordId } = yield* prepare(store)
      yield* write(store, (tables) => changeAll(tables, key, recordId))
      const ticks = yield* Effect.all(
        Array.from({ length: 12 }, () => write(store, (tables) => tables.nextTick)),
        { concurrency: "unbounded" }
      )
      assert.deepEqual(
        [...ticks].sort((left, right) => left - right),
        Array.from({ length: 12 }, (_, index) => index + 3)
      )
    }))

  test("records each id once when batches overlap", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const events = Array.from({ length: 60 }, (_, index) =>
        event({ id: `e${index}`, key, hour: index % 3, quantity: 2, tags: index % 2 ? "t" : "" })
      )
      const results = yield* Effect.all(
        [0, 10, 20, 30, 40].map((from) =>
          store.recordEvents([...events.slice(from), ...events.slice(0, from)].slice(0, 40), 1)
        ),
        { concurrency: "unbounded" }
      )
      const existing = results.map((result) =>
        result._tag === "Recorded" ? result.existing.length : Number.NaN
      )
      assert.strictEqual(
        existing.reduce((sum, n) => sum + n, 0),
        5 * 40 - 60
      )
      const [totals] = yield* read(store, (tables) => tables.keyTotals(undefined, 9))
      assert.deepInclude(totals, { recorded: 120n, open: 120n })
      const { differences } = yield* read(store, (tables) => tables.verifySums(undefined, 9))
      assert.deepEqual(differences, [])
    }))

  test("reads one state in a snapshot", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const hasRead = yield* Deferred.make<void>()
      const writing = yield* Effect.fork(
        Effect.zipRight(Deferred.await(hasRead), store.recordEvents([event({ id: "a", key })], 1))
      )
      const states = yield* read(store, (tables) =>
        Effect.gen(function* () {
          const first = yield* tables.entries([{ key, hour: 1 }])
          yield* Deferred.succeed(hasRead, undefined)
          yield* Effect.yieldNow()
          yield* Effect.yieldNow()
          return [first, yield* tables.entries([{ key, hour: 1 }])]
        })
      )
      assert.deepEqual(states, [[], []])
      yield* Fiber.join(writing)
    }))

  test("says what it is", (store) =>
    Effect.sync(() => {
      assert.include(["memory", "sqlite", "postgres"], store.description.kind)
      assert.isAbove(store.description.location.length, 0)
    }))
}
