/** The transactions of a reporter: lease, fence, seal, attempts, results, pauses, and a database that was rolled back. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { initialize } from "../../../src/ledger/internal/transactions/initialize.js"
import {
  type Lease,
  lease,
  release,
  type Seen
} from "../../../src/ledger/internal/transactions/lease.js"
import { pause, recover, resume } from "../../../src/ledger/internal/transactions/pause.js"
import { seal } from "../../../src/ledger/internal/transactions/seal.js"
import * as send from "../../../src/ledger/internal/transactions/send.js"
import { subscribe } from "../../../src/ledger/internal/transactions/subscribe.js"
import { event } from "../rows.js"
import { products, subscription, time } from "./ledgerTest.js"
import { read, type StoreTest, write } from "./storeTest.js"

type Store = Parameters<Parameters<StoreTest>[1]>[0]

const hour = 3_600_000
const now = Date.parse("2026-11-24T10:00:00Z")
const region = "us-east-1"

const take = (store: Store, worker: string, at: number, seen?: Seen): ReturnType<typeof lease> =>
  lease(store, { region, worker, now: at, duration: 60_000, sealAfter: 600_000, seen })

/** A store with a ledger, a subscription and `hours` entries of calls. */
const prepare = (store: Store, hours: number) =>
  Effect.gen(function* () {
    yield* initialize(store, { seller: "acme", target: "sandbox", products }, "incarnation-1")
    yield* subscribe(store, { ...subscription, from: time("2026-01-01T00:00:00Z") }, now)
    const keys = yield* read(store, (tables) => tables.keys({ lineages: ["a"] }))
    const key = keys.find(({ dimension }) => dimension === "calls")?.id ?? 0
    yield* store.recordEvents(
      Array.from({ length: hours }, (_, index) =>
        event({ id: `e${index}`, key, hour: now / hour - 1 - index, quantity: index + 1 })
      ),
      now
    )
    const { lease: held } = yield* take(store, "w", now)
    return { key, held }
  })

const sealAll = (store: Store, held: Lease) =>
  seal(store, { lease: held, now: now + 10 * 60_000, sealAfter: 10 * 60_000 })

/** The record of the only entry. */
const onlyRecord = (store: Store) =>
  Effect.map(
    read(store, (tables) => tables.entryPage({}, undefined, 1)),
    ([view]) => view?.record?.id ?? 0
  )

export const leaseContract = (test: StoreTest): void => {
  test("leases a Region to one worker at a time, with a fence that grows", (store) =>
    Effect.gen(function* () {
      yield* prepare(store, 0)
      const lost = { _tag: "LeaseLost" as const, region, holder: "w" }
      assert.deepInclude(yield* Effect.flip(take(store, "v", now + 59_999)), lost)
      const renewed = yield* take(store, "w", now + 30_000)
      assert.strictEqual(renewed.lease.fence, 1)
      assert.deepInclude(yield* Effect.flip(take(store, "v", now + 89_999)), lost)
      const other = yield* take(store, "v", now + 90_000)
      assert.strictEqual(other.lease.fence, 2)
      // given back by the holder only
      yield* release(store, renewed.lease, now + 91_000)
      assert.deepInclude(yield* Effect.flip(take(store, "w", now + 92_000)), { _tag: "LeaseLost" })
      yield* release(store, other.lease, now + 93_000)
      yield* release(store, other.lease, now + 94_000)
      assert.strictEqual((yield* take(store, "w", now + 93_000)).lease.fence, 3)
      // the same worker, later: another may have held it in between
      assert.strictEqual((yield* take(store, "w", now + 10 * hour)).lease.fence, 4)
    }))

  test("leases a Region to one of several workers at the same time", (store) =>
    Effect.gen(function* () {
      yield* prepare(store, 0)
      const results = yield* Effect.forEach(
        Array.from({ length: 8 }, (_, index) => `worker-${index}`),
        (worker) => Effect.either(take(store, worker, now + hour)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter(Either.isRight).length, 1)
    }))

  test("neither seals nor sends for a worker whose lease was taken", (store) =>
    Effect.gen(function* () {
      const { held } = yield* prepare(store, 1)
      assert.strictEqual(yield* sealAll(store, held), 1)
      const records = [yield* onlyRecord(store)]
      yield* take(store, "v", now + hour)
      const lost = { _tag: "LeaseLost" as const, holder: "v" }
      assert.deepInclude(yield* Effect.flip(sealAll(store, held)), lost)
      const call = send.openCall(store, { lease: held, now: now + hour, records })
      assert.deepInclude(yield* Effect.flip(call), lost)
      assert.deepEqual(yield* read(store, (tables) => tables.attempts(records)), [])
    }))

  test("seals 500 entries in a transaction, each once", (store) =>
    Effect.gen(function* () {
      const { held, key } = yield* prepare(store, 750)
      assert.strictEqual(yield* sealAll(store, held), 500)
      assert.strictEqual(yield* sealAll(store, held), 250)
      assert.strictEqual(yield* sealAll(store, held), 0)
      const views = yield* read(store, (tables) => tables.entryPage({}, undefined, 1_000))
      assert.strictEqual(views.length, 750)
      assert.isTrue(views.every(({ entry, record }) => entry.isSealed && record !== undefined))
      const [totals] = yield* read(store, (tables) => tables.keyTotals(key - 1, 1))
      assert.deepInclude(totals, { recorded: 281_625n, billed: 281_625n, open: 0n, carry: 0n })
    }))

  test("keeps results that come late, and an accepted state", (store) =>
    Effect.gen(function* () {
      const { held } = yield* prepare(store, 1)
      yield* sealAll(store, held)
      const record = yield* onlyRecord(store)
      const open = (at: number) => send.openCall(store, { lease: held, now: at, records: [record] })
      const first = (yield* open(now + 1)) ?? 0
      const second = (yield* open(now + 2)) ?? 0
      const add = (call: number, result: send.Result["result"], at: number) =>
        Effect.map(
          send.addResults(store, { call, now: at, results: [{ record, result }] }),
          ({ states }) => states.map(({ state, was }) => `${was} ${state}`)
        )
      assert.deepEqual(yield* add(second, "notSubscribed", now + 3), ["sealed sealed"])
      assert.deepEqual(yield* add(first, "unsent", now + 4), ["sealed notSubscribed"])
      assert.strictEqual(yield* send.expire(store, now + 22 * hour), 0)
      assert.strictEqual(yield* send.expire(store, now + 23 * hour), 1)
      assert.strictEqual(yield* send.expire(store, now + 23 * hour), 0)
      // nothing is sent of what is resolved
      assert.isUndefined(yield* open(now + 5))
      assert.deepEqual(yield* add(first, "success", now + 30 * hour), ["notSubscribed accepted"])
      assert.deepEqual(yield* add(first, "duplicate", now + 31 * hour), ["accepted accepted"])
      const [view] = yield* read(store, (tables) => tables.entryPage({}, undefined, 1))
      const history = yield* read(store, (tables) => tables.history(view ? [view.entry] : []))
      assert.deepEqual(
        history.map(({ became }) => became),
        ["sealed", "notSubscribed", "accepted"]
      )
    }))

  test("waits longer after each try, and once more before the deadline", (store) =>
    Effect.gen(function* () {
      const { held } = yield* prepare(store, 1)
      yield* sealAll(store, held)
      const record = yield* onlyRecord(store)
      const next = (at: number) =>
        Effect.gen(function* () {
          yield* send.finishTry(store, { records: [record], now: at })
          const [row] = yield* read(store, (tables) => tables.records([record]))
          return (row?.nextTryAt ?? 0) - at
        })
      assert.deepEqual(
        yield* Effect.all([next(now), next(now), next(now), next(now), next(now), next(now)]),
        [10_000, 20_000, 40_000, 80_000, 160_000, 300_000]
      )
      const deadline = now + 23 * hour
      assert.strictEqual(yield* next(deadline - 4 * 60_000), 2 * 60_000)
    }))

  test("pauses a product until it is resumed, and a Region until it is recovered", (store) =>
    Effect.gen(function* () {
      const { held } = yield* prepare(store, 1)
      yield* sealAll(store, held)
      const product = "analytics"
      const due = send.due(store, { region, product, now: now + 1_000_000, limit: 9 })
      const pauses = read(store, (tables) => tables.pauses)
      const row = { region, product, since: now, cause: "c", retryAt: now + 2_000_000 }
      yield* pause(store, row)
      yield* pause(store, { ...row, since: now + 5, cause: "d", retryAt: now + 3_000_000 })
      assert.deepEqual(yield* pauses, [{ ...row, cause: "d", retryAt: now + 3_000_000 }])
      assert.deepEqual(yield* due, [])
      yield* resume(store, row)
      assert.strictEqual((yield* due).length, 1)
      const stopped = { ...row, product: "*", retryAt: undefined }
      yield* pause(store, stopped)
      yield* pause(store, { ...stopped, cause: "other", retryAt: now })
      yield* resume(store, stopped)
      assert.deepEqual(yield* pauses, [stopped])
      assert.deepEqual(yield* due, [])
      yield* recover(store, { incarnation: "incarnation-2", now })
      assert.deepEqual(yield* pauses, [])
      assert.strictEqual((yield* due).length, 1)
    }))

  test("notices that it was rolled back, and stops the Region until it is recovered", (store) =>
    Effect.gen(function* () {
      const { held } = yield* prepare(store, 1)
      yield* sealAll(store, held)
      const { seen } = yield* take(store, "w", now + 1)
      assert.isAbove(seen.tick, 1)
      const back = { ...seen, tick: seen.tick + 1_000 }
      assert.deepInclude(yield* Effect.flip(take(store, "w", now + hour, back)), {
        _tag: "LedgerRolledBack"
      })
      const state = read(store, (tables) => Effect.all([tables.ledger, tables.pauses]))
      const [ledger, [halted]] = yield* state
      assert.deepInclude(halted, { region, product: "*", retryAt: undefined })
      // from the last evidence on: that of the sealing
      assert.deepInclude(ledger, { holdFrom: now / hour, heldUntil: now / hour + 2 })
      yield* recover(store, { incarnation: "incarnation-2", now: now + hour })
      const [recovered, pauses] = yield* state
      assert.deepEqual(pauses, [])
      assert.deepInclude(recovered, { holdFrom: undefined, recoveredAt: now + hour })
      const again = yield* take(store, "w", now + hour, back)
      assert.strictEqual(again.seen.incarnation, "incarnation-2")
    }))

  test("keeps the hours of a Region that is stopped", (store) =>
    Effect.gen(function* () {
      const { held, key } = yield* prepare(store, 3)
      yield* write(store, (tables) =>
        Effect.flatMap(tables.ledger, (row) =>
          row === undefined
            ? Effect.void
            : tables.putLedger({ ...row, holdFrom: now / hour - 2, heldUntil: now / hour - 1 })
        )
      )
      assert.strictEqual(yield* sealAll(store, held), 2)
      const open = yield* read(store, (tables) =>
        tables.entryPage({ states: ["open"] }, undefined, 9)
      )
      assert.deepEqual(
        open.map(({ entry }) => [entry.key, entry.hour]),
        [[key, now / hour - 2]]
      )
    }))
}
