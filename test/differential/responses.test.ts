/** A response has the same outcome as with the official SDK, or the row gives the reason. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import { validResponse } from "../support/arbitraries.js"
import { allOperations, batchMeterUsage, operations } from "../support/operations.js"
import {
  type CannedResponse,
  makeClients,
  overHttp,
  overSdk,
  overSdkWithMiddleware,
  type Summary,
  sdkClient,
  summarise,
  summariseSdk,
  toSdk
} from "./harness.js"
import { type ResponseCase, responseCases } from "./responseCases.js"

/** Our clients with this response. */
const ourClients = (response: CannedResponse) =>
  [
    ["ours", overHttp(response)],
    ["ours over the SDK", overSdk(response)],
    ["ours over the SDK, watched", overSdkWithMiddleware(response)]
  ] as const

/** Compares what the row speaks of. */
const assertSummary = (actual: object, expected: Summary, label: string) =>
  assert.deepStrictEqual(
    Object.fromEntries(Object.entries(actual).filter(([name]) => name in expected)),
    Object.fromEntries(Object.entries(expected)),
    label
  )

const detailOf = (outcome: object, name: string): unknown => {
  const value = outcome as Record<string, unknown>
  return name === "retryAfterMillis"
    ? Duration.toMillis(value.retryAfter as Duration.Duration)
    : value[name]
}

const check = (testCase: ResponseCase) =>
  Effect.gen(function* () {
    const [expected, expectedOfSdk] =
      "both" in testCase ? [testCase.both, testCase.both] : [testCase.ours, testCase.sdk]
    const { client } = sdkClient(() => testCase.response)
    const sdk = yield* summariseSdk(client, testCase.operation, testCase.fields)
    assertSummary(sdk, expectedOfSdk, "the SDK")
    for (const [label, { layer, sent }] of ourClients(testCase.response)) {
      const outcome = yield* operations[testCase.operation]
        .call(testCase.fields)
        .pipe(Effect.either, Effect.provide(layer))
      assertSummary(yield* summarise(outcome), expected, label)
      if (Either.isLeft(outcome)) {
        assert.strictEqual(
          outcome.left._tag,
          testCase.tag ?? ("error" in expected && expected.error),
          label
        )
      }
      const merged: object = Either.merge(outcome)
      for (const [name, value] of Object.entries(testCase.otherFields ?? {})) {
        assert.deepStrictEqual(detailOf(merged, name), value, `${label}: ${name}`)
      }
      assert.lengthOf(sent, 1, label)
    }
  })

for (const [about, those] of Object.entries(responseCases)) {
  describe(about, () => {
    for (const row of those) {
      const title = "differs" in row ? `${row.name} (differs: ${row.differs})` : row.name
      it.effect(title, () => check(row))
    }
  })
}

describe("the table", () => {
  it("has at least 45 answers, each with a name of its own", () => {
    const names = Object.entries(responseCases).flatMap(([about, those]) =>
      those.map(({ name }) => `${about}: ${name}`)
    )
    assert.isAtLeast(names.length, 45)
    assert.strictEqual(new Set(names).size, names.length)
  })
})

/** Smithy's own cases of what an error's code is: where it stands, and what surrounds it. */
describe("the protocol's cases", () => {
  const uri = "http://internal.amazon.com/coral/com.amazon.coral.validate/"
  const cases: ReadonlyArray<
    readonly [code: string, status: number, body: object | "", header?: string]
  > = [
    ["InvalidGreeting", 400, { __type: "InvalidGreeting", Message: "Hi" }],
    ["ComplexError", 400, { __type: "ComplexError", TopLevel: "Top", Nested: { Foo: "bar" } }],
    ["ComplexError", 400, { __type: "ComplexError" }],
    ["FooError", 500, "", "FooError"],
    ["FooError", 500, "", `FooError:${uri}`],
    ["FooError", 500, "", `aws.protocoltests.json#FooError:${uri}`],
    ["FooError", 500, { code: "FooError" }],
    ["FooError", 500, { code: "aws.protocoltests.json#FooError" }],
    ["FooError", 500, { code: `aws.protocoltests.json#FooError:${uri}` }],
    ["FooError", 500, { __type: "FooError" }],
    ["FooError", 500, { __type: "aws.protocoltests.json#FooError" }],
    ["FooError", 500, { __type: "aws.different.namespace#FooError" }],
    ["FooError", 500, { __type: `aws.protocoltests.json#FooError:${uri}` }],
    [
      "FooError",
      500,
      {
        __type: "aws.protocoltests.json#FooError",
        ErrorDetails: [{ __type: "com.amazon.internal#ErrorDetails", reason: "Some reason" }]
      }
    ]
  ]
  for (const [code, status, body, header] of cases) {
    const answer: CannedResponse = {
      status,
      headers: header === undefined ? {} : { "x-amzn-errortype": header },
      body: body === "" ? body : JSON.stringify(body)
    }
    it.effect(`${answer.body} ${header ?? ""}`, () =>
      check({
        name: code,
        operation: "MeterUsage",
        fields: operations.MeterUsage.fields,
        response: answer,
        tag: "UnknownServiceError",
        otherFields: { isRetryable: status === 500 },
        both: { error: code, message: code === "InvalidGreeting" ? "Hi" : undefined, status }
      })
    )
  }
})

const ok = (json: unknown): CannedResponse => ({
  status: 200,
  headers: {},
  body: JSON.stringify(json)
})

describe("any valid response", () => {
  const rig = makeClients()
  for (const { call, fields, name } of allOperations) {
    it.effect.prop(
      `${name}: the same members as the SDK's`,
      [validResponse[name]],
      ([json]) =>
        Effect.gen(function* () {
          rig.respondWith(ok(json))
          const sdk = yield* summariseSdk(rig.client, name, fields)
          for (const [who, layer] of rig.ours) {
            const ours = yield* Effect.provide(summarise(call()), layer)
            assert.deepStrictEqual(ours, withQuantities(sdk), who)
          }
        }),
      { fastCheck: { numRuns: 50 }, timeout: 30_000 }
    )
  }

  /** The service's default for a quantity that it leaves out, which the SDK leaves out too. */
  const withQuantities = (summary: Summary): Summary => {
    const fill = (value: unknown): unknown =>
      Array.isArray(value)
        ? value.map(fill)
        : typeof value === "object" && value !== null && !(value instanceof Date)
          ? Object.fromEntries([
              ...("Dimension" in value ? [["Quantity", 0]] : []),
              ...Object.entries(value).map(([name, member]) => [name, fill(member)])
            ])
          : value
    return "ok" in summary ? { ok: fill(summary.ok) } : summary
  }
})

describe("any response at all", () => {
  const headers = FastCheck.record(
    {
      "content-type": FastCheck.constantFrom("application/x-amz-json-1.1", "text/html"),
      "x-amzn-requestid": FastCheck.constantFrom("r-1", "r-2"),
      "x-amzn-errortype": FastCheck.constantFrom("ThrottlingException", "Novel#Error:x"),
      "retry-after": FastCheck.constantFrom("2", "soon")
    },
    { requiredKeys: [] }
  )
  const word = FastCheck.constantFrom(
    "ThrottlingException",
    "ExpiredTokenException",
    "x#AccessDenied",
    ""
  )
  const body = FastCheck.oneof(
    FastCheck.json(),
    FastCheck.string(),
    FastCheck.record(
      { __type: word, code: word, message: FastCheck.string() },
      { requiredKeys: [] }
    ).map((json) => JSON.stringify(json))
  )
  const rig = makeClients()
  for (const { call, name } of allOperations) {
    it.effect.prop(
      `${name}: means the same over HTTP and over the SDK`,
      [FastCheck.constantFrom(200, 201, 301, 400, 403, 429, 500, 503), headers, body],
      ([status, headers, body]) =>
        Effect.gen(function* () {
          rig.respondWith({ status, headers, body })
          const [http, sdk, watched] = yield* Effect.forEach(rig.ours, ([, layer]) =>
            Effect.either(Effect.provide(call(), layer))
          )
          assert.deepStrictEqual(sdk, http)
          assert.deepStrictEqual(watched, http)
        }),
      { fastCheck: { numRuns: 100 }, timeout: 30_000 }
    )
  }
})

describe("one odd record", () => {
  const good = {
    UsageRecord: {
      Timestamp: 1763987696.789,
      Dimension: "d",
      Quantity: 3,
      CustomerIdentifier: "c"
    },
    MeteringRecordId: "m",
    Status: "Success"
  }
  /** Any JSON in the place of a member, or of the whole. */
  const spoilt = (whole: object): FastCheck.Arbitrary<unknown> =>
    FastCheck.oneof(
      FastCheck.jsonValue(),
      ...Object.keys(whole).map((name) =>
        FastCheck.jsonValue().map((value) => ({ ...whole, [name]: value }))
      )
    )
  const rig = makeClients()

  for (const [list, name, whole, odd] of [
    [
      "Results",
      "results",
      good,
      FastCheck.oneof(
        spoilt(good),
        spoilt(good.UsageRecord).map((UsageRecord) => ({ ...good, UsageRecord }))
      )
    ],
    ["UnprocessedRecords", "unprocessedRecords", good.UsageRecord, spoilt(good.UsageRecord)]
  ] as const) {
    it.effect.prop(
      `${list}: never fails an answer, and touches no other record`,
      [odd, FastCheck.nat({ max: 2 })],
      ([value, at]) =>
        Effect.gen(function* () {
          const all: Array<unknown> = [whole, whole]
          all.splice(at, 0, value)
          rig.respondWith(ok({ [list]: all }))
          for (const [who, layer] of rig.ours) {
            const answer = yield* MeteringClient.batchMeterUsage(batchMeterUsage).pipe(
              Effect.provide(layer)
            )
            const records: ReadonlyArray<object> = answer[name]
            const others = records.filter((_, i) => records.length === 2 || i !== at)
            for (const other of others) assert.deepInclude(toSdk(other), expected(whole), who)
            assert.lengthOf(others, 2, who)
            assert.strictEqual(records.length + answer.unreadable.length, 3, who)
          }
        }),
      { fastCheck: { numRuns: 100 }, timeout: 30_000 }
    )
  }

  /** As the SDK shows it. */
  const expected = (whole: object) =>
    JSON.parse(JSON.stringify(whole), (key, value) =>
      key === "Timestamp" ? new Date(value * 1000) : value
    )
})
