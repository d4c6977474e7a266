import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Equal } from "effect"
import { MeteringClient } from "../../src/MeteringClient.js"
import { MeteringSandbox } from "../../src/sandbox/index.js"
import * as UsageAllocation from "../../src/UsageAllocation.js"
import {
  acme,
  acmeLicence,
  analytics,
  at,
  batch,
  billed,
  fates,
  globexLicence,
  record,
  setTime,
  stranger
} from "./support.js"

const sandboxed = Effect.provide(MeteringSandbox.layer())
const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

describe("the window of BatchMeterUsage", () => {
  const accepted = ["Success"]
  const refused = "TimestampOutOfBoundsException"
  const cases: ReadonlyArray<readonly [rule: string, now: string, timestamp: string, unknown]> = [
    ["24 h back, last instant", now, "2026-11-23T10:30:00.001Z", accepted],
    ["24 h back, exactly", now, "2026-11-23T10:30:00.000Z", refused],
    ["now", now, now, accepted],
    ["5 min ahead, exactly", now, "2026-11-24T10:35:00.000Z", accepted],
    ["more than 5 min ahead", now, "2026-11-24T10:35:00.001Z", refused],
    ["last month before 06:00", "2026-12-01T05:59:59.999Z", "2026-11-30T23:59:59.999Z", accepted],
    ["last month at 06:00", "2026-12-01T06:00:00.000Z", "2026-11-30T23:59:59.999Z", refused],
    ["this month at 06:00", "2026-12-01T06:00:00.000Z", "2026-12-01T00:00:00.000Z", accepted],
    ["last year before 06:00", "2027-01-01T05:59:59.999Z", "2026-12-31T12:00:00.000Z", accepted],
    ["last year at 06:00", "2027-01-01T06:00:00.000Z", "2026-12-31T23:59:59.999Z", refused],
    ["last month, beyond 24 h", "2026-12-01T05:00:00.000Z", "2026-11-30T05:00:00.000Z", refused],
    ["29 February", "2028-03-01T05:59:59.999Z", "2028-02-29T23:00:00.000Z", accepted],
    ["next month, ahead", "2026-11-30T23:58:00.000Z", "2026-12-01T00:02:00.000Z", accepted]
  ]
  for (const [rule, now, timestamp, fate] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assert.deepStrictEqual(yield* fates([record(at(timestamp))]), fate)
      }).pipe(sandboxed)
    )
  }
})

describe("what refuses the whole call, and stores nothing", () => {
  const cases: ReadonlyArray<
    readonly [rule: string, odd: Parameters<typeof record>[1], productCode: string | null, string]
  > = [
    [
      "an old timestamp",
      { timestamp: at("2026-11-20T00:00:00Z") },
      analytics,
      "TimestampOutOfBoundsException"
    ],
    ["an unknown dimension", { dimension: "calls" }, analytics, "InvalidUsageDimensionException"],
    [
      "a dimension in other case",
      { dimension: "API-calls" },
      analytics,
      "InvalidUsageDimensionException"
    ],
    [
      "another product's dimension",
      { dimension: "pods" },
      analytics,
      "InvalidUsageDimensionException"
    ],
    ["an unknown product", {}, "nothing-of-ours", "InvalidProductCodeException"],
    ["a product code in other case", {}, "Sandbox-Analytics", "InvalidProductCodeException"]
  ]
  for (const [rule, odd, productCode, code] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const good = record(recent)
        assert.strictEqual(yield* fates([good, record(recent, odd)], productCode), code)
        assert.strictEqual(yield* fates([record(recent, odd), good], productCode), code)
        assert.deepStrictEqual(yield* billed, [])
      }).pipe(sandboxed)
    )
  }

  const licences = [
    ["an unknown licence", { licenseArn: acmeLicence.replace(/a1$/, "ff") }],
    ["another customer's licence", { licenseArn: globexLicence }],
    [
      "a licence of an unknown customer",
      { licenseArn: acmeLicence, customerAWSAccountId: stranger }
    ]
  ] as const
  for (const [rule, odd] of licences) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const good = record(recent, { licenseArn: acmeLicence })
        assert.strictEqual(
          yield* fates([good, record(recent, odd)], null),
          "InvalidLicenseException"
        )
        assert.deepStrictEqual(yield* billed, [])
      }).pipe(sandboxed)
    )
  }

  it.effect("a product of another Region", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* fates([record(recent)]), "InvalidProductCodeException")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          products: [{ code: analytics, dimensions: ["api-calls"], region: "eu-west-1" }],
          customers: [{ customerAWSAccountId: acme, agreements: [{ productCode: analytics }] }]
        })
      )
    )
  )

  it.effect("the same check comes first, whatever the order of records", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const wrong = record(recent, { dimension: "calls" })
      const old = record(at("2026-11-20T00:00:00Z"))
      assert.strictEqual(yield* fates([wrong, old]), "TimestampOutOfBoundsException")
      assert.strictEqual(yield* fates([old, wrong]), "TimestampOutOfBoundsException")
    }).pipe(sandboxed)
  )
})

describe("what becomes of each record alone", () => {
  it.effect("success, duplicate and not subscribed, in the order of the call", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(recent, { dimension: "seats", quantity: 5 })])
      const response = yield* batch([
        record(recent, { customerAWSAccountId: stranger }),
        record(recent, { dimension: "seats", quantity: 6 }),
        record(recent, { customerAWSAccountId: "444455556666" }),
        record(recent, { dimension: "seats", quantity: 5 }),
        record(recent, { customerIdentifier: "cust-globex", dimension: "events", quantity: 0 })
      ])
      assert.deepStrictEqual(
        response.results.map(({ meteringRecordId, status }) => [status, meteringRecordId?.length]),
        [
          ["CustomerNotSubscribed", undefined],
          ["DuplicateRecord", undefined],
          ["CustomerNotSubscribed", undefined],
          ["Success", 36],
          ["Success", 36]
        ]
      )
      assert.deepStrictEqual(
        response.results.map(({ usageRecord }) => usageRecord?.quantity),
        [1, 6, 1, 5, 0]
      )
      assert.deepStrictEqual(response.unprocessedRecords, [])
      assert.match(response.requestId ?? "", /^sandbox-\d{12}$/)
      assert.strictEqual(response.statusCode, 200)
      assert.deepStrictEqual(yield* billed, [
        `${analytics} 111122223333 seats 2026-11-24T10:00:00.000Z 5`,
        `${analytics} 222233334444 events 2026-11-24T10:00:00.000Z 0`
      ])
    }).pipe(sandboxed)
  )

  const edges: ReadonlyArray<readonly [string, string, string, Array<string>]> = [
    [
      "the same hour, first and last instant",
      "2026-11-24T09:00:00.000Z",
      "2026-11-24T09:59:59.999Z",
      ["DuplicateRecord"]
    ],
    ["the next hour", "2026-11-24T09:59:59.999Z", "2026-11-24T10:00:00.000Z", ["Success"]]
  ]
  for (const [rule, first, second, fate] of edges) {
    it.effect(`${rule}: ${fate}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        yield* batch([record(at(first), { quantity: 1 })])
        assert.deepStrictEqual(yield* fates([record(at(second), { quantity: 2 })]), fate)
      }).pipe(sandboxed)
    )
  }

  it.effect("identical after rounding is the same metering record", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const ids = yield* Effect.forEach(["10:00:00.000Z", "10:29:59.999Z"], (time) =>
        Effect.map(
          batch([record(at(`2026-11-24T${time}`))]),
          ({ results }) => results[0]?.meteringRecordId
        )
      )
      assert.isString(ids[0])
      assert.strictEqual(ids[0], ids[1])
    }).pipe(sandboxed)
  )

  it.effect("both identities of a customer are one customer", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(recent, { quantity: 1 })])
      assert.deepStrictEqual(
        yield* fates([record(recent, { customerIdentifier: "cust-acme", quantity: 2 })]),
        ["DuplicateRecord"]
      )
    }).pipe(sandboxed)
  )

  it.effect("a product code and a licence for the same hour are billed twice", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(recent, { quantity: 7 })])
      assert.deepStrictEqual(
        yield* fates([record(recent, { quantity: 7, licenseArn: acmeLicence })], null),
        ["Success"]
      )
      assert.deepStrictEqual(yield* billed, [
        `${analytics} ${acme} api-calls 2026-11-24T10:00:00.000Z 14`
      ])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const records = yield* sandbox.records
      assert.deepStrictEqual(
        new Set(records.map((one) => one.licenseArn)),
        new Set([undefined, acmeLicence])
      )
    }).pipe(sandboxed)
  )

  const { Tag, UsageAllocation: Allocation } = UsageAllocation
  const team = (name: string, allocatedUsageQuantity: number, ...more: ReadonlyArray<string>) =>
    new Allocation({
      allocatedUsageQuantity,
      tags: [
        new Tag({ key: "team", value: name }),
        ...more.map((value) => new Tag({ key: "more", value }))
      ]
    })

  it.effect("the same allocations in another order are the same usage", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const both = [team("a", 1, "x"), team("b", 2)] as const
      yield* batch([record(recent, { quantity: 3, usageAllocations: both })])
      assert.deepStrictEqual(
        yield* fates([record(recent, { quantity: 3, usageAllocations: [both[1], both[0]] })]),
        ["Success"]
      )
    }).pipe(sandboxed)
  )

  it.effect("the same quantity with other allocations is a duplicate", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([
        record(recent, { quantity: 3, usageAllocations: [team("a", 1), team("b", 2)] })
      ])
      for (const usageAllocations of [[team("a", 2), team("b", 1)], [team("a", 3)]] as const) {
        assert.deepStrictEqual(yield* fates([record(recent, { quantity: 3, usageAllocations })]), [
          "DuplicateRecord"
        ])
      }
      assert.deepStrictEqual(yield* fates([record(recent, { quantity: 3 })]), ["DuplicateRecord"])
    }).pipe(sandboxed)
  )
})

describe("the limits of a call", () => {
  const records = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      record(DateTime.subtract(recent, { hours: index % 20 }))
    )

  it.effect("no records, and 25", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.deepStrictEqual(yield* fates([]), [])
      assert.deepStrictEqual(yield* fates([], null), [])
      assert.strictEqual(yield* fates([], "unknown"), "InvalidProductCodeException")
      assert.lengthOf(yield* fates(records(25)), 25)
    }).pipe(sandboxed)
  )

  it.effect("26 are bad input, and the service's own refusal where the client does not look", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* fates(records(26)), "InvalidInputError")
      assert.strictEqual(
        yield* fates(records(26)).pipe(
          Effect.provide(MeteringSandbox.layer({ except: ["recordCount"] }))
        ),
        "ValidationException"
      )
      assert.deepStrictEqual(yield* billed, [])
    }).pipe(sandboxed)
  )
})

it.effect("usage is remembered at once: concurrent calls of one key bill one of them", () =>
  Effect.gen(function* () {
    yield* setTime(now)
    const outcomes = yield* Effect.forEach(
      Array.from({ length: 50 }, (_, index) => index),
      (quantity) => fates([record(recent, { quantity })]),
      { concurrency: "unbounded" }
    )
    assert.lengthOf(
      outcomes.filter((fate) => Equal.equals(fate[0], "Success")),
      1
    )
    assert.lengthOf(yield* billed, 1)
  }).pipe(sandboxed)
)

it.effect("ten thousand records stay fast", () =>
  Effect.gen(function* () {
    yield* setTime(now)
    const client = yield* MeteringClient
    for (let call = 0; call < 400; call++) {
      yield* client.batchMeterUsage({
        productCode: analytics,
        usageRecords: Array.from({ length: 25 }, (_, index) =>
          record(recent, { customerAWSAccountId: `${call * 25 + index}`, quantity: 2 })
        )
      })
    }
    assert.lengthOf(yield* billed, 10_000)
  }).pipe(
    Effect.provide(
      MeteringSandbox.layer({
        customers: Array.from({ length: 10_000 }, (_, index) => ({
          customerAWSAccountId: `${index}`,
          agreements: [{ productCode: analytics }]
        }))
      })
    )
  )
)
