/** Events, postings, entries, allocations, carry and sealing. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { event, record } from "../rows.js"
import {
  addKey,
  addKeys,
  assertRejected,
  oddTexts,
  posting,
  read,
  type StoreTest,
  write
} from "./storeTest.js"

const limit = 2n ** 62n

const byId = (left: { readonly id: string }, right: { readonly id: string }) =>
  left.id < right.id ? -1 : 1

export const usageContract = (test: StoreTest): void => {
  test("adds events to their entries and, with tags, to allocations", (store) =>
    Effect.gen(function* () {
      const [a = 0, b = 0] = yield* addKeys(store, [{ dimension: "a" }, { dimension: "b" }])
      const events = [
        event({ id: "1", key: a, quantity: 5, at: 11 }),
        event({ id: "2", key: a, quantity: 7, tags: "t" }),
        event({ id: "3", key: b, quantity: 1, tags: "u" }),
        event({ id: "4", key: a, hour: 2, quantity: 0 }),
        event({ id: "5", key: a, quantity: 2, tags: "t" }),
        event({ id: "6", key: a, quantity: 0, tags: "s" })
      ]
      assert.deepEqual(yield* store.recordEvents(events, 100), { _tag: "Recorded", existing: [] })
      assert.deepEqual(yield* store.recordEvents([event({ id: "7", key: a, quantity: 1 })], 200), {
        _tag: "Recorded",
        existing: []
      })
      const ids = [
        { key: b, hour: 1 },
        { key: a, hour: 1 },
        { key: a, hour: 9 },
        { key: a, hour: 2 }
      ]
      const open = { isSealed: false, firstAt: 100, rounding: 0n }
      yield* read(store, (tables) =>
        Effect.gen(function* () {
          assert.deepEqual(yield* tables.entries(ids), [
            { key: b, hour: 1, quantity: 1n, events: 1, ...open },
            { key: a, hour: 1, quantity: 15n, events: 5, ...open },
            { key: a, hour: 2, quantity: 0n, events: 1, ...open }
          ])
          assert.deepEqual(yield* tables.allocations(ids), [
            { key: b, hour: 1, tags: "u", quantity: 1n },
            { key: a, hour: 1, tags: "s", quantity: 0n },
            { key: a, hour: 1, tags: "t", quantity: 9n }
          ])
          assert.deepEqual(yield* tables.events(["3", "missing", "1"]), [
            events[2] as never,
            events[0] as never
          ])
        })
      )
    }))

  test("records nothing of no events", (store) =>
    Effect.gen(function* () {
      assert.deepEqual(yield* store.recordEvents([], 1), { _tag: "Recorded", existing: [] })
      const entries = yield* read(store, (tables) => tables.entryPage({}, undefined, 10))
      assert.deepEqual(entries, [])
    }))

  test("records each id once, and returns the stored row of one that exists", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const stored = [
        event({ id: "a", key, quantity: 3, tags: "t" }),
        event({ id: "b", key, quantity: 4, hour: 2 })
      ]
      yield* store.recordEvents(stored, 1)
      const result = yield* store.recordEvents(
        [
          event({ id: "b", key, quantity: 40, hour: 3, at: 9, tags: "u" }),
          event({ id: "c", key, quantity: 5 }),
          event({ id: "a", key, quantity: 3, tags: "t" })
        ],
        2
      )
      assert.strictEqual(result._tag, "Recorded")
      if (result._tag === "Recorded") assert.deepEqual([...result.existing].sort(byId), stored)
      const views = yield* read(store, (tables) => tables.entryPage({}, undefined, 10))
      assert.deepEqual(
        views.map(({ entry }) => [entry.hour, entry.quantity, entry.events, entry.firstAt]),
        [
          [1, 8n, 2, 1],
          [2, 4n, 1, 1]
        ]
      )
      const allocations = yield* read(store, (tables) =>
        tables.allocations([
          { key, hour: 1 },
          { key, hour: 3 }
        ])
      )
      assert.deepEqual(allocations, [{ key, hour: 1, tags: "t", quantity: 3n }])
    }))

  test("adds nothing to sealed entries, and names them", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const old = event({ id: "old", key, hour: 1 })
      yield* store.recordEvents([old, event({ id: "other", key, hour: 2 })], 1)
      yield* write(store, (tables) =>
        tables.sealEntries([
          { key, hour: 1, rounding: 0n },
          { key, hour: 2, rounding: -3n }
        ])
      )
      const before = yield* read(store, (tables) => tables.entryPage({}, undefined, 10))
      const result = yield* store.recordEvents(
        [
          event({ id: "new 1", key, hour: 3 }),
          event({ id: "new 2", key, hour: 1, tags: "t" }),
          event({ id: "new 3", key, hour: 1, quantity: 0 })
        ],
        2
      )
      assert.deepEqual(result, { _tag: "Sealed", entries: [{ key, hour: 1 }] })
      const both = yield* store.recordEvents(
        [event({ id: "new 1", key, hour: 1 }), old, event({ id: "new 2", key, hour: 2 })],
        2
      )
      assert.strictEqual(both._tag, "Sealed")
      if (both._tag === "Sealed") {
        assert.deepEqual(both.entries.map(({ hour }) => hour).sort(), [1, 2])
      }
      assert.deepEqual(yield* read(store, (tables) => tables.entryPage({}, undefined, 10)), before)
      assert.deepEqual(yield* read(store, (tables) => tables.events(["new 1", "new 2"])), [])
      // one that exists is not added again, so that its sealed entry does not matter
      const again = yield* store.recordEvents([old, event({ id: "new 1", key, hour: 3 })], 2)
      assert.deepEqual(again, { _tag: "Recorded", existing: [old] })
    }))

  test("holds sums up to 2^62 exactly, and stores nothing of a batch beyond", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const at = { key, hour: 1 }
      yield* write(store, (tables) =>
        tables.addPostings([posting({ ...at, tags: "t", quantity: limit - 1n })], 1)
      )
      const sum = () =>
        read(store, (tables) =>
          Effect.map(
            Effect.all([tables.entries([at]), tables.allocations([at])]),
            ([entries, allocations]) => [entries[0]?.quantity, allocations[0]?.quantity]
          )
        )
      assert.deepEqual(yield* sum(), [limit - 1n, limit - 1n])
      const overflow = yield* store.recordEvents(
        [
          event({ id: "x", key, hour: 2 }),
          event({ id: "y", ...at }),
          event({ id: "z", ...at, quantity: 1 })
        ],
        1
      )
      assert.deepEqual(overflow, { _tag: "Overflow" })
      assert.deepEqual(yield* read(store, (tables) => tables.events(["x", "y", "z"])), [])
      assert.deepEqual(yield* read(store, (tables) => tables.entries([{ key, hour: 2 }])), [])
      assert.deepEqual(yield* store.recordEvents([event({ id: "y", ...at })], 1), {
        _tag: "Recorded",
        existing: []
      })
      assert.deepEqual(yield* sum(), [limit, limit - 1n])
      assert.deepEqual(yield* store.recordEvents([event({ id: "z", ...at })], 1), {
        _tag: "Overflow"
      })
      yield* assertRejected(store, (tables) =>
        tables.addPostings([posting({ ...at, reference: "other" })], 1)
      )
      // in the end it is the limit again
      yield* write(store, (tables) =>
        tables.addPostings(
          [
            posting({ ...at, reference: "up", quantity: limit }),
            posting({ ...at, reference: "down", quantity: -limit })
          ],
          1
        )
      )
      assert.deepEqual(yield* sum(), [limit, limit - 1n])
      assert.deepEqual(
        (yield* read(store, (tables) => tables.verifySums(undefined, 10))).differences,
        []
      )
    }))

  test("adds the largest safe integers without loss", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const largest = Number.MAX_SAFE_INTEGER
      const events = Array.from({ length: 7 }, (_, index) =>
        event({ id: `${index}`, key, quantity: largest, at: largest, tags: index > 3 ? "t" : "" })
      )
      yield* store.recordEvents(events, largest)
      yield* read(store, (tables) =>
        Effect.gen(function* () {
          const [entry] = yield* tables.entries([{ key, hour: 1 }])
          assert.deepInclude(entry, { quantity: 7n * BigInt(largest), firstAt: largest })
          const [allocation] = yield* tables.allocations([{ key, hour: 1 }])
          assert.strictEqual(allocation?.quantity, 3n * BigInt(largest))
          assert.deepEqual(yield* tables.events(["5"]), [events[5] as never])
          const [totals] = yield* tables.keyTotals(undefined, 1)
          assert.strictEqual(totals?.recorded, 7n * BigInt(largest))
        })
      )
    }))

  test("adds postings of the same place up, and finds them by cause and reference", (store) =>
    Effect.gen(function* () {
      const [a = 0, b = 0] = yield* addKeys(store, [{ dimension: "a" }, { dimension: "b" }])
      const rows = [
        posting({ key: b, hour: 2, reference: "x", quantity: 5n }),
        posting({ key: a, hour: 2, reference: "x", tags: "t", quantity: -7n }),
        posting({ key: a, hour: 2, reference: "x", tags: "s", quantity: 1n }),
        posting({ key: a, hour: 1, reference: "x", quantity: 2n }),
        posting({ key: a, hour: 1, reference: "y", quantity: 4n }),
        posting({ key: a, hour: 1, cause: "adjust", reference: "x", quantity: 8n }),
        posting({ key: a, hour: 1, cause: "forward", reference: "x", quantity: 16n })
      ]
      const add = (some: typeof rows) => write(store, (tables) => tables.addPostings(some, 50))
      assert.deepEqual(yield* add(rows), [])
      assert.deepEqual(
        yield* add([posting({ key: b, hour: 2, reference: "x", quantity: -6n })]),
        []
      )
      const find = (cause: (typeof rows)[0]["cause"], references: ReadonlyArray<string>) =>
        read(store, (tables) => tables.postings({ cause, references }))
      const sum = { ...(rows[0] as (typeof rows)[0]), quantity: -1n }
      assert.deepEqual(yield* find("advance", ["y", "missing", "x"]), [
        rows[4],
        rows[3],
        rows[2],
        rows[1],
        sum
      ] as never)
      assert.deepEqual(yield* find("adjust", ["x", "y"]), [rows[5]] as never)
      assert.deepEqual(yield* find("advance", []), [])
      const ids = [
        { key: a, hour: 1 },
        { key: a, hour: 2 },
        { key: b, hour: 2 }
      ]
      yield* read(store, (tables) =>
        Effect.gen(function* () {
          const entries = yield* tables.entries(ids)
          assert.deepEqual(
            entries.map(({ events, firstAt, quantity }) => [quantity, events, firstAt]),
            [
              [30n, 0, 50],
              [-6n, 0, 50],
              [-1n, 0, 50]
            ]
          )
          assert.deepEqual(yield* tables.allocations(ids), [
            { key: a, hour: 2, tags: "s", quantity: 1n },
            { key: a, hour: 2, tags: "t", quantity: -7n }
          ])
        })
      )
      assert.deepEqual(yield* add([]), [])
    }))

  test("adds no posting if one entry is sealed, and names those that are", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          yield* tables.ensureEntries(
            [1, 2, 3].map((hour) => ({ key, hour })),
            1
          )
          yield* tables.sealEntries([1, 3].map((hour) => ({ key, hour, rounding: 0n })))
        })
      )
      const sealed = yield* write(store, (tables) =>
        tables.addPostings(
          [4, 3, 2, 1, 3].map((hour, index) => posting({ key, hour, tags: `${index}` })),
          2
        )
      )
      assert.deepEqual(sealed.map(({ hour }) => hour).sort(), [1, 3])
      const views = yield* read(store, (tables) => tables.entryPage({}, undefined, 10))
      assert.deepEqual(
        views.map(({ entry }) => entry.quantity),
        [0n, 0n, 0n]
      )
      const found = yield* read(store, (tables) =>
        tables.postings({ cause: "advance", references: ["source/0"] })
      )
      assert.deepEqual(found, [])
    }))

  test("makes entries of 0, and leaves those that exist", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      yield* store.recordEvents([event({ id: "a", key, quantity: 3 })], 1)
      yield* store.recordEvents([event({ id: "b", key, hour: 2, quantity: 4 })], 1)
      yield* write(store, (tables) => tables.sealEntries([{ key, hour: 2, rounding: 1n }]))
      const ids = [3, 2, 1].map((hour) => ({ key, hour }))
      yield* write(store, (tables) => tables.ensureEntries(ids, 9))
      yield* write(store, (tables) => tables.ensureEntries(ids, 10))
      yield* write(store, (tables) => tables.ensureEntries([], 10))
      assert.deepEqual(yield* read(store, (tables) => tables.entries(ids)), [
        { key, hour: 3, isSealed: false, quantity: 0n, events: 0, firstAt: 9, rounding: 0n },
        { key, hour: 2, isSealed: true, quantity: 4n, events: 1, firstAt: 1, rounding: 1n },
        { key, hour: 1, isSealed: false, quantity: 3n, events: 1, firstAt: 1, rounding: 0n }
      ])
    }))

  test("finds open entries of a Region, the oldest first", (store) =>
    Effect.gen(function* () {
      const [a = 0, b = 0, c = 0] = yield* addKeys(store, [
        { lineage: "a" },
        { lineage: "b" },
        { lineage: "c", region: "q" }
      ])
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          const ids = [5, 4, 3, 2, 1].flatMap((hour) =>
            [c, b, a].map((key) => ({ key, hour: hour * 10 }))
          )
          yield* tables.ensureEntries(ids, 1)
          yield* tables.sealEntries([{ key: a, hour: 10, rounding: 0n }])
        })
      )
      const find = (filter: object) =>
        Effect.map(
          write(store, (tables) =>
            tables.lockOpenEntries({ region: "r", beforeHour: 100, limit: 100, ...filter })
          ),
          (rows) =>
            rows
              .map(({ hour, key }) => `${key === a ? "a" : key === b ? "b" : "c"}${hour}`)
              .join(" ")
        )
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{}, "b10 a20 b20 a30 b30 a40 b40 a50 b50"],
        [{ region: "q" }, "c10 c20 c30 c40 c50"],
        [{ region: "missing" }, ""],
        [{ beforeHour: 30 }, "b10 a20 b20"],
        [{ beforeHour: 31 }, "b10 a20 b20 a30 b30"],
        [{ limit: 2 }, "b10 a20"],
        [{ lineages: ["a", "c", "missing"] }, "a20 a30 a40 a50"],
        [{ lineages: [] }, ""],
        [{ hold: { from: 20, until: 40 } }, "b10 a40 b40 a50 b50"],
        [{ hold: { from: 21, until: 41 }, lineages: ["b"], limit: 3 }, "b10 b20 b50"],
        [{ hold: { from: 0, until: 100 } }, ""]
      ]
      for (const [filter, expected] of cases) {
        assert.strictEqual(yield* find(filter), expected, JSON.stringify(filter))
      }
    }))

  test("seals entries for good", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      yield* store.recordEvents([event({ id: "a", key, quantity: 3, tags: "t" })], 1)
      const seal = { key, hour: 1, rounding: -limit }
      yield* write(store, (tables) => tables.sealEntries([seal]))
      const sealed = {
        ...{ key, hour: 1, isSealed: true, quantity: 3n, events: 1, firstAt: 1 },
        rounding: -limit
      }
      const entry = read(store, (tables) => tables.entries([{ key, hour: 1 }]))
      assert.deepEqual(yield* entry, [sealed])
      // the same again changes nothing
      yield* write(store, (tables) => tables.sealEntries([seal]))
      yield* assertRejected(store, (tables) => tables.sealEntries([{ ...seal, rounding: 0n }]))
      assert.deepEqual(yield* entry, [sealed])
      yield* write(store, (tables) => tables.sealEntries([]))
    }))

  test("keeps carry by key and tags, and drops it at 0", (store) =>
    Effect.gen(function* () {
      const [a = 0, b = 0, c = 0] = yield* addKeys(
        store,
        ["a", "b", "c"].map((dimension) => ({ dimension }))
      )
      const rows = [
        { key: b, tags: "", amount: limit },
        { key: a, tags: "t", amount: -limit },
        { key: a, tags: "", amount: 3n },
        { key: c, tags: "", amount: 0n }
      ]
      const carry = read(store, (tables) => tables.carry([c, b, a]))
      yield* write(store, (tables) => tables.putCarry(rows))
      assert.deepEqual(yield* carry, [rows[2], rows[1], rows[0]] as never)
      yield* write(store, (tables) =>
        tables.putCarry([
          { key: a, tags: "t", amount: 0n },
          { key: b, tags: "", amount: 1n },
          { key: b, tags: "u", amount: 0n },
          { key: c, tags: "t", amount: 2n }
        ])
      )
      assert.deepEqual(yield* carry, [
        { key: a, tags: "", amount: 3n },
        { key: b, tags: "", amount: 1n },
        { key: c, tags: "t", amount: 2n }
      ])
      assert.deepEqual(yield* read(store, (tables) => tables.carry([])), [])
      yield* write(store, (tables) => tables.putCarry([]))
      yield* assertRejected(store, (tables) =>
        tables.putCarry([{ key: a, tags: "", amount: limit + 1n }])
      )
    }))

  test("makes one record of an entry, with ids that grow in the given order", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const hours = [3, 1, 2]
      const rows = [
        record({ key, hour: 3, quantity: 2_147_483_647, subscription: "x", region: "q" }),
        record({ key, hour: 1, quantity: 0, resolvedAt: 5, meteringRecordId: "m", carriedAt: 6 }),
        record({ key, hour: 2, state: "inDoubt", tries: 3, nextTryAt: 4, deadline: 7, sealedAt: 8 })
      ]
      const records = yield* write(store, (tables) =>
        Effect.gen(function* () {
          yield* tables.ensureEntries(
            hours.map((hour) => ({ key, hour })),
            1
          )
          yield* tables.sealEntries(hours.map((hour) => ({ key, hour, rounding: 0n })))
          return yield* tables.addRecords(rows)
        })
      )
      const ids = records.map(({ id }) => id)
      assert.deepEqual(
        ids,
        [...new Set(ids)].sort((left, right) => left - right)
      )
      assert.deepEqual(
        records,
        rows.map((row, index) => ({ ...row, id: ids[index] as number }))
      )
      assert.deepEqual(
        yield* read(store, (tables) => tables.records([...ids].reverse())),
        [...records].reverse()
      )
      assert.deepEqual(yield* write(store, (tables) => tables.addRecords([])), [])
      yield* assertRejected(store, (tables) => tables.addRecords([record({ key, hour: 1 })]))
      yield* assertRejected(store, (tables) =>
        Effect.zipRight(
          tables.ensureEntries([{ key, hour: 4 }], 1),
          tables.addRecords([record({ key, hour: 4, quantity: 2_147_483_648 })])
        )
      )
    }))

  test("keeps odd texts of usage", (store) =>
    Effect.gen(function* () {
      const key = yield* addKey(store)
      const events = oddTexts.map((id) => event({ id, key, tags: id, quantity: 2 }))
      yield* store.recordEvents(events, 1)
      const again = yield* store.recordEvents(events, 1)
      if (again._tag === "Recorded") {
        assert.deepEqual([...again.existing].sort(byId), [...events].sort(byId))
      } else assert.fail(again._tag)
      assert.deepEqual(yield* read(store, (tables) => tables.events(oddTexts)), events)
      const tagged = oddTexts.filter((text) => text !== "").sort()
      assert.deepEqual(
        [...(yield* read(store, (tables) => tables.allocations([{ key, hour: 1 }])))].sort(byTags),
        tagged.map((tags) => ({ key, hour: 1, tags, quantity: 2n }))
      )
      const postings = oddTexts.map((text) =>
        posting({ key, hour: 2, reference: text, tags: text })
      )
      const carry = [...oddTexts].sort().map((tags) => ({ key, tags, amount: 1n }))
      yield* write(store, (tables) =>
        Effect.zipRight(tables.addPostings(postings, 1), tables.putCarry(carry))
      )
      yield* read(store, (tables) =>
        Effect.gen(function* () {
          const found = yield* tables.postings({ cause: "advance", references: oddTexts })
          assert.deepEqual(found, postings)
          assert.deepEqual([...(yield* tables.carry([key]))].sort(byTags), carry)
          assert.deepEqual((yield* tables.verifySums(undefined, 10)).differences, [])
        })
      )
    }))

  test("takes batches and lists of 5000", (store) =>
    Effect.gen(function* () {
      const keys = yield* addKeys(
        store,
        Array.from({ length: 50 }, (_, index) => ({ dimension: `d${index}` }))
      )
      const at = (index: number) => ({
        key: keys[index % 50] as number,
        hour: Math.floor(index / 50)
      })
      const list = Array.from({ length: 5_000 }, (_, index) => index)
      const events = list.map((index) =>
        event({
          id: `e${index}`,
          ...at(index),
          quantity: index,
          tags: index % 2 ? `t${index}` : ""
        })
      )
      const recorded = { _tag: "Recorded", existing: [] } as const
      assert.deepEqual(yield* store.recordEvents(events, 1), recorded)
      const again = yield* store.recordEvents(events, 1)
      assert.strictEqual(again._tag === "Recorded" && again.existing.length, 5_000)
      const entryIds = list.map(at)
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          const rows = list.map((index) => posting({ ...at(index), reference: `${index}` }))
          assert.deepEqual(yield* tables.addPostings(rows, 1), [])
          yield* tables.ensureEntries(entryIds, 1)
          yield* tables.putCarry(
            list.map((index) => ({ key: at(index).key, tags: `${index}`, amount: 1n }))
          )
        })
      )
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          const open = yield* tables.lockOpenEntries({ region: "r", beforeHour: 1e9, limit: 5_000 })
          assert.strictEqual(open.length, 5_000)
          assert.strictEqual((yield* tables.allocations(entryIds)).length, 2_500)
          assert.strictEqual((yield* tables.carry(keys)).length, 5_000)
          yield* tables.sealEntries(entryIds.map((id) => ({ ...id, rounding: 0n })))
          const records = yield* tables.addRecords(entryIds.map((id) => record(id)))
          const ids = records.map(({ id }) => id)
          assert.strictEqual((yield* tables.lockRecords(ids)).length, 5_000)
          const call = yield* tables.addCall({ region: "r", fence: 1, worker: "w", sentAt: 1 }, ids)
          yield* tables.addResults(
            ids.map((id) => ({
              ...{ record: id, call, at: 2, result: "success" as const },
              ...{ meteringRecordId: undefined, requestId: undefined, detail: undefined }
            }))
          )
          yield* tables.updateRecords(
            records.map((row) => ({ ...row, state: "accepted", resolvedAt: 3 }))
          )
          yield* tables.addHistory(
            records.map(({ hour, key }) => ({
              ...{ at: 3, key, hour, was: "sealed" as const },
              ...{ became: "accepted" as const, cause: "c" }
            }))
          )
          assert.strictEqual((yield* tables.attempts(ids)).length, 5_000)
          assert.strictEqual((yield* tables.history(entryIds)).length, 5_000)
        })
      )
      yield* read(store, (tables) =>
        Effect.gen(function* () {
          const views = yield* tables.entryPage({ states: ["accepted"] }, undefined, 5_000)
          assert.strictEqual(views.length, 5_000)
          const entries = yield* tables.entries(entryIds)
          assert.deepEqual(
            entries.map(({ quantity }) => quantity),
            list.map((index) => BigInt(index + 1))
          )
          const references = list.map(String)
          const found = yield* tables.postings({ cause: "advance", references })
          assert.strictEqual(found.length, 5_000)
          assert.deepEqual((yield* tables.verifySums(undefined, 5_001)).differences, [])
        })
      )
      const sealed = yield* store.recordEvents(
        events.map((row) => ({ ...row, id: `new ${row.id}` })),
        1
      )
      assert.strictEqual(sealed._tag === "Sealed" && sealed.entries.length, 5_000)
    }))
}

/** The order of code points beyond U+FFFF is the store's own. */
const byTags = (left: { readonly tags: string }, right: { readonly tags: string }) =>
  left.tags < right.tags ? -1 : 1
