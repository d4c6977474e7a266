import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Random, TestClock } from "effect"
import { makeUuid7 } from "../../../../src/ledger/internal/model/uuid.js"

const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const timeOf = (id: string) => Number.parseInt(id.slice(0, 13).replace("-", ""), 16)

describe("makeUuid7", () => {
  it.effect.prop(
    "makes ids in their order, whatever the clock does",
    [FastCheck.array(FastCheck.double({ min: 0, max: 1e13, noNaN: true }), { maxLength: 40 })],
    ([times]) =>
      Effect.gen(function* () {
        const next = makeUuid7()
        const ids: Array<string> = []
        for (const time of times) {
          yield* TestClock.setTime(time)
          ids.push(yield* next, yield* next)
        }
        for (const id of ids) assert.match(id, form)
        assert.deepEqual(ids, [...new Set(ids)].sort())
      }),
    // a change of the virtual clock is slow
    { fastCheck: { numRuns: 25 } }
  )

  it.effect("starts with the time of the clock", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_123.5)
      assert.strictEqual(timeOf(yield* makeUuid7()), 1_700_000_000_123)
    })
  )

  it.effect("moves on when a millisecond's counter is used up", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(1_700_000_000_000)
      const next = makeUuid7()
      const ids = yield* Effect.forEach(Array.from({ length: 10_000 }), () => next)
      assert.deepEqual(ids, [...new Set(ids)].sort())
      assert.deepEqual(
        [...new Set(ids.map(timeOf))],
        [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_002]
      )
    })
  )

  it.effect("gives fibers different ids", () =>
    Effect.gen(function* () {
      const next = makeUuid7()
      const ids = yield* Effect.forEach(
        Array.from({ length: 100 }),
        () => Effect.zipRight(Effect.yieldNow(), next),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(ids).size, 100)
    })
  )

  it.effect("takes its random part from the Random service", () =>
    Effect.gen(function* () {
      const id = () => Effect.withRandom(makeUuid7(), Random.make("seed"))
      assert.strictEqual(yield* id(), yield* id())
      const tails = yield* Effect.forEach(Array.from({ length: 100 }), () => makeUuid7())
      assert.strictEqual(new Set(tails.map((one) => one.slice(19))).size, 100)
    })
  )
})
