/** Faults, in memory and over HTTP. */
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Fiber, Layer, Option, TestClock } from "effect"
import * as AwsCredentials from "../../src/AwsCredentials.js"
import type { EntitlementClient } from "../../src/entitlement/EntitlementClient.js"
import * as EntitlementClientOverHttp from "../../src/entitlement/EntitlementClient.js"
import * as EntitlementConfig from "../../src/entitlement/EntitlementConfig.js"
import type { MeteringClient } from "../../src/MeteringClient.js"
import * as MeteringClientOverHttp from "../../src/MeteringClient.js"
import * as MeteringConfig from "../../src/MeteringConfig.js"
import * as MeteringRetry from "../../src/MeteringRetry.js"
import { type Fault, MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import {
  acme,
  analytics,
  at,
  batch,
  billed,
  calls,
  operations,
  record,
  setTime
} from "./support.js"

const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

const sandbox = MeteringSandbox.MeteringSandbox

const withFaults = (faults: Fault.Faults) => Effect.provide(MeteringSandbox.layer({ faults }))

/** The logged faults of a number of calls. */
const faultsOf = (count: number, call: (typeof calls)[keyof typeof calls]) =>
  Effect.gen(function* () {
    yield* setTime(now)
    yield* Effect.replicateEffect(Effect.ignore(call), count)
    const { log } = (yield* sandbox).report
    return (yield* log).map(({ fault }) => fault)
  })

// ---------------------------------------------------------------------------------------------------
// the effect of each fault
// ---------------------------------------------------------------------------------------------------

interface Case {
  readonly fault: Fault.Fault
  /** The fields of the error that do not depend on the transport. */
  readonly error: Record<string, unknown>
  readonly isStored?: boolean
}

const cases: ReadonlyArray<Case> = [
  {
    fault: { fault: "throttling" },
    error: {
      _tag: "ThrottlingException",
      statusCode: 400,
      serviceMessage: "Rate exceeded",
      isRetryable: true,
      isThrottling: true,
      retryAfter: undefined
    }
  },
  ...[0, 1, 1500, 2000].map((millis) => ({
    fault: { fault: "throttling", retryAfter: millis } as const,
    error: { _tag: "ThrottlingException", retryAfter: Duration.millis(millis) }
  })),
  {
    fault: { fault: "internalError" },
    error: {
      _tag: "InternalServiceErrorException",
      statusCode: 500,
      isRetryable: true,
      isThrottling: false
    }
  },
  {
    fault: { fault: "unavailable" },
    error: {
      _tag: "UnexpectedResponseError",
      statusCode: 503,
      contentType: "text/html",
      isRetryable: true
    }
  },
  {
    fault: { fault: "rejection", code: "ThrottlingException", message: "slow" },
    error: { _tag: "ThrottlingException", serviceMessage: "slow", isThrottling: true }
  },
  {
    fault: { fault: "rejection", code: "InternalServiceErrorException" },
    error: { _tag: "InternalServiceErrorException", statusCode: 500, serviceMessage: undefined }
  },
  {
    fault: { fault: "rejection", code: "SlowDown" },
    error: { _tag: "UnknownServiceError", code: "SlowDown", isThrottling: true }
  },
  {
    fault: { fault: "rejection", code: "AccessDeniedException", message: "not you" },
    error: { _tag: "AccessDeniedError", code: "AccessDeniedException", isRetryable: false }
  },
  {
    fault: { fault: "rejection", code: "UnrecognizedClientException" },
    error: { _tag: "CredentialsRejectedError", statusCode: 400 }
  },
  {
    fault: { fault: "expiredCredentials" },
    error: {
      _tag: "CredentialsExpiredError",
      code: "ExpiredTokenException",
      statusCode: 400,
      serviceMessage: "The security token included in the request is expired"
    }
  },
  {
    fault: { fault: "cutBefore" },
    error: { _tag: "ConnectionError", delivery: "unknown", isRetryable: true }
  },
  {
    fault: { fault: "cutAfter" },
    error: { _tag: "ConnectionError", delivery: "unknown", isRetryable: true },
    isStored: true
  }
]

/** The behavior of faults with any transport, given the layer for a scenario. */
const contract = (
  name: string,
  layerOf: (
    options: MeteringSandbox.Options
  ) => Layer.Layer<MeteringClient | EntitlementClient | MeteringSandbox.MeteringSandbox>
) =>
  describe(name, () => {
    for (const operation of operations) {
      for (const { error, fault, isStored = false } of cases) {
        it.effect(`${operation}: ${JSON.stringify(fault)}`, () =>
          Effect.gen(function* () {
            yield* setTime(now)
            const failure = yield* Effect.flip(calls[operation])
            const known = failure as unknown as Record<string, unknown>
            assert.deepStrictEqual(
              Object.fromEntries(Object.keys(error).map((key) => [key, known[key]])),
              error
            )
            assert.strictEqual(failure.operation, operation)
            const isMetered = isStored && operation.endsWith("MeterUsage")
            assert.lengthOf(yield* billed, isMetered ? 1 : 0)
          }).pipe(
            Effect.provide(
              layerOf({
                faults: {
                  script: [
                    // a client over HTTP refreshes credentials and retries once
                    { ...fault, times: 2 }
                  ]
                }
              })
            )
          )
        )
      }
    }

    it.effect("usage that is sent again after a lost response is billed once", () =>
      Effect.gen(function* () {
        yield* setTime(now)
        yield* Effect.flip(batch([record(recent, { quantity: 5 })]))
        const { results } = yield* batch([record(recent, { quantity: 5 })])
        assert.strictEqual(results[0]?.status, "Success")
        assert.deepStrictEqual(yield* billed, [
          `${analytics} ${acme} api-calls 2026-11-24T10:00:00.000Z 5`
        ])
      }).pipe(Effect.provide(layerOf({ faults: { script: [{ fault: "cutAfter" }] } })))
    )
  })

contract("in memory", MeteringSandbox.layer)

contract("over HTTP", (options) =>
  Layer.merge(MeteringClientOverHttp.layer, EntitlementClientOverHttp.layer).pipe(
    Layer.provide([
      AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
      Layer.unwrapEffect(
        Effect.map(SandboxServer.SandboxServer, ({ url }) =>
          Layer.merge(
            MeteringConfig.layer({ region: "us-east-1", endpoint: url }),
            EntitlementConfig.layer({ endpoint: url })
          )
        )
      ),
      NodeHttpClient.layerUndici
    ]),
    Layer.provideMerge(SandboxServer.layerNode()),
    Layer.provideMerge(MeteringSandbox.layer(options)),
    Layer.orDie
  )
)

describe("an exception outside of the operation's model is an UnknownServiceError", () => {
  const codes: ReadonlyArray<readonly [code: string, ReadonlyArray<(typeof operations)[number]>]> =
    [
      ["DisabledApiException", ["BatchMeterUsage", "RegisterUsage", "ResolveCustomer"]],
      ["DuplicateRequestException", ["MeterUsage"]],
      ["InvalidTokenException", ["ResolveCustomer"]],
      ["CustomerNotEntitledException", ["MeterUsage", "RegisterUsage"]]
    ]
  for (const [code, modelled] of codes) {
    for (const operation of operations) {
      it.effect(`${operation}: ${code}`, () =>
        Effect.gen(function* () {
          yield* setTime(now)
          const error = yield* Effect.flip(calls[operation])
          assert.strictEqual(
            error._tag,
            modelled.includes(operation) ? code : "UnknownServiceError"
          )
        }).pipe(withFaults({ script: [{ fault: "rejection", code }] }))
      )
    }
  }

  it.effect("idempotencyConflictStatus applies to an injected rejection as well", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual((yield* Effect.flip(calls.MeterUsage)).statusCode, 409)
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          rules: { idempotencyConflictStatus: 409 },
          faults: { script: [{ fault: "rejection", code: "IdempotencyConflictException" }] }
        })
      )
    )
  )
})

describe("a skewed clock", () => {
  const cases: ReadonlyArray<
    readonly [Omit<Fault.ScriptedFault & { fault: "clockSkew" }, "fault">, string]
  > = [
    [{ ahead: "5 minutes" }, "success"],
    [{ ahead: 300_001 }, "ClockSkewError"],
    [{ behind: "5 minutes" }, "success"],
    [{ behind: 300_001 }, "ClockSkewError"],
    [{ ahead: "1 hour", behind: "1 hour" }, "success"],
    [{}, "success"]
  ]
  for (const [skew, expected] of cases) {
    it.effect(`${JSON.stringify(skew)}: ${expected}`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const outcome = yield* Effect.either(calls.BatchMeterUsage)
        assert.strictEqual(outcome._tag === "Left" ? outcome.left._tag : "success", expected)
      }).pipe(withFaults({ script: [{ fault: "clockSkew", ...skew }] }))
    )
  }

  it.effect("does not change the clock that usage is dated by", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* batch([record(at("2026-11-24T10:35:00Z"))])
      const { log } = (yield* sandbox).report
      assert.strictEqual(
        DateTime.formatIso((yield* log)[0]?.at ?? recent),
        "2026-11-24T10:30:00.000Z"
      )
    }).pipe(withFaults({ script: [{ fault: "clockSkew", ahead: "4 minutes" }] }))
  )
})

describe("a slow response", () => {
  for (const fault of ["latency", "slowBody"] as const) {
    it.effect(`${fault}: the usage is stored at once, the response comes after the delay`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const fiber = yield* Effect.fork(batch([record(recent)]))
        yield* TestClock.adjust(2999)
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        assert.lengthOf(yield* billed, 1)
        yield* TestClock.adjust(1)
        assert.isTrue(Option.isSome(yield* Fiber.poll(fiber)))
        assert.strictEqual((yield* Fiber.join(fiber)).results[0]?.status, "Success")
      }).pipe(withFaults({ script: [{ fault, duration: "3 seconds" }] }))
    )

    it.effect(`${fault}: an error is delayed as well`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const fiber = yield* Effect.fork(Effect.flip(batch([record(recent)], "unknown")))
        yield* TestClock.adjust(2999)
        assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "InvalidProductCodeException")
      }).pipe(withFaults({ script: [{ fault, duration: 3000 }] }))
    )
  }

  it.effect("a client that times out is billed", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const fiber = yield* Effect.fork(Effect.timeoutOption(batch([record(recent)]), "1 second"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isNone(yield* Fiber.join(fiber)))
      assert.lengthOf(yield* billed, 1)
    }).pipe(withFaults({ script: [{ fault: "latency", duration: "1 hour" }] }))
  )
})

describe("unprocessed records", () => {
  const records = (count: number) =>
    Array.from({ length: count }, (_, index) =>
      record(DateTime.subtract(recent, { hours: index % 20 }), {
        dimension: index < 20 ? "seats" : "events",
        quantity: index
      })
    )
  const shares: ReadonlyArray<readonly [share: number | undefined, count: number, left: number]> = [
    [undefined, 25, 25],
    [undefined, 0, 0],
    [0, 25, 0],
    [1, 25, 25],
    [0.5, 25, 13],
    [0.5, 1, 1],
    // 7.000000000000001 in floating point
    [0.28, 25, 7],
    [0.04, 25, 1],
    [0.041, 25, 2],
    [1e-6, 25, 1]
  ]
  for (const [share, count, left] of shares) {
    it.effect(`${share ?? "all"} of ${count} returns ${left} and does not store them`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const sent = records(count)
        const { results, unprocessedRecords } = yield* batch(sent)
        assert.lengthOf(unprocessedRecords, left)
        assert.lengthOf(results, count - left)
        assert.lengthOf(yield* billed, count - left)
        const quantities = [
          ...results.map(({ usageRecord }) => usageRecord?.quantity),
          ...unprocessedRecords.map(({ quantity }) => quantity)
        ]
        assert.sameMembers(
          quantities,
          sent.map(({ quantity }) => quantity)
        )
        // all are accepted when they are sent again
        const again = yield* batch(sent)
        assert.deepStrictEqual(
          again.results.map(({ status }) => status),
          sent.map(() => "Success")
        )
      }).pipe(
        withFaults({ script: [{ fault: "unprocessed", ...(share !== undefined && { share }) }] })
      )
    )
  }

  it.effect("all records are validated, also those that are returned", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const error = yield* Effect.flip(batch([record(recent), record(recent, { dimension: "x" })]))
      assert.strictEqual(error._tag, "InvalidUsageDimensionException")
    }).pipe(withFaults({ script: [{ fault: "unprocessed" }] }))
  )

  it.effect("do not affect other operations", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* calls.MeterUsage
      yield* calls.RegisterUsage
      yield* calls.ResolveCustomer
    }).pipe(withFaults({ script: [{ fault: "unprocessed", times: 9 }] }))
  )

  it.effect("are selected by the seed", () =>
    Effect.gen(function* () {
      const quantitiesFor = (seed: number) =>
        Effect.gen(function* () {
          yield* setTime(now)
          const { unprocessedRecords } = yield* batch(records(25))
          return unprocessedRecords.map(({ quantity }) => quantity)
        }).pipe(withFaults({ script: [{ fault: "unprocessed", share: 0.2 }], seed }))
      assert.deepStrictEqual(yield* quantitiesFor(1), yield* quantitiesFor(1))
      assert.notDeepEqual(yield* quantitiesFor(1), yield* quantitiesFor(2))
    })
  )
})

// ---------------------------------------------------------------------------------------------------
// the selection of a fault for a call
// ---------------------------------------------------------------------------------------------------

describe("a script", () => {
  it.effect("applies in order, with times and none, and then ends", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* faultsOf(7, calls.BatchMeterUsage), [
        "throttling",
        "none",
        "cutAfter",
        "cutAfter",
        "internalError",
        "none",
        "none"
      ])
    }).pipe(
      withFaults({
        script: [
          { fault: "throttling" },
          { fault: "none" },
          { fault: "cutAfter", times: 2 },
          { fault: "internalError", times: 1 }
        ]
      })
    )
  )

  it.effect("each operation takes its first fault", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      for (const operation of [
        "MeterUsage",
        "BatchMeterUsage",
        "MeterUsage",
        "MeterUsage",
        "BatchMeterUsage",
        "MeterUsage"
      ] as const) {
        yield* Effect.ignore(calls[operation])
      }
      const { log } = (yield* sandbox).report
      assert.deepStrictEqual(
        (yield* log).map(({ fault, operation }) => `${operation} ${fault}`),
        [
          "MeterUsage cutBefore",
          "BatchMeterUsage throttling",
          "MeterUsage unavailable",
          "MeterUsage cutAfter",
          "BatchMeterUsage none",
          "MeterUsage none"
        ]
      )
    }).pipe(
      withFaults({
        script: [
          { fault: "throttling", operation: "BatchMeterUsage" },
          { fault: "cutBefore" },
          { fault: "unavailable", operation: "MeterUsage" },
          { fault: "cutAfter" }
        ]
      })
    )
  )

  it.effect("chances apply after the script of the operation has ended", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      for (const operation of ["BatchMeterUsage", "MeterUsage", "MeterUsage"] as const) {
        yield* Effect.ignore(calls[operation])
      }
      const { log } = (yield* sandbox).report
      assert.deepStrictEqual(
        (yield* log).map(({ fault }) => fault),
        ["throttling", "none", "throttling"]
      )
    }).pipe(
      withFaults({
        script: [{ fault: "none", operation: "MeterUsage" }],
        chances: [{ fault: "throttling", probability: 1 }]
      })
    )
  )

  it.effect("is replaced by another one", () =>
    Effect.gen(function* () {
      const { setFaults } = (yield* sandbox).control
      yield* setFaults({ script: [{ fault: "unavailable" }] })
      assert.deepStrictEqual(yield* faultsOf(2, calls.BatchMeterUsage), ["unavailable", "none"])
      yield* setFaults({})
      assert.deepStrictEqual((yield* faultsOf(1, calls.BatchMeterUsage)).at(-1), "none")
    }).pipe(withFaults({ script: [{ fault: "throttling", times: 100 }] }))
  )
})

describe("chances", () => {
  const some: Fault.Faults = {
    chances: [
      { fault: "throttling", probability: 0.1 },
      { fault: "cutAfter", probability: 0.2 },
      { fault: "internalError", probability: 0.5, operation: "MeterUsage" }
    ],
    seed: 7
  }

  it.effect("a seed has the same sequence on every machine", () =>
    Effect.gen(function* () {
      const initials = (yield* faultsOf(40, calls.BatchMeterUsage)).map((fault) => fault[0])
      assert.strictEqual(initials.join(""), "ncnnnnctnnnncncnnnncnnnnnnnnncnnnnncctcn")
    }).pipe(withFaults(some))
  )

  it.effect("the same seed and calls give the same log, another seed another log", () =>
    Effect.gen(function* () {
      const logOf = (seed: number) =>
        Effect.gen(function* () {
          yield* setTime(now)
          for (let round = 0; round < 50; round++) {
            yield* Effect.ignore(calls.BatchMeterUsage)
            yield* Effect.ignore(calls.ResolveCustomer)
          }
          const { log } = (yield* sandbox).report
          return yield* log
        }).pipe(withFaults({ ...some, seed }))
      const first = yield* logOf(1)
      assert.deepStrictEqual(yield* logOf(1), first)
      assert.notDeepEqual(yield* logOf(2), first)
    })
  )

  it.effect("apply with their probability: 1000 calls", () =>
    Effect.gen(function* () {
      const count = (faults: ReadonlyArray<string>, name: string) =>
        faults.filter((fault) => fault === name).length
      const faults = yield* faultsOf(1000, calls.BatchMeterUsage)
      const [throttled, cut] = [count(faults, "throttling"), count(faults, "cutAfter")]
      // 10 % of all, and 20 % of the rest: within four standard deviations
      assert.closeTo(throttled, 100, 4 * Math.sqrt(1000 * 0.1 * 0.9))
      assert.closeTo(cut, 180, 4 * Math.sqrt(1000 * 0.18 * 0.82))
      assert.deepStrictEqual([throttled, cut, count(faults, "internalError")], [84, 186, 0])
    }).pipe(withFaults(some))
  )

  const certain: ReadonlyArray<readonly [probability: number, fault: string]> = [
    [0, "none"],
    [1, "throttling"]
  ]
  for (const [probability, fault] of certain) {
    it.effect(`probability ${probability}: ${fault}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(
          new Set(yield* faultsOf(100, calls.BatchMeterUsage)),
          new Set([fault])
        )
      }).pipe(withFaults({ chances: [{ fault: "throttling", probability }] }))
    )
  }

  it.effect("of another operation do not apply", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* faultsOf(1, calls.BatchMeterUsage), ["none"])
    }).pipe(
      withFaults({ chances: [{ fault: "throttling", probability: 1, operation: "MeterUsage" }] })
    )
  )
})

describe("retries", () => {
  it.effect("wait for the time in Retry-After", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const { callCounts: calls } = (yield* sandbox).report
      const fiber = yield* Effect.fork(
        Effect.retry(batch([record(recent)]), MeteringRetry.standard)
      )
      const count = Effect.map(calls, ({ BatchMeterUsage }) => BatchMeterUsage)
      yield* TestClock.adjust(2999)
      assert.strictEqual(yield* count, 1)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* count, 2)
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).results[0]?.status, "Success")
      assert.strictEqual(yield* count, 3)
    }).pipe(
      withFaults({
        script: [{ fault: "throttling", retryAfter: "3 seconds" }, { fault: "cutAfter" }]
      })
    )
  )

  it.effect("do not repeat a final error", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      yield* Effect.flip(Effect.retry(batch([record(recent)]), MeteringRetry.standard))
      const { callCounts: calls } = (yield* sandbox).report
      assert.strictEqual((yield* calls).BatchMeterUsage, 1)
    }).pipe(withFaults({ script: [{ fault: "rejection", code: "DisabledApiException" }] }))
  )
})
