import { assert, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { MeteredUsage } from "../../../../src/sandbox/internal/model/state.js"
import * as usageStore from "../../../../src/sandbox/internal/model/usageStore.js"

const usage = (meteringRecordId: string, quantity: number): MeteredUsage => ({
  meteringRecordId,
  operation: "BatchMeterUsage",
  productCode: "p",
  customerAWSAccountId: "1",
  dimension: "d",
  timestamp: 0,
  quantity,
  split: ""
})

const steps = FastCheck.array(
  FastCheck.record({ version: FastCheck.nat(), id: FastCheck.constantFrom("a", "b", "c", "d") }),
  { maxLength: 30 }
)

it.prop(
  "a version, and those before it, are immutable maps, whichever one goes on",
  [steps],
  ([steps]) => {
    let versions = [{ store: usageStore.empty(), expected: new Map<string, MeteredUsage>() }]
    for (const [quantity, { id, version }] of steps.entries()) {
      const before = versions[version % versions.length] ?? versions[0]
      if (before === undefined || before.expected.has(id)) continue
      versions = [
        // those that are longer have ended
        ...versions.filter(({ store }) => store.size <= before.store.size),
        {
          store: usageStore.add(before.store, usage(id, quantity)),
          expected: new Map([...before.expected, [id, usage(id, quantity)]])
        }
      ]
    }
    for (const { expected, store } of versions) {
      assert.deepStrictEqual([...usageStore.values(store)], [...expected.values()])
      assert.strictEqual(store.size, expected.size)
      for (const id of ["a", "b", "c", "d"]) {
        assert.deepStrictEqual(usageStore.get(store, id), expected.get(id))
      }
    }
  }
)
