import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { instantiate } from "../../../src/internal/schema/construct.js"
import { jsonEncoder } from "../../../src/internal/schema/jsonEncoder.js"
import { shapeOf } from "../../../src/internal/schema/shape.js"
import * as MeterUsage from "../../../src/MeterUsage.js"
import { validFields } from "../../support/arbitraries.js"
import { allOperations, meterUsage, timestamp } from "../../support/operations.js"

it.each(allOperations)("encodes $name as Schema does, in the same order", ({ name, request }) => {
  const encode = jsonEncoder(shapeOf(request))
  const encodeBySchema = Schema.encodeSync(request)
  FastCheck.assert(
    FastCheck.property(validFields[name], (fields) => {
      const value = instantiate(request, fields)
      assert.strictEqual(JSON.stringify(encode(value)), JSON.stringify(encodeBySchema(value)))
    })
  )
})

it("encodes time in seconds, with a fraction only for milliseconds", () => {
  const encode = jsonEncoder(shapeOf(MeterUsage.MeterUsageRequest))
  const secondsOf = (time: DateTime.Utc) =>
    encode(MeterUsage.make({ ...meterUsage, timestamp: time })).Timestamp
  assert.strictEqual(secondsOf(timestamp), 1795515330.789)
  assert.strictEqual(secondsOf(DateTime.unsafeMake(1_795_515_330_000)), 1795515330)
})
