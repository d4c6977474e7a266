import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { instantiate } from "../../../../src/internal/schema/construct.js"
import { jsonEncoder } from "../../../../src/internal/schema/jsonEncoder.js"
import { shapeOf } from "../../../../src/internal/schema/shape.js"
import * as MeterUsage from "../../../../src/MeterUsage.js"
import {
  type Mismatch,
  makeRequestDecoder
} from "../../../../src/sandbox/internal/protocol/decodeRequest.js"
import { validFields } from "../../../support/arbitraries.js"
import { allOperations } from "../../../support/operations.js"

it.each(allOperations)("decodes a request of $name as Schema does", ({ name, request }) => {
  const encode = jsonEncoder(shapeOf(request))
  const decode = makeRequestDecoder(shapeOf(request))
  const decodeBySchema = Schema.decodeUnknownSync(request)
  const equivalent = Schema.equivalence(request)
  FastCheck.assert(
    FastCheck.property(validFields[name], (fields) => {
      const value = instantiate(request, fields)
      const json = JSON.parse(JSON.stringify(encode(value)))
      const mismatches: Array<Mismatch> = []
      const decoded = decode(json, mismatches)
      assert.deepStrictEqual(mismatches, [])
      assert.isTrue(decoded instanceof request)
      assert.isTrue(equivalent(decoded, decodeBySchema(json)))
      assert.isTrue(equivalent(decoded, value))
    })
  )
})

describe("strict decoding", () => {
  const decode = makeRequestDecoder(shapeOf(MeterUsage.MeterUsageRequest))
  const wire = { ProductCode: "p", Timestamp: 1, UsageDimension: "d" }

  it.each([
    ["ProductCode", 7, "ProductCode"],
    ["Timestamp", "1", "Timestamp"],
    ["Timestamp", 1e300, "Timestamp"],
    ["UsageQuantity", "3", "UsageQuantity"],
    ["DryRun", "true", "DryRun"],
    ["UsageAllocations", {}, "UsageAllocations"],
    ["UsageAllocations", [null], "UsageAllocations[0]"],
    ["UsageAllocations", [7], "UsageAllocations[0]"],
    [
      "UsageAllocations",
      [{ AllocatedUsageQuantity: 1, Tags: [{ Key: 1 }] }],
      "UsageAllocations[0].Tags[0].Key"
    ]
  ])("%s: %j is a mismatch", (name, value, path) => {
    const mismatches: Array<Mismatch> = []
    decode({ ...wire, [name]: value }, mismatches)
    assert.deepStrictEqual(
      mismatches.map(({ path }) => path),
      [path]
    )
  })

  it("keeps an absent client token absent, and an empty text empty", () => {
    const request = decode({ ...wire, ProductCode: "" }, [])
    assert.deepInclude({ ...request }, { productCode: "", usageQuantity: 0, dryRun: false })
    assert.notProperty(request, "clientToken")
  })
})
