import { assert, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { MeteredUsage } from "../../../../src/sandbox/internal/model/state.js"
import * as usageStore from "../../../../src/sandbox/internal/model/usageStore.js"

const usage = (quantity: number): MeteredUsage => ({
  meteringRecordId: String(quantity),
  operation: "BatchMeterUsage",
  productCode: "p",
  customerAWSAccountId: "1",
  dimension: "d",
  hour: 0,
  timestamp: 0,
  quantity,
  split: ""
})

const steps = FastCheck.array(
  FastCheck.record({ version: FastCheck.nat(), key: FastCheck.constantFrom("a", "b", "c", "d") }),
  { maxLength: 30 }
)

it.prop("every version is that of an immutable map, whichever one goes on", [steps], ([steps]) => {
  const versions = [{ store: usageStore.empty(), expected: new Map<string, MeteredUsage>() }]
  for (const [quantity, { key, version }] of steps.entries()) {
    const before = versions[version % versions.length] ?? versions[0]
    if (before === undefined || before.expected.has(key)) continue
    versions.push({
      store: usageStore.add(before.store, key, usage(quantity)),
      expected: new Map([...before.expected, [key, usage(quantity)]])
    })
  }
  for (const { expected, store } of versions) {
    assert.deepStrictEqual([...usageStore.entries(store)], [...expected])
    assert.deepStrictEqual([...usageStore.values(store)], [...expected.values()])
    assert.strictEqual(store.size, expected.size)
    for (const key of ["a", "b", "c", "d"]) {
      assert.deepStrictEqual(usageStore.get(store, key), expected.get(key))
    }
  }
})
