import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Equal, Schema } from "effect"
import * as BatchMeterUsage from "../../../../src/BatchMeterUsage.js"
import { MeteringClient } from "../../../../src/MeteringClient.js"
import type { Rule } from "../../../../src/Preflight.js"
import { MeteringSandbox, type Scenario } from "../../../../src/sandbox/index.js"
import * as UsageAllocation from "../../../../src/UsageAllocation.js"
import {
  acme,
  acmeLicense,
  analytics,
  at,
  batch,
  billed,
  container,
  globexLicense,
  record,
  setTime,
  statusesOf,
  unknownAccount
} from "../../support.js"

const sandboxed = Effect.provide(MeteringSandbox.layer())
const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

describe("the window of BatchMeterUsage", () => {
  const accepted = ["Success"]
  const rejected = "TimestampOutOfBoundsException"
  const cases: ReadonlyArray<readonly [rule: string, now: string, timestamp: string, unknown]> = [
    ["24 h back, last instant", now, "2026-11-23T10:30:00.001Z", accepted],
    ["24 h back, exactly", now, "2026-11-23T10:30:00.000Z", rejected],
    ["now", now, now, accepted],
    ["5 min ahead, exactly", now, "2026-11-24T10:35:00.000Z", accepted],
    ["more than 5 min ahead", now, "2026-11-24T10:35:00.001Z", rejected],
    ["last month before 06:00", "2026-12-01T05:59:59.999Z", "2026-11-30T23:59:59.999Z", accepted],
    ["last month at 06:00", "2026-12-01T06:00:00.000Z", "2026-11-30T23:59:59.999Z", rejected],
    ["this month at 06:00", "2026-12-01T06:00:00.000Z", "2026-12-01T00:00:00.000Z", accepted],
    ["last year before 06:00", "2027-01-01T05:59:59.999Z", "2026-12-31T12:00:00.000Z", accepted],
    ["last year at 06:00", "2027-01-01T06:00:00.000Z", "2026-12-31T23:59:59.999Z", rejected],
    ["last month, beyond 24 h", "2026-12-01T05:00:00.000Z", "2026-11-30T05:00:00.000Z", rejected],
    ["29 February before 06:00", "2028-03-01T05:59:59.999Z", "2028-02-29T23:59:59.999Z", accepted],
    ["29 February at 06:00", "2028-03-01T06:00:00.000Z", "2028-02-29T23:59:59.999Z", rejected],
    ["28 February on the 29th", "2028-02-29T06:00:00.000Z", "2028-02-28T12:00:00.000Z", accepted],
    [
      "28 February of another year",
      "2027-03-01T06:00:00.000Z",
      "2027-02-28T12:00:00.000Z",
      rejected
    ],
    ["this year at 06:00", "2027-01-01T06:00:00.000Z", "2027-01-01T00:00:00.000Z", accepted],
    ["last year, beyond 24 h", "2027-01-01T05:00:00.000Z", "2026-12-31T05:00:00.000Z", rejected],
    ["next month, ahead", "2026-11-30T23:58:00.000Z", "2026-12-01T00:02:00.000Z", accepted]
  ]
  for (const [rule, now, timestamp, expected] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assert.deepStrictEqual(yield* statusesOf([record(at(timestamp))]), expected)
      }).pipe(sandboxed)
    )
  }
})

describe("rule windowBoundary: hour measures from the start of the current hour, and rejects nothing more", () => {
  const accepted = ["Success"]
  const rejected = "TimestampOutOfBoundsException"
  const cases: ReadonlyArray<readonly [rule: string, now: string, timestamp: string, unknown]> = [
    ["first moment", now, "2026-11-23T10:00:00.000Z", accepted],
    ["a moment before", now, "2026-11-23T09:59:59.999Z", rejected],
    ["on the hour", "2026-11-24T10:00:00.000Z", "2026-11-23T10:00:00.000Z", accepted],
    ["before the hour", "2026-11-24T09:59:59.999Z", "2026-11-23T09:00:00.000Z", accepted],
    ["rejected by exact", "2026-11-24T10:59:59.999Z", "2026-11-23T10:00:00.000Z", accepted],
    ["last month at 05:59", "2026-12-01T05:59:59.999Z", "2026-11-30T23:59:59.999Z", accepted]
  ]
  for (const [rule, now, timestamp, expected] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assert.deepStrictEqual(yield* statusesOf([record(at(timestamp))]), expected)
      }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { windowBoundary: "hour" } })))
    )
  }
})

describe("rule futureTolerance", () => {
  const cases: ReadonlyArray<
    readonly [Scenario.ServiceBehavior["futureTolerance"], string, unknown]
  > = [
    ["0 millis", "2026-11-24T10:30:00.000Z", ["Success"]],
    ["0 millis", "2026-11-24T10:30:00.001Z", "TimestampOutOfBoundsException"],
    ["1 hour", "2026-11-24T11:30:00.000Z", ["Success"]],
    ["1 hour", "2026-11-24T11:30:00.001Z", "TimestampOutOfBoundsException"]
  ]
  for (const [futureTolerance, timestamp, expected] of cases) {
    it.effect(`${futureTolerance}: ${timestamp}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assert.deepStrictEqual(yield* statusesOf([record(at(timestamp))]), expected)
      }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { futureTolerance } })))
    )
  }
})

describe("the life of an agreement, with its license and without", () => {
  const ten = at("2026-11-24T10:00:00Z")
  const noon = at("2026-11-24T12:00:00Z")
  const half = at("2026-11-24T12:30:00Z")
  type Times = Partial<Scenario.Agreement>
  const cases: ReadonlyArray<readonly [stage: string, Times, now: string, isTaken: boolean]> = [
    ["pending, last instant", { startsAt: noon }, "11:59:59.999", false],
    ["active, first instant", { startsAt: noon }, "12:00:00.000", true],
    ["active, last instant", { cancelledAt: noon }, "11:59:59.999", true],
    ["cancelled, first instant", { cancelledAt: noon }, "12:00:00.000", true],
    ["cancelled, last instant of the last hour", { cancelledAt: noon }, "12:59:59.999", true],
    ["cancelled an hour ago", { cancelledAt: noon }, "13:00:00.000", false],
    ["active, last instant before its end", { endsAt: noon }, "11:59:59.999", true],
    ["ended", { endsAt: noon }, "12:00:00.000", false],
    ["ended in its last hour", { cancelledAt: noon, endsAt: half }, "12:30:00.000", false],
    ["not yet ended in its last hour", { cancelledAt: noon, endsAt: half }, "12:29:59.999", true],
    ["cancelled after its start", { startsAt: ten, cancelledAt: noon }, "12:30:00.000", true],
    ["cancelled before its start", { startsAt: half, cancelledAt: noon }, "12:15:00.000", false],
    ["cancelled before, and past it", { startsAt: half, cancelledAt: noon }, "12:45:00.000", false]
  ]
  for (const [stage, times, time, isTaken] of cases) {
    it.effect(`${stage}: ${isTaken ? "usage is taken" : "no usage is taken"}`, () =>
      Effect.gen(function* () {
        yield* setTime(`2026-11-24T${time}Z`)
        const usage = yield* DateTime.now
        assert.deepStrictEqual(
          [
            yield* statusesOf([record(usage, { licenseArn: acmeLicense })], null),
            yield* statusesOf([record(usage)])
          ],
          isTaken
            ? [["Success"], ["Success"]]
            : ["InvalidLicenseException", ["CustomerNotSubscribed"]]
        )
      }).pipe(
        Effect.provide(
          MeteringSandbox.layer({
            products: [{ code: analytics, dimensions: ["api-calls"] }],
            customers: [
              {
                customerAWSAccountId: acme,
                agreements: [{ productCode: analytics, licenseArn: acmeLicense, ...times }]
              }
            ]
          })
        )
      )
    )
  }

  it.effect("it is judged at the time of the call, not of the usage", () =>
    Effect.gen(function* () {
      const before = at("2026-11-24T11:00:00Z")
      yield* setTime("2026-11-24T13:00:00Z")
      assert.deepStrictEqual(yield* statusesOf([record(before)]), ["CustomerNotSubscribed"])
      yield* setTime("2026-11-24T12:59:59.999Z")
      assert.deepStrictEqual(yield* statusesOf([record(before)]), ["Success"])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          customers: [
            {
              customerAWSAccountId: acme,
              agreements: [{ productCode: analytics, cancelledAt: noon }]
            }
          ]
        })
      )
    )
  )

  it.effect("of two agreements for a product, one that takes usage is enough", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.deepStrictEqual(yield* statusesOf([record(recent)]), ["Success"])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          customers: [
            {
              customerAWSAccountId: acme,
              agreements: [
                { productCode: analytics, endsAt: recent },
                { productCode: analytics, startsAt: recent }
              ]
            }
          ]
        })
      )
    )
  )

  it.effect("a suspended account is not subscribed, whatever it has, until it is resumed", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const both = Effect.all([
        statusesOf([record(recent)]),
        statusesOf([record(recent, { licenseArn: acmeLicense })], null)
      ])
      yield* sandbox.marketplace.suspend({ customerAWSAccountId: acme })
      assert.deepStrictEqual(yield* both, [["CustomerNotSubscribed"], ["CustomerNotSubscribed"]])
      yield* sandbox.marketplace.resume({ customerIdentifier: "cust-acme" })
      assert.deepStrictEqual(yield* both, [["Success"], ["Success"]])
    }).pipe(sandboxed)
  )
})

describe("rule unknownCustomer", () => {
  const both = [record(recent), record(recent, { customerAWSAccountId: unknownAccount })]
  it.effect("CustomerNotSubscribed is the status of an unknown customer by default", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.deepStrictEqual(yield* statusesOf(both), ["Success", "CustomerNotSubscribed"])
    }).pipe(sandboxed)
  )

  it.effect("InvalidCustomerIdentifierException rejects the whole call", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* statusesOf(both), "InvalidCustomerIdentifierException")
      assert.deepStrictEqual(yield* billed, [])
      // a customer that is known and has no agreement is another thing
      assert.deepStrictEqual(
        yield* statusesOf([record(recent, { customerIdentifier: "cust-initech" })]),
        ["CustomerNotSubscribed"]
      )
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({ rules: { unknownCustomer: "InvalidCustomerIdentifierException" } })
      )
    )
  )
})

describe("errors that reject the whole call, and store nothing", () => {
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
        assert.strictEqual(yield* statusesOf([good, record(recent, odd)], productCode), code)
        assert.strictEqual(yield* statusesOf([record(recent, odd), good], productCode), code)
        assert.deepStrictEqual(yield* billed, [])
      }).pipe(sandboxed)
    )
  }

  const licenses = [
    ["an unknown license", { licenseArn: acmeLicense.replace(/a1$/, "ff") }],
    ["another customer's license", { licenseArn: globexLicense }],
    [
      "a license of an unknown customer",
      { licenseArn: acmeLicense, customerAWSAccountId: unknownAccount }
    ]
  ] as const
  for (const [rule, odd] of licenses) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const good = record(recent, { licenseArn: acmeLicense })
        assert.strictEqual(
          yield* statusesOf([good, record(recent, odd)], null),
          "InvalidLicenseException"
        )
        assert.deepStrictEqual(yield* billed, [])
      }).pipe(sandboxed)
    )
  }

  it.effect("a product of another Region", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* statusesOf([record(recent)]), "InvalidProductCodeException")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          products: [{ code: analytics, dimensions: ["api-calls"], region: "eu-west-1" }],
          customers: [{ customerAWSAccountId: acme, agreements: [{ productCode: analytics }] }]
        })
      )
    )
  )

  describe("the checks have an order, whatever the order of records", () => {
    const emptyTag = [
      new UsageAllocation.UsageAllocation({
        allocatedUsageQuantity: 1,
        tags: [new UsageAllocation.Tag({ key: "team", value: "" })]
      })
    ] as const
    const faults: ReadonlyArray<readonly [code: string, Parameters<typeof record>[1]]> = [
      ["TimestampOutOfBoundsException", { timestamp: at("2026-11-20T00:00:00Z") }],
      ["InvalidLicenseException", { licenseArn: globexLicense }],
      ["InvalidUsageDimensionException", { dimension: "calls" }],
      ["InvalidTagException", { usageAllocations: emptyTag }]
    ]
    const licensed = { licenseArn: acmeLicense }
    for (const [index, [first, one]] of faults.entries()) {
      for (const [second, other] of faults.slice(index + 1)) {
        it.effect(`${first} before ${second}`, () =>
          Effect.gen(function* () {
            yield* setTime(now)
            const [left, right] = [one, other].map((odd) => record(recent, { ...licensed, ...odd }))
            if (left === undefined || right === undefined) return assert.fail()
            for (const records of [
              [left, right],
              [right, left],
              [record(recent, { ...licensed, ...other, ...one })]
            ]) {
              assert.strictEqual(yield* statusesOf(records, null), first)
            }
            assert.strictEqual(yield* statusesOf([right], null), second)
            assert.deepStrictEqual(yield* billed, [])
          }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { emptyTagValue: "rejected" } })))
        )
      }
    }
  })

  it.effect("checks come before the results of duplicates and unknown customers", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(recent, { quantity: 1 })])
      const bad = record(recent, { dimension: "calls" })
      for (const other of [{ quantity: 2 }, { customerAWSAccountId: unknownAccount }]) {
        assert.strictEqual(
          yield* statusesOf([record(recent, other), bad]),
          "InvalidUsageDimensionException"
        )
      }
      // the dimension of a record that is not billed is checked too
      assert.strictEqual(
        yield* statusesOf([
          record(recent, { customerAWSAccountId: unknownAccount, dimension: "calls" })
        ]),
        "InvalidUsageDimensionException"
      )
    }).pipe(sandboxed)
  )
})

describe("allocations and tags, where the client does not look", () => {
  const { Tag, UsageAllocation: Allocation } = UsageAllocation
  type Split = ReadonlyArray<readonly [quantity: number, tags: Readonly<Record<string, string>>]>
  const allocationsOf = (split: Split) =>
    split.map(
      ([allocatedUsageQuantity, tags]) =>
        new Allocation(
          {
            allocatedUsageQuantity,
            ...(Object.keys(tags).length > 0 && {
              tags: Object.entries(tags).map(([key, value]) => new Tag({ key, value }, true))
            })
          } as never,
          true
        )
    )
  const keys = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, "v"]))
  const each = (count: number): Split =>
    Array.from({ length: count }, (_, index) => [1, { k: String(index) }])

  const cases: ReadonlyArray<readonly [rule: Rule, what: string, Split, expected: unknown]> = [
    [
      "allocationSum",
      "the sum",
      [
        [2, { a: "b" }],
        [1, {}]
      ],
      ["Success"]
    ],
    ["allocationSum", "one too few", [[2, { a: "b" }]], "InvalidUsageAllocationsException"],
    ["allocationSum", "one too many", [[4, { a: "b" }]], "InvalidUsageAllocationsException"],
    [
      "allocationTagSets",
      "other values",
      [
        [1, { a: "b" }],
        [2, { a: "c" }]
      ],
      ["Success"]
    ],
    [
      "allocationTagSets",
      "the same set twice",
      [
        [1, { a: "b", c: "d" }],
        [2, { c: "d", a: "b" }]
      ],
      "InvalidUsageAllocationsException"
    ],
    [
      "allocationTagSets",
      "untagged twice",
      [
        [1, {}],
        [2, {}]
      ],
      "InvalidUsageAllocationsException"
    ],
    ["tagCount", "5 tags", [[3, keys(5)]], ["Success"]],
    ["tagCount", "6 tags", [[3, keys(6)]], "InvalidTagException"],
    [
      "allocationTagKeys",
      "5 keys over all",
      [
        [1, keys(4)],
        [2, { x: "y" }]
      ],
      ["Success"]
    ],
    [
      "allocationTagKeys",
      "6 keys over all",
      [
        [1, keys(5)],
        [2, { x: "y" }]
      ],
      "InvalidUsageAllocationsException"
    ],
    ["tagKey", "100 characters", [[3, { ["k".repeat(100)]: "v" }]], ["Success"]],
    ["tagKey", "101 characters", [[3, { ["k".repeat(101)]: "v" }]], "InvalidTagException"],
    ["tagKey", "another character", [[3, { "k?": "v" }]], "InvalidTagException"],
    ["tagValue", "256 characters", [[3, { k: "v".repeat(256) }]], ["Success"]],
    ["tagValue", "257 characters", [[3, { k: "v".repeat(257) }]], "InvalidTagException"],
    ["tagValue", "no character", [[3, { k: "" }]], ["Success"]]
  ]
  for (const [rule, what, split, expected] of cases) {
    it.effect(`${rule}: ${what}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const usageAllocations = allocationsOf(split) as never
        assert.deepStrictEqual(
          yield* statusesOf([record(recent, { quantity: 3, usageAllocations })]),
          expected
        )
      }).pipe(
        Effect.provide(
          // a sixth tag is a sixth key as well
          MeteringSandbox.layer({ skipRules: [rule, "allocationTagKeys"] })
        )
      )
    )
  }

  const counts: ReadonlyArray<readonly [number, unknown]> = [
    [2500, ["Success"]],
    [2501, "InvalidUsageAllocationsException"]
  ]
  for (const [count, expected] of counts) {
    it.effect(`allocationCount: ${count}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const usageAllocations = allocationsOf(each(count)) as never
        assert.deepStrictEqual(
          yield* statusesOf([record(recent, { quantity: count, usageAllocations })]),
          expected
        )
      }).pipe(Effect.provide(MeteringSandbox.layer({ skipRules: ["allocationCount"] })))
    )
  }

  it.effect("rule emptyTagValue: rejected", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const values: ReadonlyArray<readonly [string, unknown]> = [
        ["", "InvalidTagException"],
        [" ", ["Success"]]
      ]
      for (const [value, expected] of values) {
        const usageAllocations = allocationsOf([[3, { k: value }]]) as never
        assert.deepStrictEqual(
          yield* statusesOf([record(recent, { quantity: 3, usageAllocations })]),
          expected
        )
      }
    }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { emptyTagValue: "rejected" } })))
  )
})

describe("what becomes of each record alone", () => {
  it.effect("success, duplicate and not subscribed, in the order of the call", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(recent, { dimension: "seats", quantity: 5 })])
      const response = yield* batch([
        record(recent, { customerAWSAccountId: unknownAccount }),
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
  for (const [rule, first, second, expected] of edges) {
    it.effect(`${rule}: ${expected}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        yield* batch([record(at(first), { quantity: 1 })])
        assert.deepStrictEqual(yield* statusesOf([record(at(second), { quantity: 2 })]), expected)
      }).pipe(sandboxed)
    )
  }

  it.effect("hours are of UTC, across the year's end", () =>
    Effect.gen(function* () {
      yield* setTime("2027-01-01T00:30:00Z")
      yield* batch([record(at("2026-12-31T23:59:59.999Z"), { quantity: 1 })])
      yield* batch([record(at("2027-01-01T00:00:00.000Z"), { quantity: 2 })])
      assert.deepStrictEqual(yield* billed, [
        `${analytics} ${acme} api-calls 2026-12-31T23:00:00.000Z 1`,
        `${analytics} ${acme} api-calls 2027-01-01T00:00:00.000Z 2`
      ])
    }).pipe(sandboxed)
  )

  it.effect("the first write wins, and stays what is billed however often another is sent", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const send = (quantity: number) =>
        Effect.map(batch([record(recent, { quantity })]), ({ results }) => results[0])
      const first = yield* send(5)
      for (const quantity of [6, 0, 2_147_483_647, 6]) {
        assert.strictEqual((yield* send(quantity))?.status, "DuplicateRecord")
      }
      const again = yield* send(5)
      assert.deepStrictEqual(
        [again?.status, again?.meteringRecordId],
        ["Success", first?.meteringRecordId]
      )
      assert.deepStrictEqual(yield* billed, [
        `${analytics} ${acme} api-calls 2026-11-24T10:00:00.000Z 5`
      ])
    }).pipe(sandboxed)
  )

  it.effect("two quantities of one key in one call: the earlier usage wins, then the smaller", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const earlier = at("2026-11-24T10:04:00Z")
      assert.deepStrictEqual(
        yield* statusesOf([
          record(recent, { quantity: 1 }),
          record(earlier, { quantity: 9 }),
          record(recent, { dimension: "seats", quantity: 4 }),
          record(recent, { dimension: "seats", quantity: 3 })
        ]),
        ["DuplicateRecord", "Success", "DuplicateRecord", "Success"]
      )
    }).pipe(sandboxed)
  )

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
        yield* statusesOf([record(recent, { customerIdentifier: "cust-acme", quantity: 2 })]),
        ["DuplicateRecord"]
      )
    }).pipe(sandboxed)
  )

  it.effect("a product code and a license for the same hour are billed twice", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(recent, { quantity: 7 })])
      assert.deepStrictEqual(
        yield* statusesOf([record(recent, { quantity: 7, licenseArn: acmeLicense })], null),
        ["Success"]
      )
      assert.deepStrictEqual(yield* billed, [
        `${analytics} ${acme} api-calls 2026-11-24T10:00:00.000Z 14`
      ])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const records = yield* sandbox.report.records
      assert.deepStrictEqual(
        new Set(records.map((one) => one.licenseArn)),
        new Set([undefined, acmeLicense])
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
        yield* statusesOf([record(recent, { quantity: 3, usageAllocations: [both[1], both[0]] })]),
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
        assert.deepStrictEqual(
          yield* statusesOf([record(recent, { quantity: 3, usageAllocations })]),
          ["DuplicateRecord"]
        )
      }
      assert.deepStrictEqual(yield* statusesOf([record(recent, { quantity: 3 })]), [
        "DuplicateRecord"
      ])
    }).pipe(sandboxed)
  )

  it.effect("rule otherAllocations: same takes it for the same usage, and bills the first", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const first = [team("a", 1), team("b", 2)] as const
      yield* batch([record(recent, { quantity: 3, usageAllocations: first })])
      assert.deepStrictEqual(
        yield* statusesOf([record(recent, { quantity: 3, usageAllocations: [team("a", 3)] })]),
        ["Success"]
      )
      assert.deepStrictEqual(
        yield* statusesOf([record(recent, { quantity: 4, usageAllocations: [team("a", 4)] })]),
        ["DuplicateRecord"]
      )
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      assert.deepStrictEqual((yield* sandbox.report.records)[0]?.usageAllocations, first)
    }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { otherAllocations: "same" } })))
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
      assert.deepStrictEqual(yield* statusesOf([]), [])
      assert.deepStrictEqual(yield* statusesOf([], null), [])
      assert.strictEqual(yield* statusesOf([], "unknown"), "InvalidProductCodeException")
      assert.lengthOf(yield* statusesOf(records(25)), 25)
    }).pipe(sandboxed)
  )

  it.effect("26 are bad input, and rejected by the service if the client skips that rule", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* statusesOf(records(26)), "InvalidInputError")
      assert.strictEqual(
        yield* statusesOf(records(26)).pipe(
          Effect.provide(MeteringSandbox.layer({ skipRules: ["recordCount"] }))
        ),
        "ValidationException"
      )
      assert.deepStrictEqual(yield* billed, [])
    }).pipe(sandboxed)
  )
})

describe("rule requestSizeLimit", () => {
  const encode = Schema.encodeSync(BatchMeterUsage.BatchMeterUsageRequest)
  const bytesOf = (fields: BatchMeterUsage.Input) =>
    new TextEncoder().encode(JSON.stringify(encode(BatchMeterUsage.make(fields)))).length

  for (const dimension of ["requests", "requêtes", "要求"]) {
    it.effect(`is counted in bytes: ${dimension}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const fields = { productCode: "p", usageRecords: [record(recent, { dimension })] }
        const bytes = bytesOf(fields)
        const statusesAt = (requestSizeLimit: number) =>
          statusesOf(fields.usageRecords, "p").pipe(
            Effect.provide(
              MeteringSandbox.layer({
                products: [{ code: "p", dimensions: [dimension] }],
                customers: [{ customerAWSAccountId: acme, agreements: [{ productCode: "p" }] }],
                rules: { requestSizeLimit }
              })
            )
          )
        assert.deepStrictEqual(yield* statusesAt(bytes + 1), ["Success"])
        assert.strictEqual(yield* statusesAt(bytes), "RequestEntityTooLargeException")
      })
    )
  }

  const { Tag, UsageAllocation: Allocation } = UsageAllocation
  /** A request of so many bytes, by way of the values of tags. */
  const ofBytes = (bytes: number) => {
    let room = 0
    const fields = () => {
      let left = room
      const value = () => {
        const length = Math.min(left, 250)
        left -= length
        return "v".repeat(length)
      }
      const allocations = Array.from(
        { length: 2400 },
        (_, index) =>
          new Allocation({
            allocatedUsageQuantity: 1,
            tags: [
              new Tag({ key: "n", value: String(index) }),
              ...["a", "b"].map((key) => new Tag({ key, value: value() }))
            ]
          })
      )
      return {
        productCode: analytics,
        usageRecords: [record(recent, { quantity: 2400, usageAllocations: allocations as never })]
      }
    }
    room = bytes - bytesOf(fields())
    return fields()
  }

  it.effect("999 999 bytes are taken, and a million are not, by client and sandbox alike", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const most = ofBytes(999_999)
      const tooMany = ofBytes(1_000_000)
      assert.deepStrictEqual([bytesOf(most), bytesOf(tooMany)], [999_999, 1_000_000])
      assert.strictEqual(
        yield* Effect.provide(statusesOf(tooMany.usageRecords), MeteringSandbox.layer()),
        "InvalidInputError"
      )
      const unlooked = Effect.provide(MeteringSandbox.layer({ skipRules: ["requestSize"] }))
      assert.strictEqual(
        yield* unlooked(statusesOf(tooMany.usageRecords)),
        "RequestEntityTooLargeException"
      )
      assert.deepStrictEqual(yield* unlooked(statusesOf(most.usageRecords)), ["Success"])
    })
  )
})

it.effect("usage is remembered at once: concurrent calls of one key bill one of them", () =>
  Effect.gen(function* () {
    yield* setTime(now)
    const outcomes = yield* Effect.forEach(
      Array.from({ length: 50 }, (_, index) => index),
      (quantity) => statusesOf([record(recent, { quantity })]),
      { concurrency: "unbounded" }
    )
    assert.lengthOf(
      outcomes.filter((statuses) => Equal.equals(statuses[0], "Success")),
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

describe("a call with licenses of two products", () => {
  const licenses = {
    analytics: "arn:aws:license-manager::000000000000:license:l-1",
    container: "arn:aws:license-manager::000000000000:license:l-2"
  }
  const scenario = {
    customers: [
      {
        customerAWSAccountId: acme,
        agreements: [
          { productCode: analytics, licenseArn: licenses.analytics },
          { productCode: container, licenseArn: licenses.container }
        ]
      }
    ]
  }
  const mixed = Effect.gen(function* () {
    yield* setTime(now)
    const two = [
      record(recent, { licenseArn: licenses.analytics }),
      record(recent, { licenseArn: licenses.container, dimension: "pods" })
    ]
    return [
      yield* statusesOf(two, null),
      yield* statusesOf([...two].reverse(), null),
      yield* billed,
      yield* statusesOf(two.slice(0, 1), null),
      yield* statusesOf(two.slice(1), null)
    ]
  })

  it.effect("is rejected as a whole in any order; each alone is accepted", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* mixed, [
        "InvalidLicenseException",
        "InvalidLicenseException",
        [],
        ["Success"],
        ["Success"]
      ])
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )

  it.effect("gets the exception that rule mixedProducts names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* mixed).slice(0, 3), [
        "InvalidProductCodeException",
        "InvalidProductCodeException",
        []
      ])
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          ...scenario,
          rules: { mixedProducts: "InvalidProductCodeException" }
        })
      )
    )
  )
})

describe("usage before the end of an agreement", () => {
  it.effect("is accepted for one more hour", () =>
    Effect.gen(function* () {
      const usage = record(at("2026-11-24T11:59:59.999Z"))
      const licensed = { ...usage, licenseArn: acmeLicense, quantity: 2 }
      const cases: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]> = [
        ["12:59:59.999", [["Success"], ["Success"]]],
        ["13:00:00.000", [["CustomerNotSubscribed"], "InvalidLicenseException"]]
      ]
      for (const [time, expected] of cases) {
        yield* setTime(`2026-11-24T${time}Z`)
        const statuses: ReadonlyArray<unknown> = [
          yield* statusesOf([usage]),
          yield* statusesOf([licensed], null)
        ]
        assert.deepStrictEqual(statuses, expected)
      }
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          customers: [
            {
              customerAWSAccountId: acme,
              agreements: [
                {
                  productCode: analytics,
                  licenseArn: acmeLicense,
                  endsAt: at("2026-11-24T12:00:00Z")
                }
              ]
            }
          ]
        })
      )
    )
  )
})

describe("usage dated before its agreement began, or at its end", () => {
  const license = "arn:aws:license-manager::000000000000:license:l-1"
  const scenario = {
    customers: [
      {
        customerAWSAccountId: acme,
        agreements: [
          {
            productCode: analytics,
            licenseArn: license,
            startsAt: at("2026-11-24T10:05:00Z"),
            endsAt: at("2026-11-24T10:32:00Z")
          }
        ]
      }
    ]
  }
  const statusAt = (timestamp: string) =>
    Effect.gen(function* () {
      const usage = record(at(timestamp))
      return [
        yield* statusesOf([usage]),
        yield* statusesOf([{ ...usage, licenseArn: license }], null)
      ]
    })
  const taken = [["Success"], ["Success"]]
  const rejected = [["CustomerNotSubscribed"], "InvalidLicenseException"]

  it.effect("is not billed", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.deepStrictEqual(yield* statusAt("2026-11-24T10:04:59.999Z"), rejected)
      assert.deepStrictEqual(yield* statusAt("2026-11-24T10:32:00Z"), rejected)
      assert.deepStrictEqual(yield* billed, [])
      assert.deepStrictEqual(yield* statusAt("2026-11-24T10:05:00Z"), taken)
    }).pipe(Effect.provide(MeteringSandbox.layer(scenario)))
  )

  it.effect("is taken from the start of its hour on by rule windowBoundary: hour", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.deepStrictEqual(yield* statusAt("2026-11-24T09:59:59.999Z"), rejected)
      assert.deepStrictEqual(yield* statusAt("2026-11-24T10:00:00Z"), taken)
    }).pipe(
      Effect.provide(MeteringSandbox.layer({ ...scenario, rules: { windowBoundary: "hour" } }))
    )
  )

  it.effect("is not taken after a subscription that begins now", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { subscribe } = (yield* MeteringSandbox.MeteringSandbox).marketplace
      const account = { customerAWSAccountId: "444455556666" }
      yield* subscribe({ ...account, productCode: analytics })
      assert.deepStrictEqual(yield* statusesOf([record(recent, account)]), [
        "CustomerNotSubscribed"
      ])
      assert.deepStrictEqual(yield* statusesOf([record(at(now), account)]), ["Success"])
    }).pipe(Effect.provide(MeteringSandbox.layer()))
  )
})

it.effect("a tag's key twice in one allocation is rejected", () =>
  Effect.gen(function* () {
    yield* setTime(now)
    const tags = [
      new UsageAllocation.Tag({ key: "team", value: "a" }),
      new UsageAllocation.Tag({ key: "team", value: "b" })
    ] as const
    const usageAllocations = [
      new UsageAllocation.UsageAllocation({ allocatedUsageQuantity: 1, tags })
    ] as const
    assert.strictEqual(
      yield* statusesOf([record(recent, { usageAllocations })]),
      "InvalidTagException"
    )
    assert.deepStrictEqual(yield* billed, [])
  }).pipe(Effect.provide(MeteringSandbox.layer()))
)

it.effect("the id of a metering record is another one in another Region", () =>
  Effect.gen(function* () {
    const idIn = (region: string) =>
      Effect.gen(function* () {
        yield* setTime(now)
        const { results } = yield* batch([record(recent)])
        return results[0]?.meteringRecordId
      }).pipe(Effect.provide(MeteringSandbox.layer({ region })))
    assert.strictEqual(yield* idIn("us-east-1"), yield* idIn("us-east-1"))
    assert.notStrictEqual(yield* idIn("us-east-1"), yield* idIn("eu-west-1"))
  })
)
