import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as TestClock from "effect/TestClock"
import type * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import { type CapturedSpan, captureSpans } from "./support/captureSpans.js"
import { clientLayer, credentials } from "./support/client.js"
import { allOperations, operations } from "./support/operations.js"
import { exceptionResponse, failingConnection, type Stub, stubHttp } from "./support/stubHttp.js"

const requestId = "1f2e3d4c-0000-4000-8000-00000000c0de"

const outcomeOf = <A, E>(
  call: Effect.Effect<A, E, MeteringClient.MeteringClient>,
  replies: ReadonlyArray<Stub>,
  refresh = Effect.succeed({ ...credentials, accessKeyId: "AKIDFRESH" })
) => {
  const tracing = captureSpans()
  return call.pipe(
    Effect.exit,
    Effect.provide(
      clientLayer(stubHttp(...replies).layer, { credentials: { refresh: () => refresh } })
    ),
    tracing.trace,
    Effect.as(tracing.spans)
  )
}

const seen = ({ attributes, name }: CapturedSpan): Record<string, unknown> => ({
  name,
  ...Object.fromEntries(attributes)
})

const parentOf = ({ parent }: CapturedSpan) => (parent._tag === "Some" ? parent.value : undefined)

const attempt = {
  name: "POST",
  "http.request.method": "POST",
  "server.address": "metering.marketplace.us-east-1.amazonaws.com",
  "server.port": 443,
  "url.scheme": "https"
}

describe.each(allOperations)("a call of $name", ({ wireResponse: answer, call, name }) => {
  const span = {
    name: `Marketplace Metering.${name}`,
    "rpc.system": "aws-api",
    "rpc.service": "Marketplace Metering",
    "rpc.method": name,
    "cloud.region": "us-east-1",
    "server.address": "metering.marketplace.us-east-1.amazonaws.com"
  }

  it.effect("has a span, and its attempt has one below it", () =>
    Effect.gen(function* () {
      const spans = yield* outcomeOf(call(), [
        { body: answer, headers: { "x-amzn-requestid": requestId } }
      ])
      const status = { "http.response.status_code": 200, "aws.request_id": requestId }
      assert.deepStrictEqual(spans.map(seen), [
        { ...span, ...status },
        { ...attempt, ...status }
      ])
      const [outer, inner] = spans
      assert(outer !== undefined && inner !== undefined)
      assert.strictEqual(parentOf(inner), outer)
      assert.deepStrictEqual([outer.kind, inner.kind], ["client", "client"])
    })
  )

  it.effect("has the type of the error", () =>
    Effect.gen(function* () {
      const spans = yield* outcomeOf(call(), [exceptionResponse("ThrottlingException")])
      const status = { "http.response.status_code": 400, "aws.request_id": requestId }
      assert.deepStrictEqual(spans.map(seen), [
        { ...span, ...status, "error.type": "ThrottlingException" },
        { ...attempt, ...status, "error.type": "400" }
      ])
    })
  )

  it.effect("fails with its attempt if the response is an error", () =>
    Effect.gen(function* () {
      const spans = yield* outcomeOf(call(), [exceptionResponse("ThrottlingException")])
      assert.deepStrictEqual(
        spans.map(({ status }) => status._tag === "Ended" && status.exit._tag),
        ["Failure", "Failure"]
      )
    })
  )

  it.effect("does not log a handled failure", () =>
    Effect.gen(function* () {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(message))
      for (const reply of [
        failingConnection("ECONNRESET"),
        exceptionResponse("ThrottlingException")
      ]) {
        yield* outcomeOf(call(), [reply]).pipe(
          Logger.withMinimumLogLevel(LogLevel.All),
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
      }
      assert.deepStrictEqual(logged, [])
    })
  )

  it.effect("has the type of a connection error", () =>
    Effect.gen(function* () {
      const spans = yield* outcomeOf(call(), [failingConnection("ECONNRESET")])
      assert.deepStrictEqual(spans.map(seen), [
        { ...span, "error.type": "ConnectionError" },
        { ...attempt, "error.type": "ConnectionError" }
      ])
    })
  )

  it.effect("has no attempt when nothing was sent", () =>
    Effect.gen(function* () {
      const spans = yield* outcomeOf(call(null), [])
      assert.deepStrictEqual(spans.map(seen), [{ ...span, "error.type": "InvalidInputError" }])
    })
  )

  it.effect("has a span per attempt", () =>
    Effect.gen(function* () {
      const expired = exceptionResponse("com.amazon.coral.service#ExpiredTokenException")
      const spans = yield* outcomeOf(call(), [expired, { body: answer }])
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [name, attributes.get("http.response.status_code")]),
        [
          [span.name, 200],
          ["POST", 400],
          ["POST", 200]
        ]
      )
    })
  )

  it.effect("has no span when tracing is off", () =>
    Effect.gen(function* () {
      for (const reply of [
        { body: answer },
        exceptionResponse("ThrottlingException"),
        failingConnection("ECONNRESET")
      ]) {
        const spans = yield* outcomeOf(Effect.withTracerEnabled(call(), false), [reply])
        assert.lengthOf(spans, 0)
      }
    })
  )

  it.effect("is a child of the app's span, and ends with its outcome", () =>
    Effect.gen(function* () {
      for (const [reply, exit] of [
        [{ body: answer }, "Success"],
        [failingConnection("ECONNRESET"), "Failure"]
      ] as const) {
        const [app, call_] = yield* outcomeOf(Effect.withSpan(call(), "app"), [reply])
        assert(app !== undefined && call_ !== undefined)
        assert.strictEqual(parentOf(call_), app)
        assert.strictEqual(call_.status._tag === "Ended" && call_.status.exit._tag, exit)
      }
    })
  )
})

it.effect.each([
  ["http://127.0.0.1:8080", "127.0.0.1", 8080, "http"],
  ["http://localhost", "localhost", 80, "http"],
  ["https://metering.internal", "metering.internal", 443, "https"]
] as const)(
  "the address in a span is that of the endpoint %s, with its port",
  ([endpoint, address, port, scheme]) =>
    Effect.gen(function* () {
      const tracing = captureSpans()
      yield* operations.MeterUsage.call().pipe(
        Effect.provide(clientLayer(stubHttp({}).layer, { config: { endpoint } })),
        tracing.trace
      )
      assert.deepInclude(tracing.spans.map(seen)[1] ?? {}, {
        "server.address": address,
        "server.port": port,
        "url.scheme": scheme
      })
    })
)

describe("metrics", () => {
  let tests = 0

  /** Returns the metrics of a call, by a label that no other test has. */
  const counted = (
    call: Effect.Effect<unknown, unknown, MeteringClient.MeteringClient>,
    replies: ReadonlyArray<Stub>
  ) =>
    Effect.gen(function* () {
      const test = `test-${tests++}`
      const fiber = yield* outcomeOf(call, replies, Effect.succeed(credentials)).pipe(
        Effect.tagMetrics("test", test),
        Effect.fork
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      const pairs = (yield* Metric.snapshot).filter(
        ({ metricKey }) =>
          metricKey.name.startsWith("aws_") &&
          metricKey.tags.some(({ key, value }) => key === "test" && value === test)
      )
      return pairs
        .map(({ metricKey, metricState }) => ({
          name: metricKey.name,
          tags: Object.fromEntries(
            metricKey.tags.filter(({ key }) => key !== "test").map(({ key, value }) => [key, value])
          ),
          value: MetricState.isCounterState(metricState)
            ? Number(metricState.count)
            : MetricState.isHistogramState(metricState)
              ? { count: metricState.count, sum: metricState.sum }
              : undefined
        }))
        .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
    })

  const callsOf = (operation: string, outcome: string) => ({
    name: "aws_marketplace_metering_calls",
    tags: { operation, outcome },
    value: 1
  })

  const durationOf = (operation: string, sum: number) => ({
    name: "aws_marketplace_metering_call_duration_ms",
    tags: { operation },
    value: { count: 1, sum }
  })

  const recordsOf = (status: string, value: number) => ({
    name: "aws_marketplace_metering_records",
    tags: { status },
    value
  })

  it.effect.each(allOperations)(
    "$name is counted by its outcome and timed",
    ({ wireResponse: answer, call, name }) =>
      Effect.gen(function* () {
        const later = (reply: object) => () => Effect.as(Effect.sleep("30 millis"), reply)
        for (const [reply, outcome] of [
          [later({ body: { ...answer, Results: [] } }), "ok"],
          [later(exceptionResponse("ThrottlingException")), "ThrottlingException"],
          [
            later(exceptionResponse("com.amazon.coral.service#ExpiredTokenException")),
            "CredentialsExpiredError"
          ],
          [later({ status: 502, body: "<html>" }), "UnexpectedResponseError"]
        ] as const) {
          assert.deepStrictEqual(yield* counted(call(), [reply]), [
            durationOf(name, 30),
            callsOf(name, outcome),
            ...(name === "BatchMeterUsage" && outcome === "ok" ? [recordsOf("Missing", 1)] : [])
          ])
        }
      })
  )

  it.effect("a request that is rejected before it is sent is counted", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* counted(operations.MeterUsage.call(null), []), [
        durationOf("MeterUsage", 0),
        callsOf("MeterUsage", "InvalidInputError")
      ])
    })
  )

  it.effect("an interrupted call is counted as interrupted", () =>
    Effect.gen(function* () {
      const hanging = operations.MeterUsage.call().pipe(Effect.timeout("2 seconds"))
      assert.deepStrictEqual(yield* counted(hanging, [() => Effect.never]), [
        durationOf("MeterUsage", 2000),
        callsOf("MeterUsage", "interrupted")
      ])
    })
  )

  it.effect("a permitted dry run is ok", () =>
    Effect.gen(function* () {
      const call = operations.MeterUsage.call({ ...operations.MeterUsage.fields, dryRun: true })
      assert.deepInclude(
        yield* counted(call, [exceptionResponse("DryRunOperation")]),
        callsOf("MeterUsage", "ok")
      )
    })
  )

  it.effect("a call with a recovery is one call", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-11-24T08:15:40Z"))
      const replies = [
        exceptionResponse("RequestTimeTooSkewed", {
          headers: { date: "Tue, 24 Nov 2026 10:15:40 GMT" }
        }),
        { body: { MeteringRecordId: "m" } }
      ]
      assert.deepInclude(
        yield* counted(operations.MeterUsage.call(), replies),
        callsOf("MeterUsage", "ok")
      )
    })
  )

  it.effect("records are counted by their status", () =>
    Effect.gen(function* () {
      const record = { Timestamp: 1, Dimension: "d", CustomerIdentifier: "c" }
      const Results = [
        "Success",
        "DuplicateRecord",
        "Success",
        "CustomerNotSubscribed",
        "OnHold",
        undefined
      ].map((Status) => ({ UsageRecord: record, ...(Status !== undefined && { Status }) }))
      assert.deepStrictEqual(
        yield* counted(operations.BatchMeterUsage.call(), [
          { body: { Results, UnprocessedRecords: [record, record, record] } }
        ]),
        [
          durationOf("BatchMeterUsage", 0),
          callsOf("BatchMeterUsage", "ok"),
          recordsOf("CustomerNotSubscribed", 1),
          recordsOf("DuplicateRecord", 1),
          // the sent record has no result
          recordsOf("Missing", 1),
          recordsOf("Success", 2),
          recordsOf("Unprocessed", 3),
          recordsOf("unknown", 1)
        ]
      )
    })
  )

  it.effect("calls are counted when tracing is off", () =>
    Effect.gen(function* () {
      assert.deepInclude(
        yield* counted(Effect.withTracerEnabled(operations.MeterUsage.call(), false), [{}]),
        callsOf("MeterUsage", "ok")
      )
    })
  )
})
