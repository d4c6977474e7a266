import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import {
  type LedgerError,
  PgLedgerStore,
  type UsageLedgerStore
} from "effect-marketplace-metering/ledger"
import { makePostgres, Postgres, type PostgresServer } from "../support/postgres.js"
import { makeTcpProxy } from "../support/tcpProxy.js"
import { event, openEntry, record } from "./rows.js"

const count = (server: PostgresServer, url: string, table: string) =>
  Effect.map(server.sql(url, `SELECT COUNT(*) AS n FROM usage_ledger.${table}`), ([row]) =>
    Number(row?.n)
  )

const region = "us-east-1"

const assertUnavailable = (
  result: Either.Either<unknown, LedgerError.LedgerUnavailable | LedgerError.LedgerConfigError>,
  isStored: "no" | "unknown"
) => {
  assert.isTrue(Either.isLeft(result))
  if (Either.isLeft(result)) {
    assert.include(result.left, { _tag: "LedgerUnavailable", isStored })
  }
}

/** A key in `region` for each dimension, from 1 on. */
const addKeys = (store: UsageLedgerStore.Service, keys: number) =>
  store.transaction((tables) =>
    tables.addKeys(
      Array.from({ length: keys }, (_, i) => ({
        ...{ lineage: "l", dimension: `d${i}`, scale: 0, region, product: "p" }
      }))
    )
  )

/** Seals up to `limit` open entries as the reporter does. Returns how many. */
const seal = (store: UsageLedgerStore.Service, beforeHour: number, limit: number) =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      yield* tables.lockLease(region)
      const entries = yield* tables.lockOpenEntries({ region, beforeHour, limit })
      yield* tables.allocations(entries)
      yield* tables.carry([...new Set(entries.map(({ key }) => key))])
      yield* tables.sealEntries(entries.map(({ key, hour }) => ({ key, hour, rounding: 0n })))
      yield* tables.addRecords(
        entries.map(({ key, hour, quantity }) => record({ key, hour, quantity: Number(quantity) }))
      )
      return entries.length
    })
  )

layer(Postgres.layer)("PgLedgerStore", (it) => {
  const withStore = Effect.gen(function* () {
    const server = yield* Postgres
    const url = yield* server.createDatabase
    return { server, url, store: yield* PgLedgerStore.make({ url }) }
  })

  it.scoped("records each id once when batches overlap, in any order", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      const before = server.deadlocks()
      const other = yield* PgLedgerStore.make({ url })
      for (let round = 0; round < 10; round++) {
        const events = Array.from({ length: 200 }, (_, i) =>
          event({
            id: `${round}/${(i * 37) % 200}`,
            key: 1 + (i % 7),
            quantity: 3,
            tags: i % 2 ? "t" : ""
          })
        )
        const results = yield* Effect.all(
          [
            store.recordEvents(events, 1),
            other.recordEvents([...events].reverse(), 1),
            store.recordEvents(events.slice(50, 150), 1)
          ],
          { concurrency: "unbounded" }
        )
        const existing = results.map((result) =>
          result._tag === "Recorded" ? result.existing.length : result._tag
        )
        assert.strictEqual(
          existing.reduce<number>((sum, n) => sum + Number(n), 0),
          300,
          JSON.stringify(existing)
        )
      }
      assert.strictEqual(server.deadlocks(), before)
      const [sums] = yield* server.sql(
        url,
        `SELECT (SELECT SUM(quantity) FROM usage_ledger.usage_event) AS events,
           (SELECT SUM(quantity) FROM usage_ledger.usage_entry) AS entries,
           (SELECT SUM(events) FROM usage_ledger.usage_entry) AS counted,
           (SELECT SUM(quantity) FROM usage_ledger.usage_allocation) AS allocated`
      )
      assert.deepEqual(sums, {
        events: "6000",
        entries: "6000",
        counted: "2000",
        allocated: "3000"
      })
      assert.deepEqual(
        (yield* store.snapshot((tables) => tables.verifySums(undefined, 100))).differences,
        []
      )
    })
  )

  it.scoped("stores nothing of a batch whose sum is too large, and none of sealed entries", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      yield* store.transaction((tables) =>
        tables.addPostings(
          [1, 2].map((hour) => ({
            ...{ key: 1, hour, cause: "advance" as const },
            ...{ reference: "r", tags: "", quantity: 2n ** 62n - 1n }
          })),
          1
        )
      )
      const large = [event({ id: "a", hour: 3 }), event({ id: "b", hour: 1, quantity: 2 })]
      assert.deepEqual(yield* store.recordEvents(large, 1), { _tag: "Overflow" })
      const huge = event({ id: "b", hour: 1, quantity: Number.MAX_SAFE_INTEGER })
      const many = Array.from({ length: 2_000 }, (_, i) => ({ ...huge, id: `${i}` }))
      assert.deepEqual(yield* store.recordEvents(many, 1), { _tag: "Overflow" })
      yield* store.recordEvents([event({ id: "c", hour: 4 })], 1)
      const sealed = [2, 4].map((hour) => ({ key: 1, hour }))
      yield* store.transaction((tables) =>
        tables.sealEntries(sealed.map((entry) => ({ ...entry, rounding: 0n })))
      )
      const late = [2, 3, 4].map((hour) => event({ id: `late ${hour}`, hour }))
      assert.deepEqual(yield* store.recordEvents(late, 1), { _tag: "Sealed", entries: sealed })
      // an event that is stored is no reason
      assert.deepEqual(yield* store.recordEvents([event({ id: "c", hour: 4 })], 1), {
        _tag: "Recorded",
        existing: [event({ id: "c", hour: 4 })]
      })
      assert.strictEqual(yield* count(server, url, "usage_event"), 1)
      assert.strictEqual(yield* count(server, url, "usage_entry"), 3)
    })
  )

  it.scoped("seals beside recorders without a deadlock, and loses nothing", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      const before = server.deadlocks()
      const sealing = yield* PgLedgerStore.make({ url })
      yield* addKeys(store, 20)
      let isRecording = true
      const recorders = Effect.forEach(
        [0, 1, 2, 3],
        (recorder) =>
          Effect.gen(function* () {
            let [stored, hour] = [0, 1]
            for (let batch = 0; batch < 60; batch++) {
              const events = Array.from({ length: 40 }, (_, i) => ({
                ...event({ id: `${recorder}/${batch}/${i}`, tags: i % 3 === 0 ? "t" : "" }),
                key: 1 + ((i * 7 + recorder) % 20)
              }))
              for (;;) {
                const result = yield* store.recordEvents(
                  events.map((one) => ({ ...one, hour })),
                  1
                )
                if (result._tag === "Recorded") break
                assert.strictEqual(result._tag, "Sealed")
                hour += 1
              }
              stored += events.length
            }
            return stored
          }),
        { concurrency: "unbounded" }
      ).pipe(Effect.ensuring(Effect.sync(() => (isRecording = false))))
      const sealers = Effect.forEach(
        [0, 1],
        () =>
          Effect.gen(function* () {
            let sealed = 0
            while (isRecording) sealed += yield* seal(sealing, 1_000, 7)
            return sealed
          }),
        { concurrency: "unbounded" }
      )
      const [stored, sealed] = yield* Effect.all([recorders, sealers], { concurrency: 2 })
      assert.strictEqual(
        stored.reduce((sum, n) => sum + n, 0),
        4 * 60 * 40
      )
      assert.isAbove(Math.max(...sealed), 10)
      while ((yield* seal(sealing, 1_000, 100)) > 0) {}
      const [sums] = yield* server.sql(
        url,
        `SELECT (SELECT SUM(quantity) FROM usage_ledger.usage_event) AS events,
           (SELECT SUM(quantity) FROM usage_ledger.usage_record) AS billed`
      )
      assert.deepEqual(sums, { events: "9600", billed: "9600" })
      assert.strictEqual(server.deadlocks(), before)
      const { differences } = yield* store.snapshot((tables) =>
        tables.verifySums(undefined, 10_000)
      )
      assert.deepEqual(differences, [])
    })
  )

  it.scoped("leaves open entries out that another transaction has locked", () =>
    Effect.gen(function* () {
      const { store } = yield* withStore
      yield* addKeys(store, 1)
      yield* store.recordEvents(
        [1, 2, 3].map((hour) => event({ id: `${hour}`, hour })),
        1
      )
      const locked = (
        limit: number,
        inside: Effect.Effect<unknown, LedgerError.LedgerUnavailable>
      ) =>
        store.transaction((tables) =>
          Effect.zipLeft(tables.lockOpenEntries({ region, beforeHour: 9, limit }), inside)
        )
      const others = yield* locked(
        2,
        Effect.tap(locked(9, Effect.void), (rest) =>
          Effect.sync(() =>
            assert.deepEqual(
              rest.map(({ hour }) => hour),
              [3]
            )
          )
        )
      )
      assert.strictEqual(others.length, 2)
    })
  )

  it.scoped("runs the transactions of a deadlock again", () =>
    Effect.gen(function* () {
      const { server, store } = yield* withStore
      const before = server.deadlocks()
      let runs = 0
      const both = yield* Deferred.make<void>()
      let waiting = 0
      const lock = (first: number, second: number) =>
        store.transaction((tables) =>
          Effect.gen(function* () {
            runs += 1
            yield* tables.ensureEntries([{ key: first, hour: 1 }], 1)
            if (++waiting === 2) yield* Deferred.succeed(both, undefined)
            yield* Deferred.await(both)
            yield* tables.ensureEntries([{ key: second, hour: 1 }], 1)
            return first
          })
        )
      assert.deepEqual(yield* Effect.all([lock(1, 2), lock(2, 1)], { concurrency: 2 }), [1, 2])
      assert.isAtLeast(runs, 3)
      assert.isAbove(server.deadlocks(), before)
    })
  )

  it.scoped("adds postings to an entry that is sealed in the meantime to none", () =>
    Effect.gen(function* () {
      const { store } = yield* withStore
      const isEmpty = yield* Deferred.make<void>()
      const isSealed = yield* Deferred.make<void>()
      const posting = {
        ...{ key: 1, hour: 5, cause: "advance" as const },
        ...{ reference: "r", tags: "", quantity: 1n }
      }
      let runs = 0
      const adding = yield* Effect.fork(
        store.transaction((tables) =>
          Effect.gen(function* () {
            if (++runs === 1) {
              // the entry does not exist yet, so that it cannot be locked
              yield* tables.entries([{ key: 1, hour: 5 }])
              yield* Deferred.succeed(isEmpty, undefined)
              yield* Deferred.await(isSealed)
            }
            return yield* tables.addPostings([posting], 1)
          })
        )
      )
      yield* Deferred.await(isEmpty)
      yield* store.recordEvents([event({ id: "a", hour: 5 })], 1)
      yield* store.transaction((tables) => tables.sealEntries([{ key: 1, hour: 5, rounding: 0n }]))
      yield* Deferred.succeed(isSealed, undefined)
      assert.deepEqual(yield* Fiber.join(adding), [{ key: 1, hour: 5 }])
      assert.strictEqual((yield* openEntry(store, 1, 5))?.quantity, 1n)
    })
  )

  it.scoped("ends a transaction that is interrupted, and reads without locks in a snapshot", () =>
    Effect.gen(function* () {
      const { url } = yield* withStore
      const store = yield* PgLedgerStore.make({ url, maxConnections: 1 })
      const isRunning = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const running = yield* Effect.fork(
        store.transaction((tables) =>
          Effect.gen(function* () {
            yield* tables.putCarry([{ key: 1, tags: "", amount: 1n }])
            yield* Deferred.succeed(isRunning, undefined)
            yield* Deferred.await(goOn)
            yield* tables.putCarry([{ key: 2, tags: "", amount: 2n }])
          })
        )
      )
      yield* Deferred.await(isRunning)
      // it waits for the only connection, and can be interrupted
      yield* Fiber.interrupt(yield* Effect.fork(store.recordEvents([event({ id: "a" })], 1)))
      const interruption = yield* Effect.fork(Fiber.interrupt(running))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(interruption)
      const carry = yield* store.snapshot((tables) => tables.carry([1, 2]))
      assert.deepEqual(
        carry.map(({ amount }) => amount),
        [1n, 2n]
      )
      assert.isUndefined(yield* openEntry(store, 1, 1))
    })
  )

  it.scoped("reads one state in a snapshot while others write", () =>
    Effect.gen(function* () {
      const { store } = yield* withStore
      const [before, after] = yield* store.snapshot((tables) =>
        Effect.gen(function* () {
          const first = yield* tables.entries([{ key: 1, hour: 1 }])
          yield* store.recordEvents([event({ id: "a" })], 1)
          return [first, yield* tables.entries([{ key: 1, hour: 1 }])]
        })
      )
      assert.deepEqual([before, after], [[], []])
      assert.strictEqual((yield* openEntry(store, 1, 1))?.events, 1)
    })
  )

  it.scoped("knows that nothing is stored when the connection is lost before the commit", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      const proxy = yield* makeTcpProxy(server.port)
      const through = yield* PgLedgerStore.make({
        url: url.replace(String(server.port), String(proxy.port))
      })
      proxy.toServer = (bytes, cut) => {
        if (!bytes.includes("INSERT INTO usage_pause")) return bytes
        cut()
        return undefined
      }
      const result = yield* Effect.either(
        through.transaction((tables) =>
          Effect.zipRight(
            tables.ensureEntries([{ key: 1, hour: 1 }], 1),
            tables.putPause({ region, product: "p", since: 1, cause: "c", retryAt: undefined })
          )
        )
      )
      assertUnavailable(result, "no")
      assert.strictEqual(yield* count(server, url, "usage_entry"), 0)
      assert.strictEqual(yield* count(server, url, "usage_pause"), 0)
      // the next call has a new connection
      proxy.toServer = (bytes) => bytes
      yield* through.transaction((tables) => tables.ensureEntries([{ key: 1, hour: 1 }], 1))
      assert.isDefined(yield* openEntry(store, 1, 1))
    })
  )

  it.scoped("does not know the state when the response to a commit is lost", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      const proxy = yield* makeTcpProxy(server.port)
      const through = yield* PgLedgerStore.make({
        url: url.replace(String(server.port), String(proxy.port))
      })
      const add = (key: number) =>
        Effect.either(through.transaction((tables) => tables.ensureEntries([{ key, hour: 1 }], 1)))

      let isCommitting = false
      proxy.toServer = (bytes) => {
        isCommitting ||= bytes.includes("COMMIT\0")
        return bytes
      }
      proxy.toClient = (bytes, cut) => {
        if (isCommitting) cut()
        return isCommitting ? undefined : bytes
      }
      assertUnavailable(yield* add(1), "unknown")
      assert.isDefined(yield* openEntry(store, 1, 1), "it is stored")

      isCommitting = false
      proxy.toServer = (bytes, cut) => {
        if (bytes.includes("COMMIT\0")) cut()
        return bytes.includes("COMMIT\0") ? undefined : bytes
      }
      assertUnavailable(yield* add(2), "unknown")
      assert.isUndefined(yield* openEntry(store, 2, 1), "it is not stored")
    })
  )

  it.scoped("records a batch once that is run again after its response was lost", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      const proxy = yield* makeTcpProxy(server.port)
      const through = yield* PgLedgerStore.make({
        url: url.replace(String(server.port), String(proxy.port))
      })
      const events = Array.from({ length: 20 }, (_, i) => event({ id: `e${i}`, quantity: 2 }))
      let isRecording = false
      proxy.toServer = (bytes) => {
        isRecording ||= bytes.includes("INSERT INTO usage_event")
        return bytes
      }
      proxy.toClient = (bytes, cut) => {
        if (isRecording) cut()
        return isRecording ? undefined : bytes
      }
      const lost = yield* Effect.either(through.recordEvents(events, 1))
      assertUnavailable(lost, "unknown")
      isRecording = false
      proxy.toServer = (bytes) => bytes
      const again = yield* through.recordEvents(events, 1)
      assert.strictEqual(again._tag === "Recorded" && again.existing.length, 20)
      assert.deepInclude(yield* openEntry(store, 1, 1), { quantity: 40n, events: 20 })
    })
  )

  it.scoped("does not know the state when a wait for a synchronous standby is canceled", () =>
    Effect.gen(function* () {
      const server = yield* makePostgres()
      const url = yield* server.createDatabase
      const store = yield* PgLedgerStore.make({ url })
      yield* server.sql(url, "ALTER SYSTEM SET synchronous_standby_names = 'missing'")
      yield* server.stop("fast")
      yield* server.start
      const canceled: Effect.Effect<void, Error> = server
        .sql(
          url,
          "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
        )
        .pipe(Effect.flatMap((rows) => (rows.length === 0 ? canceled : Effect.void)))
      for (const change of [
        store.recordEvents([event({ id: "a" })], 1),
        store.transaction((tables) => tables.ensureEntries([{ key: 2, hour: 1 }], 1))
      ]) {
        const fiber = yield* Effect.fork(
          Effect.either<unknown, LedgerError.LedgerUnavailable, never>(change)
        )
        yield* canceled
        assertUnavailable(yield* Fiber.join(fiber), "unknown")
      }
      // both are there, on this server alone
      assert.isDefined(yield* openEntry(store, 1, 1))
      assert.isDefined(yield* openEntry(store, 2, 1))
    })
  )

  it.scoped("goes on after the server was restarted", () =>
    Effect.gen(function* () {
      const server = yield* makePostgres()
      const url = yield* server.createDatabase
      const store = yield* PgLedgerStore.make({ url })
      // four idle connections
      yield* Effect.forEach([1, 2, 3, 4], (i) => store.recordEvents([event({ id: `${i}` })], 1), {
        concurrency: "unbounded"
      })
      const isOpen = yield* Deferred.make<void>()
      const isStopped = yield* Deferred.make<void>()
      const cutOff = yield* store
        .transaction((tables) =>
          Effect.gen(function* () {
            yield* tables.ensureEntries([{ key: 9, hour: 1 }], 1)
            yield* Deferred.succeed(isOpen, undefined)
            yield* Deferred.await(isStopped)
          })
        )
        .pipe(Effect.either, Effect.fork)
      yield* Deferred.await(isOpen)
      yield* server.stop("immediate")
      yield* Deferred.succeed(isStopped, undefined)
      const down = yield* Effect.flip(store.recordEvents([event({ id: "down" })], 1))
      assert.strictEqual(down._tag, "LedgerUnavailable")
      yield* server.start
      assertUnavailable(yield* Fiber.join(cutOff), "no")
      yield* store.recordEvents([event({ id: "up" })], 1)
      assert.deepInclude(yield* openEntry(store, 1, 1), { quantity: 5n })
      assert.isUndefined(yield* openEntry(store, 9, 1))
    })
  )

  it.scoped("replaces connections that were ended while they were idle", () =>
    Effect.gen(function* () {
      const { server, url, store } = yield* withStore
      for (let round = 0; round < 3; round++) {
        yield* Effect.forEach([1, 2, 3], (key) => openEntry(store, key, 1), {
          concurrency: "unbounded"
        })
        yield* server.sql(
          url,
          "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        yield* store.transaction((tables) => tables.ensureEntries([{ key: round, hour: 1 }], 1))
      }
      assert.strictEqual(yield* count(server, url, "usage_entry"), 3)
    })
  )

  it.scoped("frees the locks of a process that is frozen in a transaction", () =>
    Effect.gen(function* () {
      const { url, store } = yield* withStore
      const frozen = yield* PgLedgerStore.make({ url, idleTimeout: "1 second" })
      yield* store.recordEvents([event({ id: "a" })], 1)
      const isLocked = yield* Deferred.make<void>()
      const thaw = yield* Deferred.make<void>()
      const late = yield* frozen
        .transaction((tables) =>
          Effect.gen(function* () {
            yield* tables.sealEntries([{ key: 1, hour: 1, rounding: 0n }])
            yield* Deferred.succeed(isLocked, undefined)
            yield* Deferred.await(thaw)
          })
        )
        .pipe(Effect.either, Effect.fork)
      yield* Deferred.await(isLocked)
      assert.strictEqual((yield* store.recordEvents([event({ id: "b" })], 1))._tag, "Recorded")
      yield* Deferred.succeed(thaw, undefined)
      assertUnavailable(yield* Fiber.join(late), "no")
    })
  )

  it.scoped("gives up a wait for a lock, with nothing stored", () =>
    Effect.gen(function* () {
      const { url, store } = yield* withStore
      const impatient = yield* PgLedgerStore.make({ url, lockTimeout: "100 millis" })
      yield* store.recordEvents([event({ id: "a" })], 1)
      yield* store.transaction((tables) =>
        Effect.gen(function* () {
          yield* tables.sealEntries([{ key: 1, hour: 1, rounding: 0n }])
          const error = yield* Effect.flip(impatient.recordEvents([event({ id: "b" })], 1))
          assertUnavailable(Either.left(error), "no")
          assert.match(error.message, /55P03/)
        })
      )
    })
  )

  it.scoped("does not wait for ever for a server that does not respond", () =>
    Effect.gen(function* () {
      const { server, url } = yield* withStore
      const proxy = yield* makeTcpProxy(server.port)
      const address = url.replace(String(server.port), String(proxy.port))
      // the client waits 5 seconds longer than that, and a busy server needs more than some milliseconds
      const store = yield* PgLedgerStore.make({ url: address, statementTimeout: "5 seconds" })
      proxy.toClient = () => undefined
      const error = yield* Effect.flip(
        store.transaction((tables) => tables.ensureEntries([{ key: 1, hour: 1 }], 1))
      )
      assertUnavailable(Either.left(error), "no")
      const unreachable = yield* Effect.flip(
        Effect.scoped(PgLedgerStore.make({ url: address, connectTimeout: "100 millis" }))
      )
      assertUnavailable(Either.left(unreachable), "no")
    })
  )
})
