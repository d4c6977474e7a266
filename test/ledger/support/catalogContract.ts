/** The ledger's row, products, subscriptions and keys. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { LedgerRow, ProductRow } from "../../../src/ledger/internal/model/rows.js"
import type { Tables } from "../../../src/ledger/internal/tables.js"
import {
  addKeys,
  keyRow,
  oddTexts,
  read,
  type StoreTest,
  subscription,
  write
} from "./storeTest.js"

type FilterOf = Parameters<Tables["subscriptions"]>[0]

export const catalogContract = (test: StoreTest): void => {
  test("has no ledger at first, then the last one put, with all of its columns", (store) =>
    Effect.gen(function* () {
      assert.isUndefined(yield* read(store, (tables) => tables.ledger))
      const row: LedgerRow = {
        version: 1,
        writableFrom: 1,
        seller: "seller",
        target: "sandbox",
        incarnation: "i",
        tick: 7,
        holdFrom: undefined,
        heldUntil: undefined,
        recoveredAt: undefined
      }
      yield* write(store, (tables) => tables.putLedger(row))
      assert.deepEqual(yield* read(store, (tables) => tables.ledger), row)
      const held = { ...row, incarnation: "j", holdFrom: 1, heldUntil: 2, recoveredAt: 3 }
      yield* write(store, (tables) => tables.putLedger(held))
      assert.deepEqual(yield* read(store, (tables) => tables.ledger), held)
      yield* write(store, (tables) => tables.putLedger(row))
      assert.deepEqual(yield* read(store, (tables) => tables.ledger), row)
      assert.deepEqual(
        yield* write(store, (tables) => Effect.all([tables.nextTick, tables.nextTick])),
        [8, 9]
      )
      assert.deepEqual(yield* read(store, (tables) => tables.ledger), { ...row, tick: 9 })
    }))

  test("keeps products by name, in the order of code units", (store) =>
    Effect.gen(function* () {
      const product = (row: Partial<ProductRow>): ProductRow => ({
        product: "p",
        region: "r",
        productCode: undefined,
        late: "reject",
        dimensions: {},
        tagKeys: [],
        ...row
      })
      const rows = ["a", "B", "é", "Z", "10", "9"].map((name) => product({ product: name }))
      yield* write(store, (tables) => Effect.forEach(rows, tables.putProduct))
      const replaced = product({
        product: "a",
        region: "s",
        productCode: "code",
        late: "carry",
        dimensions: {
          d: { scale: 9, zeroFill: true },
          "odd '\" \\ 😀": { scale: 0, zeroFill: false }
        },
        tagKeys: ["k", "a \\ key"]
      })
      yield* write(store, (tables) => tables.putProduct(replaced))
      const products = yield* read(store, (tables) => tables.products)
      assert.deepEqual(
        products.map((row) => row.product),
        ["10", "9", "B", "Z", "a", "é"]
      )
      assert.deepEqual(products[4], replaced)
      assert.deepEqual(products[0], product({ product: "10" }))
    }))

  test("finds subscriptions by each filter and by several, in the order of their start", (store) =>
    Effect.gen(function* () {
      const rows = [
        subscription({ id: "c", from: 5, closingAt: 100 }),
        subscription({ id: "b", from: 5, until: 200 }),
        subscription({ id: "a", from: 9, lineage: "m", accountId: undefined, customerId: "x" }),
        subscription({ id: "Z", from: 9, lineage: "m", region: "q", until: 300, closingAt: 50 }),
        subscription({
          id: "d",
          ...{ from: -1, lineage: "n", productCode: undefined, licenseArn: "arn", accountId: "x" }
        }),
        subscription({ id: "e", from: 20, licenseArn: "arn:aws:license-manager::1:license:l-0A" }),
        subscription({
          id: "f",
          ...{ from: 21, region: "q", licenseArn: "arn:aws:license-manager:r:2:license:l-0a" }
        })
      ]
      yield* write(store, (tables) => Effect.forEach(rows, tables.putSubscription))
      const find = (filter: FilterOf) =>
        Effect.map(
          read(store, (tables) => tables.subscriptions(filter)),
          (found) => found.map(({ id }) => id).join("")
        )
      assert.deepEqual(yield* read(store, (tables) => tables.subscriptions({})), [
        rows[4],
        rows[1],
        rows[0],
        rows[3],
        rows[2],
        rows[5],
        rows[6]
      ] as never)
      const cases: ReadonlyArray<readonly [FilterOf, string]> = [
        [{ ids: ["a", "missing", "b", "a"] }, "ba"],
        [{ ids: [] }, ""],
        [{ lineages: ["m", "m", "missing"] }, "Za"],
        [{ lineages: [] }, ""],
        [{ customer: "x" }, "da"],
        [{ customer: "missing" }, ""],
        [{ license: "l-0a" }, "ef"],
        [{ license: "l-0A" }, ""],
        [{ license: "l-0" }, ""],
        [{ license: "l-0a", region: "q" }, "f"],
        [{ region: "q" }, "Zf"],
        [{ endedBetween: { from: 100, until: 200 } }, "bc"],
        [{ endedBetween: { from: 101, until: 199 } }, ""],
        [{ endedBetween: { from: 50, until: 50 } }, "Z"],
        [{ endedBetween: { from: 300, until: 300 } }, "Z"],
        [{ endedBetween: { from: -100, until: 1_000 } }, "bcZ"],
        [{ ids: ["a", "b"], lineages: ["m"] }, "a"],
        [{ lineages: ["l", "m"], customer: "x" }, "a"],
        [{ lineages: ["m"], region: "r", customer: "x" }, "a"],
        [{ region: "r", endedBetween: { from: 0, until: 100 } }, "c"],
        [{ ids: undefined, lineages: undefined, customer: undefined, region: undefined }, "dbcZaef"]
      ]
      for (const [filter, expected] of cases) {
        assert.strictEqual(yield* find(filter), expected, JSON.stringify(filter))
      }
    }))

  test("replaces a subscription by its id", (store) =>
    Effect.gen(function* () {
      yield* write(store, (tables) => tables.putSubscription(subscription({})))
      const replaced = subscription({
        lineage: "m",
        accountId: undefined,
        customerId: "x",
        until: 9,
        closingAt: 8
      })
      yield* write(store, (tables) => tables.putSubscription(replaced))
      for (const [filter, expected] of [
        [{}, [replaced]],
        [{ lineages: ["l"] }, []],
        [{ lineages: ["m"] }, [replaced]],
        [{ customer: "123456789012" }, []],
        [{ customer: "x" }, [replaced]]
      ] as ReadonlyArray<readonly [FilterOf, ReadonlyArray<unknown>]>) {
        assert.deepEqual(
          yield* read(store, (tables) => tables.subscriptions(filter)),
          expected as never
        )
      }
    }))

  test("adds keys that are missing, in the given order, and returns all as they are stored", (store) =>
    Effect.gen(function* () {
      const first = yield* write(store, (tables) =>
        tables.addKeys([keyRow({ dimension: "z", scale: 9 }), keyRow({ dimension: "a" })])
      )
      const ids = first.map(({ id }) => id)
      assert.deepEqual(
        ids,
        [...new Set(ids)].sort((a, b) => a - b)
      )
      assert.deepEqual(first, [
        { ...keyRow({ dimension: "z", scale: 9 }), id: ids[0] as number },
        { ...keyRow({ dimension: "a" }), id: ids[1] as number }
      ])
      const second = yield* write(store, (tables) =>
        tables.addKeys([
          keyRow({ dimension: "new" }),
          keyRow({ dimension: "a", scale: 5, region: "other", product: "other" }),
          keyRow({ dimension: "z", lineage: "m" }),
          keyRow({ dimension: "z" })
        ])
      )
      assert.deepEqual([second[1], second[3]], [first[1], first[0]])
      const added = [second[0]?.id as number, second[2]?.id as number]
      assert.isTrue((ids[1] as number) < (added[0] as number))
      assert.isTrue((added[0] as number) < (added[1] as number))
      const keys = (filter: { lineages?: ReadonlyArray<string>; ids?: ReadonlyArray<number> }) =>
        Effect.map(
          read(store, (tables) => tables.keys(filter)),
          (found) => found.map(({ id }) => id)
        )
      assert.deepEqual(yield* keys({}), [...ids, ...added])
      assert.deepEqual(yield* keys({ lineages: ["m", "missing", "m"] }), [added[1]])
      assert.deepEqual(yield* keys({ lineages: [] }), [])
      assert.deepEqual(yield* keys({ ids: [added[1] as number, ids[0] as number, 1e9] }), [
        ids[0],
        added[1]
      ])
      assert.deepEqual(yield* keys({ ids: [] }), [])
      assert.deepEqual(yield* keys({ ids, lineages: ["m"] }), [])
      assert.deepEqual(yield* write(store, (tables) => tables.addKeys([])), [])
    }))

  test("keeps odd texts of the catalog", (store) =>
    Effect.gen(function* () {
      const subscriptions = oddTexts.map((text, from) =>
        subscription({
          ...{ id: text, lineage: text, region: text, product: text, productCode: text },
          ...{ licenseArn: text, accountId: text, customerId: text, from }
        })
      )
      yield* write(store, (tables) => Effect.forEach(subscriptions, tables.putSubscription))
      assert.deepEqual(yield* read(store, (tables) => tables.subscriptions({})), subscriptions)
      for (const [index, text] of oddTexts.entries()) {
        const found = yield* read(store, (tables) =>
          Effect.all([
            tables.subscriptions({ ids: [text] }),
            tables.subscriptions({ lineages: [text], region: text, customer: text })
          ])
        )
        assert.deepEqual(found, [[subscriptions[index]], [subscriptions[index]]] as never)
      }
      const rows = oddTexts.map((text) => ({ lineage: text, dimension: text, product: text }))
      const ids = yield* addKeys(store, rows)
      assert.deepEqual(
        yield* read(store, (tables) => tables.keys({ lineages: oddTexts })),
        rows.map((row, index) => ({ ...keyRow(row), id: ids[index] as number }))
      )
    }))

  test("takes lists of 5000 subscriptions and keys", (store) =>
    Effect.gen(function* () {
      const names = Array.from({ length: 5_000 }, (_, index) => `s${index}`)
      yield* write(store, (tables) =>
        Effect.forEach(names.slice(0, 50), (id) =>
          tables.putSubscription(subscription({ id, lineage: id }))
        )
      )
      const ids = yield* addKeys(
        store,
        names.map((lineage) => ({ lineage }))
      )
      assert.strictEqual(new Set(ids).size, 5_000)
      assert.deepEqual(
        yield* read(store, (tables) =>
          Effect.map(
            Effect.all([
              tables.subscriptions({ ids: names, lineages: names }),
              tables.keys({ ids, lineages: names }),
              tables.keys({ lineages: names })
            ]),
            (found) => found.map(({ length }) => length)
          )
        ),
        [50, 5_000, 5_000]
      )
    }))
}
