/** Faults on the wire, and as this library's client reports them: the same as in memory. */
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  Clock,
  DateTime,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Option,
  Redacted,
  TestClock
} from "effect"
import { AwsCredentials, MeteringConfig } from "effect-marketplace-metering"
import * as MeteringClient from "../../src/MeteringClient.js"
import { type Fault, MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import { coral, eventually, modelled, post, type RawRequest, yieldToEventLoop } from "./http.js"
import { batch, billed, record } from "./support.js"

const epoch = DateTime.unsafeMake(0)

const usage: RawRequest = {
  body: JSON.stringify({
    ProductCode: "sandbox-analytics",
    UsageRecords: [
      { Timestamp: 0, Dimension: "api-calls", Quantity: 1, CustomerIdentifier: "cust-acme" }
    ]
  })
}

const served = (...script: ReadonlyArray<Fault.ScriptedFault>) =>
  Layer.provideMerge(SandboxServer.layerNode(), MeteringSandbox.layer({ faults: { script } }))

const logged = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) =>
  Effect.map(report.log, (calls) =>
    calls.map(({ fault, signature, status }) => [fault, signature, status] as const)
  )
)

describe("on the wire", () => {
  const cases: ReadonlyArray<
    readonly [
      Fault.ScriptedFault,
      number,
      string | undefined,
      headers?: Readonly<Record<string, string>>
    ]
  > = [
    [
      { fault: "throttling", retryAfter: "1500 millis" },
      400,
      modelled("ThrottlingException"),
      { "retry-after": "2", "x-amz-retry-after": "1500" }
    ],
    [{ fault: "internalError" }, 500, modelled("InternalServiceErrorException")],
    [{ fault: "unavailable" }, 503, undefined, { "content-type": "text/html" }],
    [{ fault: "rejection", code: "DisabledApiException" }, 400, modelled("DisabledApiException")],
    [{ fault: "expiredCredentials" }, 400, coral("ExpiredTokenException")],
    [
      { fault: "clockSkew", ahead: "6 minutes" },
      400,
      coral("InvalidSignatureException"),
      { date: "Thu, 01 Jan 1970 00:06:00 GMT" }
    ],
    [
      { fault: "clockSkew", behind: "6 minutes" },
      400,
      coral("InvalidSignatureException"),
      { date: "Wed, 31 Dec 1969 23:54:00 GMT" }
    ]
  ]
  for (const [step, status, type, headers = {}] of cases) {
    it.effect(`${JSON.stringify(step)} is a ${status}, once`, () =>
      Effect.gen(function* () {
        const response = yield* post(usage)
        assert.deepStrictEqual([response.status, response.type], [status, type], response.text)
        for (const [name, value] of Object.entries({
          "x-effect-marketplace-metering-sandbox": "true",
          "x-amzn-requestid": "sandbox-000000000001",
          ...headers
        })) {
          assert.strictEqual(response.headers.get(name), value)
        }
        assert.deepStrictEqual(yield* billed, [])
        assert.strictEqual((yield* post(usage)).status, 200)
        const signature = step.fault === "clockSkew" ? "rejected" : "verified"
        assert.deepStrictEqual(yield* logged, [
          [step.fault, signature, status],
          ["none", "verified", 200]
        ])
      }).pipe(Effect.provide(served(step)))
    )
  }

  it.effect("accepts a client with the skewed clock", () =>
    Effect.gen(function* () {
      const response = yield* post({ ...usage, now: 360_000 })
      assert.strictEqual(response.status, 200)
      assert.strictEqual(response.headers.get("date"), "Thu, 01 Jan 1970 00:06:00 GMT")
    }).pipe(Effect.provide(served({ fault: "clockSkew", ahead: "6 minutes" })))
  )

  const cuts: ReadonlyArray<readonly ["cutBefore" | "cutAfter", number, number | undefined]> = [
    ["cutBefore", 0, undefined],
    ["cutAfter", 1, 200]
  ]
  for (const [fault, stored, status] of cuts) {
    it.effect(`${fault}: no response, and ${stored} stored`, () =>
      Effect.gen(function* () {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(post(usage))))
        assert.lengthOf(yield* billed, stored)
        assert.deepStrictEqual(yield* logged, [[fault, "verified", status]])
        assert.strictEqual((yield* post(usage)).status, 200)
        assert.lengthOf(yield* billed, 1)
      }).pipe(Effect.provide(served({ fault })))
    )
  }

  it.effect("latency delays the response, not the usage", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(post(usage))
      yield* eventually(TestClock.sleeps(), (sleeps) => Array.from(sleeps).length > 0)
      assert.lengthOf(yield* billed, 1)
      yield* TestClock.adjust("59 seconds")
      yield* yieldToEventLoop
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
    }).pipe(Effect.provide(served({ fault: "latency", duration: "1 minute" })))
  )

  it.effect("a client that disconnects during the latency is billed", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(post(usage))
      yield* eventually(TestClock.sleeps(), (sleeps) => Array.from(sleeps).length > 0)
      yield* Fiber.interrupt(fiber)
      assert.lengthOf(yield* billed, 1)
      assert.strictEqual((yield* post(usage)).status, 200)
    }).pipe(Effect.provide(served({ fault: "latency", duration: "1 minute" })))
  )

  it.effect("a slow body is complete after the duration", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(post(usage))
      yield* eventually(
        Effect.zipRight(TestClock.adjust("10 millis"), Fiber.poll(fiber)),
        Option.isSome
      )
      const { headers, status, text } = yield* Fiber.join(fiber)
      assert.strictEqual(status, 200)
      assert.strictEqual(headers.get("content-length"), String(text.length))
      assert.strictEqual(JSON.parse(text).Results[0].Status, "Success")
      assert.isAtLeast(yield* Clock.currentTimeMillis, 1000)
    }).pipe(Effect.provide(served({ fault: "slowBody", duration: "1 second" })))
  )

  it.effect("serves others after a client disconnects during a slow body", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(post(usage))
      yield* eventually(TestClock.sleeps(), (sleeps) => Array.from(sleeps).length > 0)
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* post(usage)).status, 200)
    }).pipe(Effect.provide(served({ fault: "slowBody", duration: "1 second" })))
  )

  it.effect("returns unprocessed records", () =>
    Effect.gen(function* () {
      const { text } = yield* post(usage)
      assert.deepStrictEqual(JSON.parse(text).Results, [])
      assert.lengthOf(JSON.parse(text).UnprocessedRecords, 1)
      assert.deepStrictEqual(yield* billed, [])
    }).pipe(Effect.provide(served({ fault: "unprocessed" })))
  )

  for (const fault of [
    { fault: "throttling" },
    { fault: "cutBefore" },
    { fault: "clockSkew", ahead: "6 minutes" }
  ] as const) {
    it.effect(`${fault.fault} is not consumed by rejected calls`, () =>
      Effect.gen(function* () {
        // errors of the requests, not of the fault
        assert.deepStrictEqual(
          [
            (yield* post({ ...usage, unsigned: true })).status,
            (yield* post({ ...usage, secretAccessKey: "another" })).status,
            (yield* post({ ...usage, now: 3_600_000 })).status
          ],
          [400, 400, 400]
        )
        assert.deepStrictEqual(
          (yield* logged).map(([fault]) => fault),
          ["none", "none", "none"]
        )
        yield* Effect.exit(post(usage))
        assert.deepStrictEqual((yield* logged).at(-1)?.[0], fault.fault)
        assert.strictEqual((yield* post(usage)).status, 200)
      }).pipe(Effect.provide(served(fault)))
    )
  }

  it.effect("a call that its access key does not allow consumes no fault", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* post(usage)).status, 400)
      assert.deepStrictEqual((yield* logged)[0]?.[0], "none")
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          SandboxServer.layerNode(),
          MeteringSandbox.layer({
            faults: { script: [{ fault: "throttling" }] },
            credentials: [
              {
                accessKeyId: "sandbox",
                secretAccessKey: Redacted.make("sandbox"),
                allow: ["MeterUsage"]
              }
            ]
          })
        )
      )
    )
  )

  it.effect("a call without a known operation consumes no fault", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* post({ operation: "MeterEverything" })).status, 400)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(post(usage))))
    }).pipe(Effect.provide(served({ fault: "cutBefore" })))
  )
})

describe("this library's client", () => {
  const client = MeteringClient.layer.pipe(
    Layer.provide([
      AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
      Layer.unwrapEffect(
        Effect.map(SandboxServer.SandboxServer, ({ url }) =>
          MeteringConfig.layer({ region: "us-east-1", endpoint: url })
        )
      ),
      NodeHttpClient.layerUndici
    ])
  )

  /** The fields of an error, except those that name the place of the call. */
  const failure = Effect.map(Effect.flip(batch([record(epoch)])), (error) => {
    const {
      endpoint: _,
      reason: __,
      requestId: ___,
      ...fields
    }: Record<string, unknown> = JSON.parse(JSON.stringify(error))
    return { ...fields, message: undefined, isRetryable: error.isRetryable }
  })

  const steps: ReadonlyArray<Fault.ScriptedFault> = [
    { fault: "throttling", retryAfter: "2 seconds" },
    { fault: "throttling" },
    { fault: "internalError" },
    { fault: "unavailable" },
    { fault: "rejection", code: "DisabledApiException", message: "not now" },
    { fault: "rejection", code: "UnheardOfException" },
    { fault: "expiredCredentials", times: 2 },
    { fault: "cutBefore" },
    { fault: "cutAfter" }
  ]
  for (const step of steps) {
    it.effect(`reports ${JSON.stringify(step)} as in memory`, () =>
      Effect.gen(function* () {
        const overHttp = yield* failure.pipe(Effect.provide(client))
        const inMemory = yield* failure.pipe(
          Effect.provide(MeteringSandbox.layer({ faults: { script: [step] } }))
        )
        assert.deepStrictEqual(overHttp, inMemory)
      }).pipe(Effect.provide(served(step)))
    )
  }

  it.effect("corrects its clock by the response's", () =>
    Effect.gen(function* () {
      const { results } = yield* batch([record(epoch)]).pipe(Effect.provide(client))
      assert.strictEqual(results[0]?.status, "Success")
      assert.deepStrictEqual(yield* logged, [
        ["clockSkew", "rejected", 400],
        ["clockSkew", "verified", 200]
      ])
    }).pipe(Effect.provide(served({ fault: "clockSkew", behind: "1 hour", times: 2 })))
  )

  it.effect("times out on a slow body, and is billed", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(
        Effect.flip(batch([record(epoch)])).pipe(Effect.provide(client))
      )
      yield* eventually(
        Effect.zipRight(TestClock.adjust("1 second"), Fiber.poll(fiber)),
        Option.isSome
      )
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "RequestTimeoutError")
      assert.lengthOf(yield* billed, 1)
    }).pipe(Effect.provide(served({ fault: "slowBody", duration: Duration.hours(1) })))
  )
})
