import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as BatchMeterUsage from "../../../src/BatchMeterUsage.js"
import * as codec from "../../../src/internal/schema/codec.js"
import { instantiate } from "../../../src/internal/schema/construct.js"
import { shapeOf } from "../../../src/internal/schema/shape.js"
import * as MeterUsage from "../../../src/MeterUsage.js"
import {
  type Mismatch,
  makeRequestDecoder
} from "../../../src/sandbox/internal/server/decodeRequest.js"
import { UsageRecord } from "../../../src/UsageRecord.js"
import { epochMillis, validFields, validResponse } from "../../support/arbitraries.js"
import { allOperations, meterUsage, timestamp } from "../../support/operations.js"

type Json = Record<string, unknown>

/** What the response of every answer carries beside the answer's members, by Schema's defaults. */
const aboutAnAnswer = (response: Schema.Schema.All) => ({
  statusCode: 200,
  ...(shapeOf(response).metadataFields.includes("unreadable") && {
    unreadable: [],
    missingRecords: []
  })
})

describe.each(allOperations)("the codec of $name", ({ name, request, response }) => {
  const project = codec.encoder(shapeOf(request))
  const readRequest = makeRequestDecoder(shapeOf(request))
  const readAnswer = codec.decoder(shapeOf(response))
  const equivalent = Schema.equivalence(request)

  it("writes what Schema writes, in the same order", () => {
    const encode = Schema.encodeSync(request)
    FastCheck.assert(
      FastCheck.property(validFields[name], (fields) => {
        const value = instantiate(request, fields)
        assert.strictEqual(JSON.stringify(project(value)), JSON.stringify(encode(value)))
      })
    )
  })

  it("reads a request as Schema does, and both get back what was written", () => {
    const decode = Schema.decodeUnknownSync(request)
    FastCheck.assert(
      FastCheck.property(validFields[name], (fields) => {
        const value = instantiate(request, fields)
        const json = JSON.parse(JSON.stringify(project(value)))
        const mismatches: Array<Mismatch> = []
        const read = readRequest(json, mismatches)
        assert.deepStrictEqual(mismatches, [])
        assert.isTrue(read instanceof request)
        assert.isTrue(equivalent(read, decode(json)))
        assert.isTrue(equivalent(read, value))
      })
    )
  })

  it("reads an answer as Schema does", () => {
    const decode = Schema.decodeUnknownSync(response)
    FastCheck.assert(
      FastCheck.property(validResponse[name], (answer) => {
        const unreadable: Array<unknown> = []
        const read = readAnswer(answer as Json, unreadable, aboutAnAnswer(response))
        assert.isTrue(read instanceof response)
        assert.deepStrictEqual(read, decode(answer))
        assert.deepStrictEqual(unreadable, [])
      })
    )
  })

  it("reads any JSON object as an answer, and leaves nothing in it that is not of its type", () => {
    const checked = Schema.encodeUnknownSync(response)
    FastCheck.assert(
      FastCheck.property(
        validResponse[name],
        FastCheck.dictionary(
          FastCheck.constantFrom(...shapeOf(response).fields.map((field) => field.wireName)),
          FastCheck.jsonValue()
        ),
        (answer, odd) => {
          const read = readAnswer({ ...answer, ...odd } as Json, [], aboutAnAnswer(response))
          assert.doesNotThrow(() => checked(withoutRecords(read)))
        }
      )
    )
  })
})

/** Echoes of records are held to no rule at all, and Schema knows no other way than to check them. */
const withoutRecords = (response: object) =>
  response instanceof BatchMeterUsage.BatchMeterUsageResponse
    ? {
        ...response,
        results: response.results.map(({ usageRecord: _, ...rest }) => rest),
        unprocessedRecords: []
      }
    : response

describe("time on the wire", () => {
  const projectTime = codec.encoder(shapeOf(MeterUsage.MeterUsageRequest))
  const readTime = codec.decoder(shapeOf(MeterUsage.MeterUsageRequest))

  it("keeps every millisecond", () => {
    FastCheck.assert(
      FastCheck.property(epochMillis, (millis) => {
        const request = MeterUsage.make({ ...meterUsage, timestamp: DateTime.unsafeMake(millis) })
        const json = JSON.parse(JSON.stringify(projectTime(request)))
        const read = readTime(json, []) as MeterUsage.MeterUsageRequest
        assert.strictEqual(read.timestamp.epochMillis, millis)
        const decoded = Schema.decodeUnknownSync(MeterUsage.MeterUsageRequest)(json)
        assert.strictEqual(decoded.timestamp.epochMillis, millis)
      }),
      { numRuns: 1000 }
    )
  })

  it("is in seconds, with a fraction only where there is one", () => {
    const seconds = (time: DateTime.Utc) =>
      projectTime(MeterUsage.make({ ...meterUsage, timestamp: time })).Timestamp
    assert.strictEqual(seconds(timestamp), 1795515330.789)
    assert.strictEqual(seconds(DateTime.unsafeMake(1_795_515_330_000)), 1795515330)
  })
})

describe("an answer is read leniently", () => {
  const read = (answer: unknown, unreadable: Array<unknown> = []) =>
    codec.decoder(shapeOf(BatchMeterUsage.BatchMeterUsageResponse))(
      answer as Json,
      unreadable
    ) as BatchMeterUsage.BatchMeterUsageResponse

  const echo = {
    Timestamp: 1795515330.789,
    Dimension: "api-calls",
    Quantity: 42,
    CustomerAWSAccountId: "1"
  }
  const recordOf = (changes: object) =>
    read({ Results: [{ Status: "Success", UsageRecord: { ...echo, ...changes } }] }).results[0]
      ?.usageRecord

  it.each([
    ["an empty identity is absent", { CustomerIdentifier: "" }, "customerIdentifier", undefined],
    ["null is absent", { LicenseArn: null }, "licenseArn", undefined],
    ["an absent quantity is 0", { Quantity: undefined }, "quantity", 0],
    ["a null quantity is 0", { Quantity: null }, "quantity", 0],
    ["a quantity in a string is read", { Quantity: "17" }, "quantity", 17],
    ["a quantity beyond the limit is kept", { Quantity: 2 ** 40 }, "quantity", 2 ** 40],
    ["two identities are both kept", { CustomerIdentifier: "c" }, "customerIdentifier", "c"],
    ["a number for a text is read", { CustomerAWSAccountId: 111 }, "customerAWSAccountId", "111"],
    ["no allocations are none", { UsageAllocations: [] }, "usageAllocations", undefined]
  ] as const)("%s", (_, changes, name, expected) => {
    const record = recordOf(changes)
    assert.instanceOf(record, UsageRecord)
    assert.deepStrictEqual(record?.[name], expected)
    assert.strictEqual(record?.dimension, "api-calls")
  })

  it.each([
    ["a number in a string", "1795515330.789"],
    ["ISO 8601", "2026-11-24T10:15:30.789Z"]
  ])("a time is read from %s", (_, Timestamp) => {
    assert.strictEqual(recordOf({ Timestamp })?.timestamp.epochMillis, timestamp.epochMillis)
  })

  it("an unknown member is ignored, an unknown status is kept", () => {
    const [result] = read({
      Results: [{ Status: "OnHold", New: { a: 1 }, UsageRecord: echo }]
    }).results
    assert.strictEqual(result?.status, "OnHold")
    assert.notProperty(result, "New")
  })

  it.each([
    ["an object for an identity", { CustomerIdentifier: {} }],
    ["an object for a quantity", { Quantity: {} }],
    ["an empty text for a quantity", { Quantity: "" }],
    ["white space for a quantity", { Quantity: " \t" }],
    ["a text for the allocations", { UsageAllocations: "all" }],
    ["an allocation of null", { UsageAllocations: [null, { AllocatedUsageQuantity: 1 }] }],
    ["an allocation without a quantity", { UsageAllocations: [{}] }],
    ["a tag without a key", { UsageAllocations: [{ AllocatedUsageQuantity: 1, Tags: [{}] }] }]
  ])("a record with %s is not altered, it is unreadable", (_, changes) => {
    const odd = { ...echo, ...changes }
    const unreadable: Array<unknown> = []
    const response = read({ UnprocessedRecords: [odd, echo] }, unreadable)
    assert.strictEqual(response.unprocessedRecords.length, 1)
    assert.deepStrictEqual(unreadable, [odd])
  })

  it("a result keeps its status when the echo of its record cannot be read", () => {
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
      const [result] = read({
        Results: [{ Status: "Success", MeteringRecordId: "m", UsageRecord }]
      }).results
      assert.deepInclude({ ...result }, { status: "Success", meteringRecordId: "m" })
      assert.isUndefined(result?.usageRecord)
    }
  })

  it("an element that cannot be read goes to `unreadable`, and the others stay", () => {
    const unreadable: Array<unknown> = []
    const response = read(
      {
        Results: [{ Status: "Success" }, null, "odd", 7],
        UnprocessedRecords: [echo, { Dimension: "x" }]
      },
      unreadable
    )
    assert.deepStrictEqual(
      response.results.map(({ status }) => status),
      ["Success"]
    )
    assert.strictEqual(response.unprocessedRecords.length, 1)
    assert.deepStrictEqual(unreadable, [null, "odd", 7, { Dimension: "x" }])
  })
})

describe("a request is read strictly", () => {
  const readRequest = makeRequestDecoder(shapeOf(MeterUsage.MeterUsageRequest))
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
  ])("%s: %j is not of its type", (name, value, path) => {
    const mismatches: Array<Mismatch> = []
    readRequest({ ...wire, [name]: value }, mismatches)
    assert.deepStrictEqual(
      mismatches.map((one) => one.path),
      [path]
    )
  })

  it("nothing is invented: an absent client token stays absent, an empty text stays empty", () => {
    const request = readRequest({ ...wire, ProductCode: "" }, [])
    assert.deepInclude({ ...request }, { productCode: "", usageQuantity: 0, dryRun: false })
    assert.notProperty(request, "clientToken")
  })
})
