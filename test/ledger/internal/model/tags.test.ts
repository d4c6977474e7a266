import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import * as tags from "../../../../src/ledger/internal/model/tags.js"

const character = FastCheck.constantFrom(..."aZ09+ -=._:\\/@")
const text = (minLength: number, maxLength: number) =>
  FastCheck.array(character, { minLength, maxLength }).map((list) => list.join(""))
const pairs = FastCheck.uniqueArray(FastCheck.tuple(text(1, 20), text(0, 20)), {
  maxLength: tags.maxTags,
  selector: ([key]) => key
})
const keysOf = (list: ReadonlyArray<readonly [string, string]>) => list.map(([key]) => key)

describe("canonical", () => {
  it.prop("is the same in any order of the keys", [pairs], ([list]) =>
    assert.deepEqual(
      tags.canonical(Object.fromEntries(list), keysOf(list)),
      tags.canonical(Object.fromEntries([...list].reverse()), keysOf(list).reverse())
    )
  )

  it.prop("keeps all pairs", [pairs], ([list]) => {
    const result = Either.getOrThrow(tags.canonical(Object.fromEntries(list), keysOf(list)))
    if (list.length === 0) assert.strictEqual(result, tags.untagged)
    else {
      const read: ReadonlyArray<readonly [string, string]> = JSON.parse(result)
      assert.deepEqual(new Map(read), new Map(list))
      assert.deepEqual(keysOf(read), keysOf(read).slice().sort())
    }
  })

  it.prop("differs for different sets", [pairs, pairs], ([left, right]) => {
    const allowed = [...keysOf(left), ...keysOf(right)]
    const canonical = (list: ReadonlyArray<readonly [string, string]>) =>
      Either.getOrThrow(tags.canonical(Object.fromEntries(list), allowed))
    const sorted = (list: ReadonlyArray<readonly [string, string]>) =>
      JSON.stringify([...list].sort(([a], [b]) => (a < b ? -1 : 1)))
    assert.strictEqual(canonical(left) === canonical(right), sorted(left) === sorted(right))
  })

  it("sorts by UTF-16 units", () => {
    assert.deepEqual(
      tags.canonical({ a: "1", B: "2", _: "3", "10": "4", "9": "5" }, ["a", "B", "_", "10", "9"]),
      Either.right('[["10","4"],["9","5"],["B","2"],["_","3"],["a","1"]]')
    )
  })

  it("has one text for no tags", () => {
    assert.deepEqual(
      [tags.canonical(undefined, []), tags.canonical({}, ["a"])],
      [Either.right(""), Either.right("")]
    )
  })

  it("accepts values up to 256 characters, and an empty one", () => {
    assert.isTrue(Either.isRight(tags.canonical({ a: "x".repeat(256), b: "" }, ["a", "b"])))
    assert.isTrue(Either.isLeft(tags.canonical({ a: "x".repeat(257) }, ["a"])))
  })

  it("rejects other characters, keys and numbers of tags", () => {
    const rejected: ReadonlyArray<readonly [{ readonly [key: string]: string }, string]> = [
      [{ a: "é" }, "values of at most 256 characters"],
      [{ a: "a\nb" }, "values of at most 256 characters"],
      [{ a: "\n" }, "values of at most 256 characters"],
      [{ a: 1 as unknown as string }, "values of at most 256 characters"],
      [{ toString: "x" }, "keys among the product's tagKeys: a"],
      [{ A: "x" }, "keys among the product's tagKeys: a"],
      [Object.fromEntries(["a", "b", "c", "d", "e", "f"].map((key) => [key, ""])), "at most 5 tags"]
    ]
    for (const [given, expected] of rejected) {
      assert.include(Either.merge(tags.canonical(given, ["a"])), expected)
    }
    assert.include(
      Either.merge(tags.canonical({ a: "" }, [])),
      "no tags, since the product declares no tagKeys"
    )
  })
})

describe("keysViolation", () => {
  it("is absent for up to 5 different keys of 1 to 100 characters", () => {
    assert.isUndefined(tags.keysViolation([]))
    assert.isUndefined(tags.keysViolation(["a", "b", "c", "d", "x".repeat(100)]))
  })

  it("names the rule", () => {
    assert.include(tags.keysViolation(["a", "b", "c", "d", "e", "f"]), "at most 5 keys")
    for (const keys of [[""], ["x".repeat(101)], ["a", "a"], ["ü"], ["a\n"]]) {
      assert.include(tags.keysViolation(keys), "different keys of 1 to 100 characters")
    }
  })
})
