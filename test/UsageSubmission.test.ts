import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { accept, client, product, record, records, submitAll, tags } from "./submission/support.js"

describe("every record has one outcome", () => {
  it.effect("accepted, with the id that it is billed under, in the order of the input", () =>
    Effect.gen(function* () {
      const answers = client(accept)
      const outcomes = yield* submitAll(records(60), answers)
      assert.deepStrictEqual(
        tags(outcomes),
        records(60).map(({ dimension }) => `Accepted id-${dimension}`)
      )
      assert.deepStrictEqual(
        outcomes.map(({ index }) => index),
        Array.from({ length: 60 }, (_, i) => i)
      )
      assert.deepStrictEqual(
        answers.calls.map(({ productCode, records }) => [productCode, records.length]),
        [
          [product, 25],
          [product, 25],
          [product, 10]
        ]
      )
    })
  )
  it.effect("none for none", () =>
    Effect.gen(function* () {
      const answers = client(accept)
      assert.deepStrictEqual(yield* submitAll([], answers), [])
      assert.strictEqual(answers.calls.length, 0)
      void record
    })
  )
})
