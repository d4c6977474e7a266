import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import type * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import type { Rule } from "effect-marketplace-metering/Preflight"
import * as RegisterUsage from "effect-marketplace-metering/RegisterUsage"
import * as ResolveCustomer from "effect-marketplace-metering/ResolveCustomer"
import * as UsageAllocation from "effect-marketplace-metering/UsageAllocation"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import { clientLayer } from "./support/client.js"
import {
  batchMeterUsage,
  licenseArn,
  type MeteringOperationName,
  meterUsage,
  operations,
  productCode,
  record,
  registerUsage,
  resolveCustomer,
  timestamp
} from "./support/operations.js"
import { stubHttp } from "./support/stubHttp.js"

/** One constraint: values on either side of its boundary, and where they stand in a request. */
interface Constraint {
  readonly operation: MeteringOperationName
  readonly rule: Rule
  /** As the violation names it. */
  readonly field: string
  readonly index?: number
  readonly fields: (value: never) => object
  readonly good: ReadonlyArray<unknown>
  readonly bad: ReadonlyArray<unknown>
  /** The value in the violation of the first invalid value, if it is another one. */
  readonly shown?: unknown
}

const a = (length: number) => "a".repeat(length)

const brief = (length: number) => `${a(100)}… (${length} characters)`

/** One character, of which a string's length is 2. */
const astral = (count: number) => "\u{1f6d2}".repeat(count)

const quantities = {
  good: [0, 1, 2_147_483_647],
  bad: [-1, 2_147_483_648, 0.5, 2_147_483_647.5]
}

const productCodes = {
  good: ["a", a(255), "-aZ09/=:_.@"],
  bad: ["", a(256), "a b", "a+b", "é", "a\n"]
}

const inRecord = (changes: object) => ({
  productCode,
  usageRecords: [record, { ...record, ...changes }]
})

const withAllocations = (usageAllocations: ReadonlyArray<ReturnType<typeof allocation>>) =>
  inRecord({
    quantity: usageAllocations.reduce((sum, one) => sum + one.allocatedUsageQuantity, 0),
    usageAllocations
  })

const allocation = (
  quantity: number,
  ...tags: ReadonlyArray<readonly [key: string, value: string]>
) => ({
  allocatedUsageQuantity: quantity,
  ...(tags.length > 0 && { tags: tags.map(([key, value]) => ({ key, value })) })
})

const untagged = (count: number) =>
  Array.from({ length: count }, (_, i) => allocation(1, ["k", String(i)]))

const keys = (count: number) =>
  Array.from({ length: count }, (_, i) => allocation(1, [`k${i}`, "v"]))

const everyPunctuation = " !\"#$%&'()*+,-./0123456789:;<=._:/@\\"

const constraints: ReadonlyArray<Constraint> = [
  // BatchMeterUsage
  {
    operation: "BatchMeterUsage",
    rule: "recordCount",
    field: "usageRecords",
    fields: (count: number) => ({
      productCode,
      usageRecords: Array.from({ length: count }, () => record)
    }),
    good: [0, 1, 25],
    bad: [26, 100],
    shown: "a list of 26"
  },
  {
    operation: "BatchMeterUsage",
    rule: "productCode",
    field: "productCode",
    fields: (productCode: unknown) => ({ productCode, usageRecords: [record] }),
    ...productCodes
  },
  {
    operation: "BatchMeterUsage",
    rule: "productCodeOrLicense",
    field: "licenseArn",
    index: 1,
    fields: ({ code, licenses }: { code: boolean; licenses: ReadonlyArray<boolean> }) => ({
      ...(code && { productCode }),
      usageRecords: licenses.map((licensed) => ({
        ...record,
        ...(licensed && { licenseArn })
      }))
    }),
    good: [
      { code: true, licenses: [false, false] },
      { code: false, licenses: [true, true] },
      { code: false, licenses: [] }
    ],
    bad: [
      { code: true, licenses: [false, true] },
      { code: false, licenses: [true, false] }
    ],
    shown: licenseArn
  },
  {
    operation: "BatchMeterUsage",
    rule: "oneCustomerIdentity",
    field: "customerIdentifier",
    index: 1,
    fields: (identity: object) => ({
      productCode,
      usageRecords: [record, { timestamp, dimension: "d", quantity: 1, ...identity }]
    }),
    good: [{ customerIdentifier: "c" }, { customerAWSAccountId: "1" }],
    bad: [{ customerIdentifier: "c", customerAWSAccountId: "1" }],
    shown: "c"
  },
  {
    operation: "BatchMeterUsage",
    rule: "oneCustomerIdentity",
    field: "customerAWSAccountId",
    index: 1,
    fields: (identity: object) => ({
      productCode,
      usageRecords: [record, { timestamp, dimension: "d", quantity: 1, ...identity }]
    }),
    good: [],
    bad: [{}],
    shown: undefined
  },
  {
    operation: "BatchMeterUsage",
    rule: "dimension",
    field: "dimension",
    index: 1,
    fields: (dimension: unknown) => inRecord({ dimension }),
    good: ["a", a(255), astral(255), astral(128) + a(127)],
    bad: ["", a(256), astral(256), astral(128) + a(128)]
  },
  {
    operation: "BatchMeterUsage",
    rule: "quantity",
    field: "quantity",
    index: 1,
    fields: (quantity: unknown) => inRecord({ quantity }),
    ...quantities
  },
  {
    operation: "BatchMeterUsage",
    rule: "customerIdentifier",
    field: "customerIdentifier",
    index: 1,
    fields: (customerIdentifier: unknown) =>
      inRecord({ customerAWSAccountId: undefined, customerIdentifier }),
    good: ["a", a(255)],
    bad: [a(256), ""],
    shown: brief(256)
  },
  {
    operation: "BatchMeterUsage",
    rule: "customerAWSAccountId",
    field: "customerAWSAccountId",
    index: 1,
    fields: (customerAWSAccountId: unknown) => inRecord({ customerAWSAccountId }),
    good: ["1", "111122223333", "7".repeat(255)],
    bad: ["1111-2222", "", "7".repeat(256), "１", "1\n"]
  },
  {
    operation: "BatchMeterUsage",
    rule: "licenseArn",
    field: "licenseArn",
    index: 1,
    fields: (arn: unknown) => ({
      usageRecords: [
        { ...record, licenseArn },
        { ...record, licenseArn: arn }
      ]
    }),
    good: [
      licenseArn,
      licenseArn.replace("::", ":us-east-1:"),
      licenseArn.replace("aws", "aws-us-gov"),
      licenseArn.replace("aws", "aws-cn")
    ],
    bad: ["l-0123456789abcdef0123456789abcdef", "", "arn:aws", `${licenseArn} `, `x${licenseArn}`]
  },
  {
    operation: "BatchMeterUsage",
    rule: "allocationCount",
    field: "usageAllocations",
    index: 1,
    fields: (count: number) => inRecord({ quantity: count, usageAllocations: untagged(count) }),
    good: [1, 2500],
    bad: [2501, 0],
    shown: "a list of 2501"
  },
  {
    operation: "BatchMeterUsage",
    rule: "allocationSum",
    field: "usageAllocations",
    index: 1,
    fields: (quantity: unknown) =>
      inRecord({ quantity, usageAllocations: [allocation(3), allocation(4, ["k", "v"])] }),
    good: [7],
    bad: [6, 8],
    shown: 7
  },
  {
    operation: "BatchMeterUsage",
    rule: "allocationTagSets",
    field: "usageAllocations[2].tags",
    index: 1,
    fields: withAllocations,
    good: [
      [allocation(1), allocation(1, ["k", "v"]), allocation(1, ["k", "w"])],
      [allocation(1, ["a", "1"]), allocation(1, ["a", "1"], ["b", "1"])]
    ],
    bad: [
      [allocation(1, ["a", "1"], ["b", "2"]), allocation(1), allocation(1, ["b", "2"], ["a", "1"])],
      [allocation(1), allocation(1, ["k", "v"]), allocation(1)]
    ],
    shown: '["a","1"],["b","2"]'
  },
  {
    operation: "BatchMeterUsage",
    rule: "allocationTagKeys",
    field: "usageAllocations",
    index: 1,
    fields: withAllocations,
    good: [keys(5)],
    bad: [keys(6)],
    shown: 6
  },
  {
    operation: "BatchMeterUsage",
    rule: "tagCount",
    field: "usageAllocations[0].tags",
    index: 1,
    fields: (count: number) =>
      inRecord({
        usageAllocations: [
          {
            allocatedUsageQuantity: 42,
            tags: Array.from({ length: count }, (_, i) => ({ key: "k", value: `${i}` }))
          }
        ]
      }),
    good: [1, 5],
    bad: [6, 0],
    shown: "a list of 6"
  },
  {
    operation: "BatchMeterUsage",
    rule: "tagKey",
    field: "usageAllocations[0].tags[0].key",
    index: 1,
    fields: (key: string) => withAllocations([allocation(1, [key, "v"])]),
    good: ["a", a(100), everyPunctuation],
    bad: ["a>b", "", a(101), "é", "a\n", "a?b"]
  },
  {
    operation: "BatchMeterUsage",
    rule: "tagValue",
    field: "usageAllocations[0].tags[0].value",
    index: 1,
    fields: (value: string) => withAllocations([allocation(1, ["k", value])]),
    good: ["", "a", a(256), everyPunctuation],
    bad: ["a>b", a(257), "é", "a\n", "a?b"]
  },
  // MeterUsage
  {
    operation: "MeterUsage",
    rule: "productCode",
    field: "productCode",
    fields: (productCode: unknown) => ({ ...meterUsage, productCode }),
    ...productCodes
  },
  {
    operation: "MeterUsage",
    rule: "dimension",
    field: "usageDimension",
    fields: (usageDimension: unknown) => ({ ...meterUsage, usageDimension }),
    good: ["a", a(255)],
    bad: ["", a(256)]
  },
  {
    operation: "MeterUsage",
    rule: "quantity",
    field: "usageQuantity",
    fields: (usageQuantity: unknown) => ({ ...meterUsage, usageQuantity }),
    ...quantities
  },
  {
    operation: "MeterUsage",
    rule: "clientToken",
    field: "clientToken",
    fields: (clientToken: unknown) => ({ ...meterUsage, clientToken }),
    good: ["a", a(64)],
    bad: [a(65), ""]
  },
  {
    operation: "MeterUsage",
    rule: "allocationSum",
    field: "usageAllocations",
    fields: (usageQuantity: unknown) => ({
      ...meterUsage,
      usageQuantity,
      usageAllocations: [allocation(3)]
    }),
    good: [3],
    bad: [2, 4],
    shown: 3
  },
  // RegisterUsage
  {
    operation: "RegisterUsage",
    rule: "productCode",
    field: "productCode",
    fields: (productCode: unknown) => ({ ...registerUsage, productCode }),
    ...productCodes
  },
  {
    operation: "RegisterUsage",
    rule: "publicKeyVersion",
    field: "publicKeyVersion",
    fields: (publicKeyVersion: unknown) => ({ ...registerUsage, publicKeyVersion }),
    good: [1, 2],
    bad: [0, -1, 1.5]
  },
  {
    operation: "RegisterUsage",
    rule: "nonce",
    field: "nonce",
    fields: (nonce: unknown) => ({ ...registerUsage, nonce }),
    good: ["", a(255)],
    bad: [a(256)],
    shown: undefined
  },
  // ResolveCustomer
  {
    operation: "ResolveCustomer",
    rule: "registrationToken",
    field: "registrationToken",
    fields: (token: string) => ({ registrationToken: Redacted.make(token) }),
    good: ["t", a(5000)],
    bad: [""],
    shown: undefined
  }
]

/** Rules that only requests for entitlements have, whose tests are beside those of the operation. */
type EntitlementRule = "filterValues" | "maxResults" | "nextToken"

/** Every rule is in the table, but for the size of a request, which is known only once it is encoded. */
const rules: Record<Exclude<Rule, "requestSize" | EntitlementRule>, true> = {
  recordCount: true,
  productCodeOrLicense: true,
  oneCustomerIdentity: true,
  quantity: true,
  dimension: true,
  customerIdentifier: true,
  customerAWSAccountId: true,
  licenseArn: true,
  productCode: true,
  clientToken: true,
  nonce: true,
  publicKeyVersion: true,
  registrationToken: true,
  allocationCount: true,
  allocationSum: true,
  allocationTagSets: true,
  allocationTagKeys: true,
  tagCount: true,
  tagKey: true,
  tagValue: true
}

it("the table of constraints has every rule", () => {
  assert.sameMembers([...new Set(constraints.map(({ rule }) => rule))], Object.keys(rules))
})

describe.each(constraints)("$operation: $rule of $field", (constraint) => {
  const { bad, field, fields, good, index, operation, rule } = constraint
  const { call, makeEither } = operations[operation]

  it("accepts values just inside", () => {
    for (const value of good) {
      assert.deepStrictEqual(violationsOf(makeEither(fields(value as never))), [])
    }
  })

  it("rejects values just outside, and names index, field, rule and value", () => {
    for (const [i, value] of bad.entries()) {
      const violations = violationsOf(makeEither(fields(value as never)))
      assert.deepStrictEqual(
        violations.map((one) => [one.rule, one.field, one.index]),
        [[rule, field, index]],
        String(value)
      )
      if (i === 0) {
        assert.deepStrictEqual(
          violations[0]?.value,
          "shown" in constraint ? constraint.shown : value
        )
      }
    }
  })

  it.effect("is skipped by its name, for a value and for a client", () =>
    Effect.gen(function* () {
      for (const value of bad) {
        const request = fields(value as never)
        assert.deepStrictEqual(violationsOf(makeEither(request, { skipRules: [rule] })), [])
        const http = stubHttp({})
        const rejected = yield* Effect.flip(call(request)).pipe(
          Effect.provide(clientLayer(http.layer))
        )
        assert.strictEqual(rejected._tag, "InvalidInputError")
        assert.strictEqual(http.sent.length, 0)
        yield* call(request).pipe(
          Effect.provide(clientLayer(http.layer, { config: { skipRules: [rule] } }))
        )
        assert.strictEqual(http.sent.length, 1)
      }
    })
  )

  it("is checked when other rules are skipped", () => {
    const others = Object.keys(rules).filter((name): name is Rule => name !== rule)
    for (const value of bad) {
      const violations = violationsOf(makeEither(fields(value as never), { skipRules: others }))
      assert.deepStrictEqual(
        violations.map((one) => one.rule),
        [rule]
      )
    }
  })
})

const violationsOf = (
  made: Either.Either<unknown, MeteringError.InvalidInputError>
): ReadonlyArray<MeteringError.Violation> => (Either.isLeft(made) ? made.left.violations : [])

const messageOf = (made: Either.Either<unknown, MeteringError.InvalidInputError>) =>
  Either.isLeft(made) ? made.left.message : "valid"

describe("the quantity of an allocation", () => {
  const made = (quantity: number) =>
    BatchMeterUsage.makeEither(
      inRecord({
        quantity,
        usageAllocations: [allocation(0), allocation(quantity, ["k", "v"])]
      }) as never
    )

  it.each(quantities.good)("may be %d", (quantity) => {
    assert.deepStrictEqual(violationsOf(made(quantity)), [])
  })

  it.each(quantities.bad)("may not be %d", (quantity) => {
    assert.deepStrictEqual(
      violationsOf(made(quantity)).map(({ field, index, rule, value }) => [
        field,
        index,
        rule,
        value
      ]),
      [
        ["quantity", 1, "quantity", quantity],
        ["usageAllocations[1].allocatedUsageQuantity", 1, "quantity", quantity]
      ]
    )
  })
})

describe("types are checked whatever is skipped", () => {
  const everyRule = Object.keys(rules) as Array<Rule>

  it.each([
    ["MeterUsage", { ...meterUsage, productCode: undefined }, "productCode", "required"],
    ["MeterUsage", { ...meterUsage, usageQuantity: undefined }, "usageQuantity", "required"],
    ["MeterUsage", { ...meterUsage, timestamp: undefined }, "timestamp", "required"],
    ["MeterUsage", { ...meterUsage, usageDimension: undefined }, "usageDimension", "required"],
    ["MeterUsage", { ...meterUsage, timestamp: new Date(0) }, "timestamp", "type"],
    [
      "MeterUsage",
      { ...meterUsage, timestamp: DateTime.unsafeMakeZoned(0, { timeZone: 0 }) },
      "timestamp",
      "type"
    ],
    ["MeterUsage", { ...meterUsage, timestamp: 1795515330 }, "timestamp", "type"],
    ["MeterUsage", { ...meterUsage, usageQuantity: "3" }, "usageQuantity", "type"],
    ["MeterUsage", { ...meterUsage, usageQuantity: Number.NaN }, "usageQuantity", "type"],
    [
      "MeterUsage",
      { ...meterUsage, usageQuantity: Number.POSITIVE_INFINITY },
      "usageQuantity",
      "type"
    ],
    ["MeterUsage", { ...meterUsage, dryRun: "true" }, "dryRun", "type"],
    ["MeterUsage", { ...meterUsage, usageAllocations: "none" }, "usageAllocations", "type"],
    ["MeterUsage", { ...meterUsage, usageAllocations: [null] }, "usageAllocations[0]", "type"],
    ["BatchMeterUsage", { productCode }, "usageRecords", "required"],
    ["BatchMeterUsage", { productCode, usageRecords: record }, "usageRecords", "type"],
    ["BatchMeterUsage", { productCode, usageRecords: [record, 7] }, "usageRecords[1]", "type"],
    ["BatchMeterUsage", undefined, "value", "type"],
    ["RegisterUsage", { productCode, publicKeyVersion: "1" }, "publicKeyVersion", "type"],
    ["RegisterUsage", { productCode }, "publicKeyVersion", "required"],
    ["ResolveCustomer", {}, "registrationToken", "required"],
    ["ResolveCustomer", { registrationToken: Redacted.make(7) }, "registrationToken", "type"]
  ] as const)("%s %o: %s", (operation, fields, field, rule) => {
    const made = operations[operation].makeEither(fields, { skipRules: everyRule })
    assert.deepStrictEqual(
      violationsOf(made).map((one) => [one.field, one.rule]),
      [[field, rule]]
    )
  })
})

describe("a violation", () => {
  it("is reported for every field at once, over all records", () => {
    const made = BatchMeterUsage.makeEither({
      productCode: "a b",
      usageRecords: [
        { ...record, quantity: -1 },
        record,
        { ...record, dimension: "", customerAWSAccountId: "x" }
      ]
    })
    assert.deepStrictEqual(
      violationsOf(made).map(({ field, index, rule, value }) => ({ field, index, rule, value })),
      [
        { field: "quantity", index: 0, rule: "quantity", value: -1 },
        { field: "dimension", index: 2, rule: "dimension", value: "" },
        { field: "customerAWSAccountId", index: 2, rule: "customerAWSAccountId", value: "x" },
        { field: "productCode", index: undefined, rule: "productCode", value: "a b" }
      ]
    )
  })

  it("is in the message in words", () => {
    assert.strictEqual(
      messageOf(
        BatchMeterUsage.makeEither({
          productCode,
          usageRecords: [record, { ...record, quantity: -1 }]
        })
      ),
      "Nothing was sent. record 1, quantity: expected a whole number from 0 to 2147483647, got -1 [quantity]"
    )
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("shows %d as it is", (usageQuantity) => {
    assert.include(
      messageOf(MeterUsage.makeEither({ ...meterUsage, usageQuantity })),
      `got ${usageQuantity} [type]`
    )
  })

  it("has no index where there is one record", () => {
    const [violation] = violationsOf(UsageRecord.makeEither({ ...record, quantity: -1 }))
    assert.deepInclude(violation, { field: "quantity", rule: "quantity", value: -1 })
    assert.notProperty(violation, "index")
  })

  it("shows no more of a value than is needed to recognise it", () => {
    const made = MeterUsage.makeEither({ ...meterUsage, productCode: a(100_000) })
    assert.isBelow(messageOf(made).length, 400)
  })
})

describe("what a message shows", () => {
  it("describes a list without quotes", () => {
    assert.include(
      messageOf(
        BatchMeterUsage.makeEither({
          productCode,
          usageRecords: Array.from({ length: 26 }, () => record)
        })
      ),
      "expected at most 25 records, got a list of 26 [recordCount]"
    )
  })

  it("is nothing of a nonce", () => {
    const nonce = "n0".repeat(128)
    for (const wrong of [nonce, Number("20".repeat(8))]) {
      const fields = { ...registerUsage, nonce: wrong as string }
      assert.notInclude(JSON.stringify(Either.flip(RegisterUsage.makeEither(fields))), "2020")
    }
    const made = RegisterUsage.makeEither({ ...registerUsage, nonce })
    assert.include(messageOf(made), "nonce: expected 0 to 255 characters [nonce]")
    assert.notInclude(JSON.stringify(made), "n0n0")
  })

  it("rejects a registration token of more than 16 KB without showing it", () => {
    const make = (length: number) =>
      ResolveCustomer.makeEither({ registrationToken: Redacted.make(a(length)) })
    assert.isTrue(Either.isRight(make(16_384)))
    assert.include(messageOf(make(16_385)), "[registrationToken]")
    assert.notInclude(messageOf(make(1_000_000)), "aaa")
  })
})

describe("an own key `__proto__`", () => {
  it("leaves a made value an instance of its class", () => {
    const fields = { ...record, ...JSON.parse('{"__proto__":{"quantity":7},"unheardOf":1}') }
    for (const make of [
      () => UsageRecord.make(fields),
      () => new UsageRecord.UsageRecord(fields),
      () => BatchMeterUsage.make({ productCode, usageRecords: [fields] }).usageRecords[0]
    ]) {
      assert.instanceOf(make(), UsageRecord.UsageRecord)
      assert.strictEqual(make()?.quantity, record.quantity)
    }
  })
})

describe("a registration token is never shown", () => {
  const token = "the-token-that-must-not-be-seen"

  it.each([
    ["as text", { registrationToken: token }],
    ["in place of the fields", token],
    ["in a list", [token]],
    ["in an object", { registrationToken: { token } }],
    ["redacted in a list", { registrationToken: [Redacted.make(token)] }],
    ["redacted twice", { registrationToken: Redacted.make(Redacted.make(token)) }]
  ])("%s", (_, fields) => {
    const made = ResolveCustomer.makeEither(fields as never)
    assert.isTrue(Either.isLeft(made))
    assert.notInclude(messageOf(made), token)
    assert.notInclude(JSON.stringify(made), token)
  })
})

describe("made values", () => {
  it("are instances all the way down, made from plain values", () => {
    const made = BatchMeterUsage.make({
      productCode,
      usageRecords: [
        {
          ...record,
          usageAllocations: [
            { allocatedUsageQuantity: 42, tags: [{ key: "team", value: "search" }] }
          ]
        }
      ]
    })
    const [first] = made.usageRecords
    assert.instanceOf(made, BatchMeterUsage.BatchMeterUsageRequest)
    assert.instanceOf(first, UsageRecord.UsageRecord)
    assert.instanceOf(first?.usageAllocations?.[0], UsageAllocation.UsageAllocation)
    assert.instanceOf(first?.usageAllocations?.[0]?.tags?.[0], UsageAllocation.Tag)
  })

  it("keep the instances that they are given", () => {
    const given = UsageRecord.make(record)
    assert.strictEqual(
      BatchMeterUsage.make({ productCode, usageRecords: [given] }).usageRecords[0],
      given
    )
    const request = MeterUsage.make(meterUsage)
    assert.strictEqual(MeterUsage.make(request), request)
  })

  it("throw an InvalidInputError where `makeEither` has one", () => {
    for (const make of [
      () => UsageRecord.make({ ...record, quantity: -1 }),
      () => MeterUsage.make({ ...meterUsage, usageQuantity: -1 }),
      () => BatchMeterUsage.make({ usageRecords: [record] }),
      () => RegisterUsage.make({ ...registerUsage, publicKeyVersion: 0 }),
      () => ResolveCustomer.make({ registrationToken: Redacted.make("") })
    ]) {
      assert.throws(make, /Nothing was sent/)
    }
  })

  it("have a client token each, unless one is given", () => {
    const tokens = [1, 2].map(() => MeterUsage.make(meterUsage).clientToken)
    assert.match(tokens[0] ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.notStrictEqual(tokens[0], tokens[1])
    assert.strictEqual(MeterUsage.make({ ...meterUsage, clientToken: "mine" }).clientToken, "mine")
  })

  it("meter for real unless a dry run is asked for", () => {
    assert.isFalse(MeterUsage.make(meterUsage).dryRun)
    assert.isTrue(MeterUsage.make({ ...meterUsage, dryRun: true }).dryRun)
  })

  it("are not changed by what happens to the lists that they were made from", () => {
    const usageRecords: Array<UsageRecord.Input> = [record]
    const made = BatchMeterUsage.make({ productCode, usageRecords: usageRecords as never })
    usageRecords.push(record)
    assert.strictEqual(made.usageRecords.length, 1)
  })

  it("of the samples are valid", () => {
    assert.deepStrictEqual(violationsOf(MeterUsage.makeEither(meterUsage)), [])
    assert.deepStrictEqual(violationsOf(BatchMeterUsage.makeEither(batchMeterUsage)), [])
    assert.deepStrictEqual(violationsOf(RegisterUsage.makeEither(registerUsage)), [])
    assert.deepStrictEqual(violationsOf(ResolveCustomer.makeEither(resolveCustomer)), [])
  })
})

describe("the status of a result", () => {
  it.each([
    ["Success", true],
    ["DuplicateRecord", true],
    ["CustomerNotSubscribed", true],
    ["success", false],
    ["OnHold", false],
    [undefined, false]
  ])("%s is known: %s", (status, known) => {
    assert.strictEqual(UsageRecord.isKnownStatus(status), known)
  })
})
