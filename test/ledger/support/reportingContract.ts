/** Leases, records, calls, results, history, pauses and positions. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { HistoryRow, RecordRow, ResultRow } from "../../../src/ledger/internal/model/rows.js"
import type { Tables } from "../../../src/ledger/internal/tables.js"
import { record } from "../rows.js"
import { addKeys, assertRejected, oddTexts, read, type StoreTest, write } from "./storeTest.js"

type Store = Parameters<Parameters<StoreTest>[1]>[0]

/** Seals an entry for each row, one an hour, and adds the records. */
export const addRecords = (store: Store, rows: ReadonlyArray<Partial<RecordRow>>) =>
  Effect.gen(function* () {
    const [key = 0] = yield* addKeys(store, [{}])
    const entries = rows.map((_, index) => ({ key, hour: index + 1 }))
    return yield* write(store, (tables) =>
      Effect.gen(function* () {
        yield* tables.ensureEntries(entries, 1)
        yield* tables.sealEntries(entries.map((entry) => ({ ...entry, rounding: 0n })))
        return yield* tables.addRecords(
          rows.map((row, index) => record({ ...row, ...entries[index] }))
        )
      })
    )
  })

export const resultRow = (row: Partial<ResultRow>): ResultRow => ({
  ...{ record: 0, call: 0, at: 1, result: "success" },
  ...{ meteringRecordId: undefined, requestId: undefined, detail: undefined },
  ...row
})

const call = { region: "r", fence: 1, worker: "w", sentAt: 10 }

export const reportingContract = (test: StoreTest): void => {
  test("keeps one lease of a Region, in their order", (store) =>
    Effect.gen(function* () {
      const lease = (region: string) => write(store, (tables) => tables.lockLease(region))
      assert.deepEqual(yield* read(store, (tables) => tables.leases), [])
      assert.isUndefined(yield* lease("b"))
      const rows = ["b", "B", "a"].map((region, fence) => ({
        ...{ region, holder: `h-${region}`, fence, until: 1e13 + fence, sealAfter: 600_000 + fence }
      }))
      yield* write(store, (tables) => Effect.forEach(rows, tables.putLease))
      const replaced = { region: "b", holder: "other", fence: 9, until: 5, sealAfter: 0 }
      yield* write(store, (tables) => tables.putLease(replaced))
      assert.deepEqual(yield* lease("b"), replaced)
      assert.isUndefined(yield* lease("c"))
      assert.deepEqual(yield* read(store, (tables) => tables.leases), [
        rows[1],
        rows[2],
        replaced
      ] as never)
    }))

  test("finds records that are due, the most urgent first", (store) =>
    Effect.gen(function* () {
      const records = yield* addRecords(store, [
        { deadline: 300 },
        { deadline: 200 },
        { deadline: 200, product: "q" },
        { deadline: 400, nextTryAt: 100 },
        { deadline: 100 },
        { deadline: 250, region: "other" },
        { deadline: 260, resolvedAt: 50 },
        { deadline: 500, nextTryAt: 101 }
      ])
      const indexOf = ({ id }: RecordRow) => records.findIndex((one) => one.id === id)
      const due = (filter: Partial<Parameters<Tables["dueRecords"]>[0]>) =>
        Effect.map(
          read(store, (tables) =>
            tables.dueRecords({ region: "r", now: 100, limit: 9, ...filter })
          ),
          (found) => found.map(indexOf)
        )
      assert.deepEqual(yield* due({}), [1, 2, 0, 3])
      assert.deepEqual(yield* due({ product: "q" }), [2])
      assert.deepEqual(yield* due({ product: "none" }), [])
      assert.deepEqual(yield* due({ region: "other" }), [5])
      assert.deepEqual(yield* due({ limit: 2 }), [1, 2])
      assert.deepEqual(yield* due({ now: 99 }), [4, 1, 2, 0])
      assert.deepEqual(yield* due({ now: 300 }), [3, 7])
      const unresolved = (deadlineUntil: number, limit: number) =>
        Effect.map(
          read(store, (tables) => tables.unresolvedRecords({ deadlineUntil, limit })),
          (found) => found.map(indexOf)
        )
      assert.deepEqual(yield* unresolved(99, 9), [])
      assert.deepEqual(yield* unresolved(250, 9), [4, 1, 2, 5])
      assert.deepEqual(yield* unresolved(1e13, 3), [4, 1, 2])
      assert.deepEqual(yield* due({ now: 100 }), [1, 2, 0, 3])
      assert.deepEqual(
        yield* read(store, (tables) => tables.dueRecords({ region: "r", now: 100, limit: 1 })),
        [records[1]] as never
      )
    }))

  test("changes what may change of a record, and nothing else", (store) =>
    Effect.gen(function* () {
      const [first, second] = yield* addRecords(store, [{ deadline: 300 }, { deadline: 300 }])
      if (first === undefined || second === undefined) return assert.fail("no records")
      const update = (row: RecordRow) => write(store, (tables) => tables.updateRecords([row]))
      const changes = {
        ...{ state: "inDoubt" as const, tries: 3, nextTryAt: 1e13, resolvedAt: 7 },
        ...{ meteringRecordId: "m", carriedAt: undefined }
      }
      yield* update({ ...first, ...changes, body: "{}", quantity: 9, deadline: 9, hour: 9 })
      const stored = read(store, (tables) => tables.records([first.id, second.id]))
      assert.deepEqual(yield* stored, [{ ...first, ...changes }, second])
      // evidence that came late
      yield* update({ ...first, ...changes, state: "accepted", carriedAt: 8 })
      const accepted = { ...first, ...changes, state: "accepted" as const, carriedAt: 8 }
      assert.deepEqual(yield* stored, [accepted, second])
      for (const state of ["sealed", "conflicting", "expired"] as const) {
        yield* assertRejected(store, (tables) => tables.updateRecords([{ ...accepted, state }]))
      }
      yield* update({ ...accepted, tries: 4 })
      // a record goes on to be sent
      yield* update({ ...second, resolvedAt: 5 })
      const due = read(store, (tables) => tables.dueRecords({ region: "r", now: 1, limit: 9 }))
      assert.deepEqual(yield* due, [])
      yield* update(second)
      assert.deepEqual(yield* due, [second])
      yield* write(store, (tables) => tables.updateRecords([]))
      assert.deepEqual(
        yield* write(store, (tables) => tables.lockRecords([second.id, 1e9, first.id])),
        [{ ...accepted, tries: 4 }, second]
      )
    }))

  test("has the attempts of each call, with their results in order", (store) =>
    Effect.gen(function* () {
      const [a = 0, b = 0] = (yield* addRecords(store, [{}, {}])).map(({ id }) => id)
      const [first = 0, second = 0] = yield* write(store, (tables) =>
        Effect.all([
          tables.addCall(call, [b, a]),
          tables.addCall({ ...call, worker: "v", sentAt: 1e13 }, [a])
        ])
      )
      assert.isBelow(first, second)
      const attempts = (...records: ReadonlyArray<number>) =>
        read(store, (tables) => tables.attempts(records))
      const attempt = (record: number, results: ReadonlyArray<ResultRow> = []) => ({
        ...{ record, call: first, sentAt: 10, worker: "w", results }
      })
      const later = { record: a, call: second, sentAt: 1e13, worker: "v" }
      assert.deepEqual(yield* attempts(b, a), [attempt(a), { ...later, results: [] }, attempt(b)])
      const rows = [
        resultRow({ record: a, call: second, at: 5, result: "noResponse", detail: "d" }),
        resultRow({ record: a, call: second, at: 4, result: "unknownStatus", detail: "New" }),
        resultRow({ record: a, call: first, at: 6, result: "unsent" }),
        resultRow({ record: a, call: second, at: 3, meteringRecordId: "m", requestId: "q" })
      ]
      yield* write(store, (tables) => tables.addResults(rows.slice(0, 2)))
      yield* write(store, (tables) => tables.addResults(rows.slice(2)))
      yield* write(store, (tables) => tables.addResults([]))
      assert.deepEqual(yield* attempts(a), [
        attempt(a, [rows[2] as ResultRow]),
        { ...later, results: [rows[0], rows[1], rows[3]] as Array<ResultRow> }
      ])
      // the same result may come twice
      yield* write(store, (tables) => tables.addResults(rows.slice(2, 3)))
      const [again] = yield* attempts(a)
      assert.deepEqual(again?.results, [rows[2], rows[2]] as Array<ResultRow>)
      assert.deepEqual(yield* attempts(), [])
      assert.deepEqual(yield* attempts(1e9), [])
    }))

  test("keeps history in its order, by entry", (store) =>
    Effect.gen(function* () {
      const [key = 0] = yield* addKeys(store, [{}])
      const row = (hour: number, cause: string, changes: Partial<HistoryRow> = {}): HistoryRow => ({
        ...{ at: 5, key, hour, was: "open", became: "sealed", cause },
        ...changes
      })
      const rows = [
        row(1, "first", { was: undefined, became: "open" }),
        row(2, "other"),
        row(1, "second", { at: 4 }),
        row(1, "third", { was: "sealed", became: "notSubscribed" })
      ]
      yield* write(store, (tables) => tables.addHistory(rows.slice(0, 3)))
      yield* write(store, (tables) => tables.addHistory(rows.slice(3)))
      yield* write(store, (tables) => tables.addHistory([]))
      const history = (...hours: ReadonlyArray<number>) =>
        read(store, (tables) => tables.history(hours.map((hour) => ({ key, hour }))))
      assert.deepEqual(yield* history(1), [rows[0], rows[2], rows[3]] as Array<HistoryRow>)
      assert.deepEqual(yield* history(2, 3), [rows[1]] as Array<HistoryRow>)
      assert.deepEqual(yield* history(), [])
    }))

  test("keeps one pause of a Region and product, in their order", (store) =>
    Effect.gen(function* () {
      const pause = (region: string, product: string) => ({
        ...{ region, product, since: 1, cause: "c", retryAt: 1e13 }
      })
      const rows = [pause("b", "*"), pause("a", "q"), pause("a", "Q"), pause("a", "*")]
      yield* write(store, (tables) => Effect.forEach(rows, tables.putPause))
      const replaced = { ...pause("a", "q"), since: 2, cause: "other", retryAt: undefined }
      yield* write(store, (tables) => tables.putPause(replaced))
      const pauses = read(store, (tables) => tables.pauses)
      assert.deepEqual(yield* pauses, [rows[3], rows[2], replaced, rows[0]] as never)
      yield* write(store, (tables) => tables.removePause("a", "*"))
      yield* write(store, (tables) => tables.removePause("none", "*"))
      assert.deepEqual(yield* pauses, [rows[2], replaced, rows[0]] as never)
    }))

  test("keeps the position of each partition of a source", (store) =>
    Effect.gen(function* () {
      const position = (source: string, partition: string) =>
        Effect.map(
          write(store, (tables) => tables.source(source, partition)),
          (row) => row?.position
        )
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          yield* tables.putSource({ source: "s", partition: "0", position: "1" })
          yield* tables.putSource({ source: "s", partition: "1", position: "2" })
          yield* tables.putSource({ source: "s0", partition: "", position: "3" })
          yield* tables.putSource({ source: "s", partition: "0", position: "4" })
        })
      )
      assert.deepEqual(
        yield* Effect.all([
          position("s", "0"),
          position("s", "1"),
          position("s0", ""),
          position("s", "none")
        ]),
        ["4", "2", "3", undefined]
      )
    }))

  test("keeps odd texts of reporting", (store) =>
    Effect.gen(function* () {
      const [a = 0] = (yield* addRecords(store, [{}])).map(({ id }) => id)
      for (const text of oddTexts) {
        const result = { record: a, meteringRecordId: text, requestId: text, detail: text }
        const [id, found] = yield* write(store, (tables) =>
          Effect.gen(function* () {
            yield* tables.putLease({ region: text, holder: text, fence: 1, until: 1, sealAfter: 0 })
            yield* tables.putPause({
              ...{ region: text, product: text, since: 1, cause: text, retryAt: undefined }
            })
            yield* tables.putSource({ source: text, partition: text, position: text })
            const id = yield* tables.addCall({ ...call, region: text, worker: text }, [a])
            yield* tables.addResults([resultRow({ ...result, call: id })])
            return [
              id,
              yield* Effect.all([
                tables.lockLease(text),
                tables.pauses,
                tables.source(text, text),
                tables.attempts([a])
              ])
            ] as const
          })
        )
        const [lease, pauses, source, attempts] = found
        assert.strictEqual(lease?.holder, text)
        assert.isTrue(pauses.some(({ cause, product }) => cause === text && product === text))
        assert.strictEqual(source?.position, text)
        assert.deepEqual(attempts.at(-1)?.results, [resultRow({ ...result, call: id })])
        assert.strictEqual(attempts.at(-1)?.worker, text)
      }
    }))
}
