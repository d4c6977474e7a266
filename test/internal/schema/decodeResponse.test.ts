import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as BatchMeterUsage from "../../../src/BatchMeterUsage.js"
import { decoder } from "../../../src/internal/schema/decodeResponse.js"
import { jsonEncoder } from "../../../src/internal/schema/jsonEncoder.js"
import { shapeOf } from "../../../src/internal/schema/shape.js"
import * as MeterUsage from "../../../src/MeterUsage.js"
import { UsageRecord } from "../../../src/UsageRecord.js"
import { epochMillis, validResponse } from "../../support/arbitraries.js"
import { allOperations, meterUsage, timestamp } from "../../support/operations.js"

type Json = Record<string, unknown>

/** The fields about a response, with Schema's defaults. */
const metadataOf = (response: Schema.Schema.All) => ({
  statusCode: 200,
  ...(shapeOf(response).metadataFields.includes("unreadable") && {
    unreadable: [],
    missingRecords: []
  })
})

describe.each(allOperations)("a response of $name", ({ name, response }) => {
  const decode = decoder(shapeOf(response))

  it("is decoded as Schema does", () => {
    const decodeBySchema = Schema.decodeUnknownSync(response)
    FastCheck.assert(
      FastCheck.property(validResponse[name], (json) => {
        const undecodable: Array<unknown> = []
        const decoded = decode(json as Json, undecodable, metadataOf(response))
        assert.isTrue(decoded instanceof response)
        assert.deepStrictEqual(decoded, decodeBySchema(json))
        assert.deepStrictEqual(undecodable, [])
      })
    )
  })

  it("is decoded from any JSON object, with fields of the right type only", () => {
    const validate = Schema.encodeUnknownSync(response)
    FastCheck.assert(
      FastCheck.property(
        validResponse[name],
        FastCheck.dictionary(
          FastCheck.constantFrom(...shapeOf(response).fields.map((field) => field.wireName)),
          FastCheck.jsonValue()
        ),
        (json, odd) => {
          const decoded = decode({ ...json, ...odd } as Json, [], metadataOf(response))
          assert.doesNotThrow(() => validate(withoutRecords(decoded)))
        }
      )
    )
  })
})

/** Echoed records are not validated, and Schema cannot encode them without. */
const withoutRecords = (response: object) =>
  response instanceof BatchMeterUsage.BatchMeterUsageResponse
    ? {
        ...response,
        results: response.results.map(({ usageRecord: _, ...rest }) => rest),
        unprocessedRecords: []
      }
    : response

it("decodes every millisecond that was encoded", () => {
  const encode = jsonEncoder(shapeOf(MeterUsage.MeterUsageRequest))
  const decode = decoder(shapeOf(MeterUsage.MeterUsageRequest))
  FastCheck.assert(
    FastCheck.property(epochMillis, (millis) => {
      const request = MeterUsage.make({ ...meterUsage, timestamp: DateTime.unsafeMake(millis) })
      const json = JSON.parse(JSON.stringify(encode(request)))
      const decoded = decode(json, []) as MeterUsage.MeterUsageRequest
      assert.strictEqual(decoded.timestamp.epochMillis, millis)
      const bySchema = Schema.decodeUnknownSync(MeterUsage.MeterUsageRequest)(json)
      assert.strictEqual(bySchema.timestamp.epochMillis, millis)
    }),
    { numRuns: 1000 }
  )
})

describe("lenient decoding", () => {
  const decodeBatch = decoder(shapeOf(BatchMeterUsage.BatchMeterUsageResponse))
  const decode = (json: unknown, undecodable: Array<unknown> = []) =>
    decodeBatch(json as Json, undecodable) as BatchMeterUsage.BatchMeterUsageResponse

  const echo = {
    Timestamp: 1795515330.789,
    Dimension: "api-calls",
    Quantity: 42,
    CustomerAWSAccountId: "1"
  }
  const recordOf = (changes: object) =>
    decode({ Results: [{ Status: "Success", UsageRecord: { ...echo, ...changes } }] }).results[0]
      ?.usageRecord

  it.each([
    ["an empty identity is absent", { CustomerIdentifier: "" }, "customerIdentifier", undefined],
    ["null is absent", { LicenseArn: null }, "licenseArn", undefined],
    ["an absent quantity is 0", { Quantity: undefined }, "quantity", 0],
    ["a null quantity is 0", { Quantity: null }, "quantity", 0],
    ["a quantity in a string is decoded", { Quantity: "17" }, "quantity", 17],
    ["a quantity beyond the limit is unchanged", { Quantity: 2 ** 40 }, "quantity", 2 ** 40],
    ["two identities are unchanged", { CustomerIdentifier: "c" }, "customerIdentifier", "c"],
    [
      "a number in place of text is decoded",
      { CustomerAWSAccountId: 111 },
      "customerAWSAccountId",
      "111"
    ],
    [
      "an empty list of allocations is absent",
      { UsageAllocations: [] },
      "usageAllocations",
      undefined
    ]
  ] as const)("%s", (_, changes, name, expected) => {
    const record = recordOf(changes)
    assert.instanceOf(record, UsageRecord)
    assert.deepStrictEqual(record?.[name], expected)
    assert.strictEqual(record?.dimension, "api-calls")
  })

  it.each([
    ["a number in a string", "1795515330.789"],
    ["ISO 8601", "2026-11-24T10:15:30.789Z"]
  ])("a time is decoded from %s", (_, Timestamp) => {
    assert.strictEqual(recordOf({ Timestamp })?.timestamp.epochMillis, timestamp.epochMillis)
  })

  it("each record has its own time, also after an equal or an invalid one", () => {
    const times = [1795515330.789, 1795515330.789, 0, 1e15, 1795515330.789]
    const { results } = decode({
      Results: times.map((Timestamp) => ({ UsageRecord: { ...echo, Timestamp } }))
    })
    assert.deepStrictEqual(
      results.map(({ usageRecord }) => usageRecord?.timestamp.epochMillis),
      [1795515330789, 1795515330789, 0, undefined, 1795515330789]
    )
  })

  it("ignores an unknown member, keeps an unknown status", () => {
    const [result] = decode({
      Results: [{ Status: "OnHold", New: { a: 1 }, UsageRecord: echo }]
    }).results
    assert.strictEqual(result?.status, "OnHold")
    assert.notProperty(result, "New")
  })

  it.each([
    ["an object as identity", { CustomerIdentifier: {} }],
    ["an object as quantity", { Quantity: {} }],
    ["an empty text as quantity", { Quantity: "" }],
    ["white space as quantity", { Quantity: " \t" }],
    ["a text as allocations", { UsageAllocations: "all" }],
    ["an allocation of null", { UsageAllocations: [null, { AllocatedUsageQuantity: 1 }] }],
    ["an allocation without a quantity", { UsageAllocations: [{}] }],
    ["a tag without a key", { UsageAllocations: [{ AllocatedUsageQuantity: 1, Tags: [{}] }] }]
  ])("a record with %s is undecodable as a whole", (_, changes) => {
    const odd = { ...echo, ...changes }
    const undecodable: Array<unknown> = []
    const response = decode({ UnprocessedRecords: [odd, echo] }, undecodable)
    assert.strictEqual(response.unprocessedRecords.length, 1)
    assert.deepStrictEqual(undecodable, [odd])
  })

  it("a result keeps its status when its record cannot be decoded", () => {
    for (const UsageRecord of [
      null,
      7,
      [],
      {},
      { ...echo, Timestamp: "soon" },
      { ...echo, Dimension: "" },
      { ...echo, LicenseArn: { a: 1 } },
      { ...echo, Quantity: {} },
      { ...echo, UsageAllocations: [null] }
    ]) {
      const [result] = decode({
        Results: [{ Status: "Success", MeteringRecordId: "m", UsageRecord }]
      }).results
      assert.deepInclude({ ...result }, { status: "Success", meteringRecordId: "m" })
      assert.isUndefined(result?.usageRecord)
    }
  })

  it("collects undecodable elements, and keeps the others", () => {
    const undecodable: Array<unknown> = []
    const response = decode(
      {
        Results: [{ Status: "Success" }, null, "odd", 7],
        UnprocessedRecords: [echo, { Dimension: "x" }]
      },
      undecodable
    )
    assert.deepStrictEqual(
      response.results.map(({ status }) => status),
      ["Success"]
    )
    assert.strictEqual(response.unprocessedRecords.length, 1)
    assert.deepStrictEqual(undecodable, [null, "odd", 7, { Dimension: "x" }])
  })
})
