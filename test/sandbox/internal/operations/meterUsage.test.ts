import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { MeteringClient } from "../../../../src/MeteringClient.js"
import * as MeterUsage from "../../../../src/MeterUsage.js"
import { MeteringSandbox } from "../../../../src/sandbox/index.js"
import { acme, analytics, at, billed, container, setTime } from "../../support.js"

const sandboxed = Effect.provide(MeteringSandbox.layer())
const now = "2026-11-24T10:30:00Z"

const usage = (change: Partial<MeterUsage.Input> = {}): MeterUsage.Input => ({
  productCode: container,
  timestamp: at("2026-11-24T10:05:00Z"),
  usageDimension: "pods",
  usageQuantity: 3,
  ...change
})

/** The record's id, "dry run", or the tag or code of the error. */
const outcome = (fields: MeterUsage.RequestInput) =>
  Effect.flatMap(
    MeteringClient,
    (
      client
    ): Effect.Effect<
      MeterUsage.MeterUsageResponse | MeterUsage.DryRunResponse,
      MeterUsage.MeterUsageError
    > =>
      fields.dryRun
        ? client.meterUsageDryRun(fields)
        : client.meterUsage({ ...fields, dryRun: false })
  ).pipe(
    Effect.map((answer) =>
      MeterUsage.isDryRun(answer) ? "dry run" : (answer.meteringRecordId ?? "no id")
    ),
    Effect.catchAll((error) => Effect.succeed("code" in error ? error.code : error._tag))
  )

const assertRecordId = (outcome: string) =>
  assert.match(outcome, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)

describe("the window of MeterUsage", () => {
  const rejected = "TimestampOutOfBoundsException"
  const cases: ReadonlyArray<readonly [rule: string, now: string, timestamp: string, string?]> = [
    ["6 h back, exactly", now, "2026-11-24T04:30:00.000Z"],
    ["more than 6 h back", now, "2026-11-24T04:29:59.999Z", rejected],
    ["5 min ahead, exactly", now, "2026-11-24T10:35:00.000Z"],
    ["more than 5 min ahead", now, "2026-11-24T10:35:00.001Z", rejected],
    ["last month before 06:00", "2026-12-01T05:59:59.999Z", "2026-11-30T23:59:59.999Z"],
    ["last month at 06:00", "2026-12-01T06:00:00.000Z", "2026-11-30T23:59:59.999Z", rejected],
    ["this month at 06:00", "2026-12-01T06:00:00.000Z", "2026-12-01T00:00:00.000Z"],
    ["last year before 06:00", "2027-01-01T05:59:59.999Z", "2026-12-31T23:59:59.999Z"],
    ["last year at 06:00", "2027-01-01T06:00:00.000Z", "2026-12-31T23:59:59.999Z", rejected],
    ["6 h back into last year", "2027-01-01T05:00:00.000Z", "2026-12-31T23:00:00.000Z"],
    [
      "more than 6 h back into last year",
      "2027-01-01T05:00:00.000Z",
      "2026-12-31T22:59:59.999Z",
      rejected
    ],
    ["29 February before 06:00", "2028-03-01T05:59:59.999Z", "2028-02-29T23:59:59.999Z"],
    ["29 February at 06:00", "2028-03-01T06:00:00.000Z", "2028-02-29T23:59:59.999Z", rejected]
  ]
  for (const [rule, now, timestamp, code] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const answer = yield* outcome(usage({ timestamp: at(timestamp) }))
        if (code === undefined) assertRecordId(answer)
        else assert.strictEqual(answer, code)
      }).pipe(sandboxed)
    )
  }
})

it.effect("rules windowBoundary and futureTolerance say how far usage may lie back and ahead", () =>
  Effect.gen(function* () {
    yield* setTime(now)
    assertRecordId(yield* outcome(usage({ timestamp: at("2026-11-24T04:00:00.000Z") })))
    assert.strictEqual(
      yield* outcome(usage({ timestamp: at("2026-11-24T03:59:59.999Z") })),
      "TimestampOutOfBoundsException"
    )
    assertRecordId(
      yield* outcome(usage({ timestamp: at("2026-11-24T10:30:00.000Z"), usageDimension: "nodes" }))
    )
    assert.strictEqual(
      yield* outcome(usage({ timestamp: at("2026-11-24T10:30:00.001Z") })),
      "TimestampOutOfBoundsException"
    )
  }).pipe(
    Effect.provide(MeteringSandbox.layer({ rules: { windowBoundary: "hour", futureTolerance: 0 } }))
  )
)

describe("rejections", () => {
  const cases: ReadonlyArray<
    readonly [rule: string, change: Partial<MeterUsage.Input>, code: string]
  > = [
    ["an unknown product", { productCode: "nobodys" }, "InvalidProductCodeException"],
    ["an unknown dimension", { usageDimension: "Pods" }, "InvalidUsageDimensionException"],
    [
      "another product's dimension",
      { usageDimension: "api-calls" },
      "InvalidUsageDimensionException"
    ],
    ["a broken rule", { usageQuantity: -1 }, "InvalidInputError"]
  ]
  for (const [rule, change, code] of cases) {
    it.effect(rule, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assert.strictEqual(yield* outcome(usage(change)), code)
        assert.strictEqual(yield* outcome({ ...usage(change), dryRun: true }), code)
        assert.deepStrictEqual(yield* billed, [])
      }).pipe(sandboxed)
    )
  }

  describe("the checks have an order", () => {
    const faults: ReadonlyArray<readonly [code: string, change: Partial<MeterUsage.Input>]> = [
      ["TimestampOutOfBoundsException", { timestamp: at("2026-11-20T00:00:00Z") }],
      ["InvalidProductCodeException", { productCode: "nobodys" }],
      ["InvalidUsageDimensionException", { usageDimension: "Pods" }]
    ]
    for (const [index, [first, one]] of faults.entries()) {
      for (const [second, other] of faults.slice(index + 1)) {
        it.effect(`${first} before ${second}`, () =>
          Effect.gen(function* () {
            yield* setTime(now)
            assert.strictEqual(yield* outcome(usage({ ...other, ...one })), first)
          }).pipe(sandboxed)
        )
      }
    }
  })

  it.effect("an account without an agreement", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* outcome(usage()), "CustomerNotEntitledException")
      assert.strictEqual(
        yield* outcome({ ...usage(), dryRun: true }),
        "CustomerNotEntitledException"
      )
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          caller: { customerAWSAccountId: "444455556666", instanceId: "i-1" }
        })
      )
    )
  )

  it.effect("the endpoint of another Region", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* outcome(usage()), "InvalidEndpointRegionException")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          region: "eu-west-1",
          products: [{ code: container, dimensions: ["pods"], region: "us-east-1" }],
          customers: [{ customerAWSAccountId: acme, agreements: [{ productCode: container }] }]
        })
      )
    )
  )
})

describe("once per hour, dimension and instance", () => {
  it.effect("identical after rounding is the same record, another quantity a duplicate", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const first = yield* outcome(usage())
      assertRecordId(first)
      assert.strictEqual(
        yield* outcome(usage({ timestamp: at("2026-11-24T10:00:00.000Z") })),
        first
      )
      assert.strictEqual(yield* outcome(usage({ usageQuantity: 4 })), "DuplicateRequestException")
      assert.deepStrictEqual(yield* billed, [
        `${container} ${acme} pods 2026-11-24T10:00:00.000Z 3`
      ])
    }).pipe(sandboxed)
  )

  it.effect("another hour and another dimension are other records", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const ids = yield* Effect.forEach(
        [
          usage(),
          usage({ timestamp: at("2026-11-24T09:59:59.999Z") }),
          usage({ usageDimension: "nodes" })
        ],
        outcome
      )
      assert.strictEqual(new Set(ids).size, 3)
      assert.lengthOf(yield* billed, 3)
    }).pipe(sandboxed)
  )

  it.effect("usage of BatchMeterUsage is none of its business", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const client = yield* MeteringClient
      const timestamp = at("2026-11-24T10:05:00Z")
      yield* client.batchMeterUsage({
        productCode: analytics,
        usageRecords: [{ timestamp, dimension: "seats", quantity: 1, customerAWSAccountId: acme }]
      })
      assertRecordId(
        yield* outcome({
          productCode: analytics,
          timestamp,
          usageDimension: "seats",
          usageQuantity: 2
        })
      )
      assert.deepStrictEqual(yield* billed, [
        `${analytics} ${acme} seats 2026-11-24T10:00:00.000Z 3`
      ])
    }).pipe(sandboxed)
  )
})

describe("the client token", () => {
  const clientToken = "one"

  it.effect("with the same parameters gives the same record", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const first = yield* outcome(usage({ clientToken }))
      assert.strictEqual(yield* outcome(usage({ clientToken })), first)
    }).pipe(sandboxed)
  )

  const others: ReadonlyArray<readonly [string, Partial<MeterUsage.Input>]> = [
    ["quantity", { usageQuantity: 4 }],
    ["dimension", { usageDimension: "nodes" }],
    ["hour", { timestamp: at("2026-11-24T09:05:00Z") }],
    ["minute", { timestamp: at("2026-11-24T10:06:00Z") }],
    ["product", { productCode: analytics, usageDimension: "seats" }]
  ]
  for (const [what, change] of others) {
    it.effect(`with another ${what} is a conflict`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assertRecordId(yield* outcome(usage({ clientToken })))
        assert.strictEqual(
          yield* outcome(usage({ ...change, clientToken })),
          "IdempotencyConflictException"
        )
        assert.lengthOf(yield* billed, 1)
      }).pipe(sandboxed)
    )
  }

  it.effect("of a rejected request may be used again", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assertRecordId(yield* outcome(usage()))
      assert.strictEqual(
        yield* outcome(usage({ clientToken, usageQuantity: 4 })),
        "DuplicateRequestException"
      )
      assertRecordId(yield* outcome(usage({ clientToken, usageDimension: "nodes" })))
    }).pipe(sandboxed)
  )
})

describe("on Bedrock AgentCore", () => {
  const agent = Effect.provide(
    MeteringSandbox.layer({
      products: [{ code: "agent", dimensions: ["tokens", "calls"], metering: "agentCore" }],
      customers: [{ customerAWSAccountId: acme, agreements: [{ productCode: "agent" }] }]
    })
  )
  const charge = (change: Partial<MeterUsage.Input> = {}) =>
    outcome(usage({ productCode: "agent", usageDimension: "tokens", ...change }))

  it.effect("the same usage with other tokens is charged as often", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const ids = yield* Effect.all([charge(), charge(), charge({ usageQuantity: 4 })])
      assert.strictEqual(new Set(ids).size, 3)
      ids.forEach(assertRecordId)
      assert.deepStrictEqual(yield* billed, [`agent ${acme} tokens 2026-11-24T10:00:00.000Z 10`])
    }).pipe(agent)
  )

  it.effect("the same token and parameters are one charge", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const clientToken = "one"
      const ids = yield* Effect.all([charge({ clientToken }), charge({ clientToken })])
      assert.strictEqual(ids[0], ids[1])
      assert.deepStrictEqual(yield* billed, [`agent ${acme} tokens 2026-11-24T10:00:00.000Z 3`])
    }).pipe(agent)
  )

  const others: ReadonlyArray<readonly [string, Partial<MeterUsage.Input>]> = [
    ["quantity", { usageQuantity: 4 }],
    ["dimension", { usageDimension: "calls" }],
    ["millisecond: nothing is rounded", { timestamp: at("2026-11-24T10:05:00.001Z") }]
  ]
  for (const [what, change] of others) {
    it.effect(`the same token with another ${what} is a conflict`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        assertRecordId(yield* charge({ clientToken: "one" }))
        assert.strictEqual(
          yield* charge({ clientToken: "one", ...change }),
          "IdempotencyConflictException"
        )
        assert.lengthOf(yield* billed, 1)
      }).pipe(agent)
    )
  }

  it.effect("records keep the time that they were sent with", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const timestamp = at("2026-11-24T10:05:00.123Z")
      yield* charge({ timestamp })
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      const [record] = yield* sandbox.report.records
      assert.deepStrictEqual(record?.timestamp, timestamp)
      assert.deepStrictEqual(record?.hour, DateTime.startOf(timestamp, "hour"))
    }).pipe(agent)
  )
})

describe("rule idempotencyConflictStatus", () => {
  for (const idempotencyConflictStatus of [undefined, 400, 409] as const) {
    it.effect(String(idempotencyConflictStatus ?? "left out"), () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const client = yield* MeteringClient
        yield* client.meterUsage(usage({ clientToken: "one" }))
        const conflict = yield* Effect.flip(
          client.meterUsage(usage({ clientToken: "one", usageQuantity: 4 }))
        )
        assert.deepInclude(conflict, {
          _tag: "IdempotencyConflictException",
          statusCode: idempotencyConflictStatus ?? 400
        })
        // it is of that exception alone
        const duplicate = yield* Effect.flip(client.meterUsage(usage({ usageQuantity: 4 })))
        assert.deepInclude(duplicate, { _tag: "DuplicateRequestException", statusCode: 400 })
      }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { idempotencyConflictStatus } })))
    )
  }
})

describe("a dry run", () => {
  for (const dryRun of ["error", "response"] as const) {
    it.effect(`rule dryRun: ${dryRun}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const sandbox = yield* MeteringSandbox.MeteringSandbox
        assert.strictEqual(yield* outcome({ ...usage(), dryRun: true }), "dry run")
        const [call] = yield* sandbox.report.log
        assert.deepStrictEqual(
          [call?.status, call?.response],
          dryRun === "response"
            ? [200, { MeteringRecordId: "DryRunOperation" }]
            : [
                400,
                {
                  __type: "com.amazon.coral.service#DryRunOperation",
                  message: "Request would have succeeded, but DryRun flag is set."
                }
              ]
        )
        assert.deepStrictEqual(yield* billed, [])
      }).pipe(Effect.provide(MeteringSandbox.layer({ rules: { dryRun } })))
    )
  }

  it.effect("does not look at what was metered before", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assertRecordId(yield* outcome(usage({ clientToken: "one" })))
      assert.strictEqual(
        yield* outcome({ ...usage({ clientToken: "one", usageQuantity: 9 }), dryRun: true }),
        "dry run"
      )
    }).pipe(sandboxed)
  )

  it.effect("is answered as such, and nothing is metered", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const client = yield* MeteringClient
      const answer = yield* client.meterUsageDryRun(usage({ clientToken: "dry" }))
      assert.isTrue(answer.dryRun)
      assert.match(answer.requestId ?? "", /^sandbox-/)
      assert.deepStrictEqual(yield* billed, [])
      assertRecordId(yield* outcome(usage({ clientToken: "dry", usageQuantity: 9 })))
      assert.strictEqual(yield* outcome({ ...usage(), dryRun: true }), "dry run")
    }).pipe(sandboxed)
  )
})
