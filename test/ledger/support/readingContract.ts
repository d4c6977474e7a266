/** Lists, counts and checks. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { RecordState } from "../../../src/ledger/internal/model/rows.js"
import type { EntryFilter, EntryId } from "../../../src/ledger/internal/tables.js"
import { event, record } from "../rows.js"
import { addKeys, posting, read, type StoreTest, write } from "./storeTest.js"

type Store = Parameters<Parameters<StoreTest>[1]>[0]

const states: ReadonlyArray<RecordState> = [
  ...(["sealed", "accepted", "conflicting", "notSubscribed"] as const),
  ...(["rejected", "expired", "inDoubt"] as const)
]

/** Two keys, "a" of product p and "b" of product q, with entries of hours 1 to 9: open, zero, and each state of a record. */
const prepare = (store: Store) =>
  Effect.gen(function* () {
    const [a = 0, b = 0] = yield* addKeys(store, [
      { lineage: "a", scale: 3 },
      { lineage: "b", product: "q" }
    ])
    yield* write(store, (tables) =>
      Effect.gen(function* () {
        const entries = [a, b].flatMap((key) =>
          Array.from({ length: 9 }, (_, index) => ({ key, hour: index + 1 }))
        )
        yield* tables.ensureEntries(entries, 1)
        const sealed = entries.filter(({ hour }) => hour > 1)
        yield* tables.sealEntries(sealed.map((entry) => ({ ...entry, rounding: 0n })))
        yield* tables.addRecords(
          sealed
            .filter(({ hour }) => hour > 2)
            .map(({ hour, key }) =>
              record({
                ...{ key, hour, product: key === a ? "p" : "q", deadline: 1_000 * hour },
                state: states[hour - 3] ?? "sealed",
                resolvedAt: hour === 3 || hour === 6 ? undefined : 5
              })
            )
        )
      })
    )
    return { a, b }
  })

export const readingContract = (test: StoreTest): void => {
  test("lists entries by each filter, in the order of hour and key", (store) =>
    Effect.gen(function* () {
      const { a, b } = yield* prepare(store)
      const page = (filter: EntryFilter, after?: EntryId, limit = 99) =>
        Effect.map(
          read(store, (tables) => tables.entryPage(filter, after, limit)),
          (views) => views.map(({ entry, key }) => `${key.lineage}${entry.hour}`).join(" ")
        )
      const all = Array.from({ length: 9 }, (_, index) => `a${index + 1} b${index + 1}`).join(" ")
      const cases: ReadonlyArray<readonly [EntryFilter, string]> = [
        [{}, all],
        [{ product: "q", untilHour: 3 }, "b1 b2"],
        [{ product: "none" }, ""],
        [{ lineages: ["a", "none"], fromHour: 8 }, "a8 a9"],
        [{ lineages: [] }, ""],
        [{ fromHour: 9 }, "a9 b9"],
        [{ fromHour: 10 }, ""],
        [{ untilHour: 1 }, ""],
        [{ fromHour: 2, untilHour: 4 }, "a2 b2 a3 b3"],
        [{ states: ["open"] }, "a1 b1"],
        [{ states: ["zero"] }, "a2 b2"],
        [{ states: [] }, ""],
        [{ states: ["inDoubt", "open"], product: "p" }, "a1 a9"],
        ...states.map(
          (state, index) => [{ states: [state], lineages: ["b"] }, `b${index + 3}`] as const
        )
      ]
      for (const [filter, expected] of cases) {
        assert.strictEqual(yield* page(filter), expected, JSON.stringify(filter))
      }
      assert.strictEqual(yield* page({}, undefined, 3), "a1 b1 a2")
      assert.strictEqual(yield* page({}, { key: a, hour: 2 }, 3), "b2 a3 b3")
      assert.strictEqual(yield* page({}, { key: b, hour: 8 }), "a9 b9")
      assert.strictEqual(yield* page({}, { key: b, hour: 9 }), "")
      assert.strictEqual(yield* page({ product: "q" }, { key: a, hour: 8 }, 1), "b8")
    }))

  test("has the record of a sealed entry", (store) =>
    Effect.gen(function* () {
      const { a } = yield* prepare(store)
      const views = yield* read(store, (tables) =>
        tables.entryPage({ lineages: ["a"] }, undefined, 9)
      )
      assert.deepEqual(
        views.map((view) => [view.entry.isSealed, view.record?.state, view.key.id]),
        [[false, undefined, a], [true, undefined, a], ...states.map((state) => [true, state, a])]
      )
    }))

  test("counts open entries and records by state", (store) =>
    Effect.gen(function* () {
      yield* prepare(store)
      const { counts, hours } = yield* read(store, (tables) =>
        Effect.all({ counts: tables.stateCounts(0), hours: tables.hourlyCounts(8) })
      )
      const expected = ["p", "q"].flatMap((product) => [
        { product, state: "open", oldestHour: 1, nextDeadline: undefined },
        ...states.map((state, index) => ({
          ...{ product, state, oldestHour: index + 3 },
          nextDeadline: index === 0 ? 3_000 : index === 3 ? 6_000 : undefined
        }))
      ])
      assert.sameDeepMembers(
        [...counts],
        expected.map((row) => ({ ...row, region: "r", count: 1 })) as never
      )
      assert.deepEqual(
        hours.map(({ entries, hour, product, state }) => [hour, product, state, entries]),
        [
          [8, "p", "expired", 1],
          [8, "q", "expired", 1],
          [9, "p", "inDoubt", 1],
          [9, "q", "inDoubt", 1]
        ]
      )
    }))

  test("adds up the entries of a state", (store) =>
    Effect.gen(function* () {
      const { a } = yield* prepare(store)
      yield* write(store, (tables) =>
        tables.ensureEntries(
          [12, 10, 11].map((hour) => ({ key: a, hour })),
          1
        )
      )
      const { counts, hours } = yield* read(store, (tables) =>
        Effect.all({ counts: tables.stateCounts(0), hours: tables.hourlyCounts(10) })
      )
      assert.deepInclude(counts, {
        ...{ region: "r", product: "p", state: "open", count: 4, oldestHour: 1 },
        nextDeadline: undefined
      })
      assert.deepEqual(
        hours.map(({ entries, hour }) => [hour, entries]),
        [
          [10, 1],
          [11, 1],
          [12, 1]
        ]
      )
    }))

  test("lists balances of whole units", (store) =>
    Effect.gen(function* () {
      const { a, b } = yield* prepare(store)
      const rows = [
        { key: a, tags: "", amount: 999n },
        { key: a, tags: "s", amount: 2_999n },
        { key: a, tags: "t", amount: 1_000n },
        { key: a, tags: "u", amount: -5_000n },
        { key: b, tags: "", amount: 1n }
      ]
      yield* write(store, (tables) => tables.putCarry(rows))
      const over = (units: number, limit: number) =>
        read(store, (tables) => tables.carryOver(units, limit))
      const product = { product: "p", lineage: "a", dimension: "d", scale: 3 }
      assert.deepEqual(yield* over(1, 9), [
        { ...rows[1], ...product },
        { ...rows[2], ...product },
        { ...rows[4], ...product, product: "q", lineage: "b", scale: 0 }
      ] as never)
      assert.deepEqual(yield* over(2, 9), [{ ...rows[1], ...product }] as never)
      assert.strictEqual((yield* over(1, 2)).length, 2)
      assert.deepEqual(yield* over(3, 9), [])
    }))

  test("knows the time of the last evidence of any kind", (store) =>
    Effect.gen(function* () {
      const last = read(store, (tables) => tables.lastActivityAt)
      assert.isUndefined(yield* last)
      const [key = 0] = yield* addKeys(store, [{}])
      const [id = 0] = yield* write(store, (tables) =>
        Effect.gen(function* () {
          yield* tables.ensureEntries([{ key, hour: 1 }], 99)
          yield* tables.sealEntries([{ key, hour: 1, rounding: 0n }])
          const records = yield* tables.addRecords([record({ key, hour: 1, sealedAt: 5 })])
          return records.map((row) => row.id)
        })
      )
      assert.strictEqual(yield* last, 5)
      const call = yield* write(store, (tables) =>
        tables.addCall({ region: "r", fence: 1, worker: "w", sentAt: 7 }, [id])
      )
      assert.strictEqual(yield* last, 7)
      for (const [at, expected] of [
        [9, 9],
        [8, 9]
      ] as const) {
        yield* write(store, (tables) =>
          tables.addResults([
            {
              ...{ record: id, call, at, result: "unsent" },
              ...{ meteringRecordId: undefined, requestId: undefined, detail: undefined }
            }
          ])
        )
        assert.strictEqual(yield* last, expected)
      }
    }))

  test("verifies sums and totals by pages", (store) =>
    Effect.gen(function* () {
      const [a = 0, b = 0] = yield* addKeys(store, [{ lineage: "a", scale: 3 }, { lineage: "b" }])
      yield* store.recordEvents(
        [1, 2, 3].flatMap((hour) =>
          [a, b].map((key) => event({ id: `${key}/${hour}`, key, hour, quantity: 4, tags: "t" }))
        ),
        1
      )
      yield* write(store, (tables) =>
        Effect.gen(function* () {
          yield* tables.addPostings(
            [
              posting({ key: a, hour: 1, quantity: 6n }),
              posting({ key: a, hour: 2, cause: "adjust", quantity: -3n, tags: "t" }),
              posting({ key: b, hour: 3, cause: "forward", quantity: 50n })
            ],
            1
          )
          yield* tables.sealEntries([
            { key: a, hour: 1, rounding: 5n },
            { key: b, hour: 1, rounding: 0n },
            { key: b, hour: 2, rounding: 0n }
          ])
          yield* tables.addRecords([
            record({ key: b, hour: 1, quantity: 7 }),
            record({ key: b, hour: 2, quantity: 8, state: "expired", carriedAt: 5, resolvedAt: 4 })
          ])
          yield* tables.putCarry([
            { key: a, tags: "", amount: -2n },
            { key: a, tags: "t", amount: 12n }
          ])
        })
      )
      const [totals, firstTotal, secondTotal, noTotal] = yield* read(store, (tables) =>
        Effect.all([
          tables.keyTotals(undefined, 9),
          tables.keyTotals(undefined, 1),
          tables.keyTotals(a, 1),
          tables.keyTotals(b, 1)
        ])
      )
      assert.deepEqual(
        totals.map(({ key, ...sums }) => ({ id: key.id, scale: key.scale, ...sums })),
        [
          { id: a, scale: 3, recorded: 15n, open: 5n, billed: 0n, carry: 10n, rounding: 5n },
          { id: b, scale: 0, recorded: 12n, open: 54n, billed: 7n, carry: 0n, rounding: 0n }
        ]
      )
      assert.deepEqual([firstTotal, secondTotal, noTotal], [[totals[0]], [totals[1]], []] as never)
      // the order is the store's own
      let after: EntryId | undefined
      let pages = 0
      do {
        const page = yield* read(store, (tables) => tables.verifySums(after, 4))
        assert.deepEqual(page.differences, [])
        after = page.last
        pages += 1
      } while (after !== undefined)
      assert.strictEqual(pages, 2)
    }))
}
