import * as net from "node:net"
import * as PlatformError from "@effect/platform/Error"
import { assert, describe, it, layer } from "@effect/vitest"
import {
  Context,
  DateTime,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Redacted,
  Scope,
  TestClock,
  Tracer
} from "effect"
import { MeteringClient, type Service } from "../../src/MeteringClient.js"
import * as MeteringError from "../../src/MeteringError.js"
import { MeteringSandbox, SandboxServer } from "../../src/sandbox/index.js"
import { coral, modelled, post, type RawRequest, type RawResponse } from "./http.js"

const record = {
  Timestamp: 0,
  Dimension: "api-calls",
  Quantity: 1,
  CustomerIdentifier: "cust-acme"
}
const body = (change: object = {}, ...records: ReadonlyArray<object>) =>
  JSON.stringify({
    ProductCode: "sandbox-analytics",
    UsageRecords: [record, ...records],
    ...change
  })

const session: SandboxServer.Options["credentials"] = [
  SandboxServer.defaultCredentials,
  {
    accessKeyId: "ASIASESSION",
    secretAccessKey: Redacted.make("session-secret"),
    sessionToken: Redacted.make("session-token"),
    expiration: DateTime.unsafeMake(60_000)
  }
]

const inSession: RawRequest = {
  accessKeyId: "ASIASESSION",
  secretAccessKey: "session-secret",
  sessionToken: "session-token",
  body: body()
}

const live = SandboxServer.layerNode({ credentials: session }).pipe(
  Layer.provideMerge(MeteringSandbox.layer())
)

/** Every answer says what it is, whatever it says. */
const isOfSandbox = (answer: RawResponse) => {
  assert.strictEqual(answer.headers.get("content-type"), "application/x-amz-json-1.1")
  assert.strictEqual(answer.headers.get("x-effect-marketplace-metering-sandbox"), "true")
  assert.match(answer.headers.get("x-amzn-requestid") ?? "", /^sandbox-/)
  assert.strictEqual(new Date(answer.headers.get("date") ?? "").getUTCFullYear(), 1970)
}

describe("options", () => {
  it.effect("Regions, skew and size", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [RawRequest, number, string | undefined]> = [
        [{}, 200, undefined],
        [{ region: "eu-west-1" }, 200, undefined],
        [{ region: "us-east-1" }, 400, coral("InvalidSignatureException")],
        [{ now: -60_000 }, 200, undefined],
        [{ now: -61_000 }, 400, coral("InvalidSignatureException")],
        [{ body: " ".repeat(1001) }, 413, coral("RequestEntityTooLargeException")]
      ]
      for (const [request, status, type] of cases) {
        const answer = yield* post({ body: body(), region: "eu-west-1", ...request })
        assert.deepStrictEqual([answer.status, answer.type], [status, type], answer.text)
      }
    }).pipe(
      Effect.provide(
        Layer.provide(
          SandboxServer.layerNode({
            regions: ["eu-west-1"],
            allowedSkew: "1 minute",
            maxBodySize: 1000
          }),
          MeteringSandbox.layer()
        )
      )
    )
  )

  it.effect("a port that is taken is a failure", () =>
    Effect.gen(function* () {
      const { url } = yield* SandboxServer.SandboxServer
      const error = yield* Effect.flip(
        Effect.provide(
          Effect.void,
          Layer.provide(
            SandboxServer.layerNode({ port: Number(new URL(url).port) }),
            MeteringSandbox.layer()
          )
        )
      )
      assert.strictEqual(error._tag, "ServeError")
    }).pipe(Effect.provide(live))
  )
})

describe("before any client", () => {
  /** A client all of whose operations come to this. */
  const behind = (outcome: Effect.Effect<never, MeteringError.CommonError>) => {
    const call = () => outcome
    const service: Service = {
      meterUsage: call,
      meterUsageDryRun: call,
      batchMeterUsage: call,
      registerUsage: call,
      resolveCustomer: call
    }
    return Layer.provideMerge(SandboxServer.layerNode(), Layer.succeed(MeteringClient, service))
  }

  const noSpace = new PlatformError.SystemError({
    reason: "Unknown",
    module: "FileSystem",
    method: "writeAll",
    pathOrDescriptor: "sandbox.state",
    cause: Object.assign(new Error("write"), { code: "ENOSPC" })
  })

  const broken: ReadonlyArray<
    readonly [string, Effect.Effect<never>, logged: RegExp, said: RegExp]
  > = [
    [
      "a defect is an internal error, and its place is logged",
      Effect.die(new Error("secret detail")),
      /^ERROR A call failed unexpectedly: Error\n +at .*SandboxServer\.test/,
      /The call failed unexpectedly/
    ],
    [
      "an interruption is an internal error, and nothing is logged",
      Effect.interrupt,
      /^$/,
      /The call failed unexpectedly/
    ],
    [
      "a full disk is said to the caller and on the log",
      Effect.die(noSpace),
      /^ERROR The sandbox cannot write its state to sandbox\.state: no space left on the device/,
      /cannot write its state to sandbox\.state: no space left on the device/
    ]
  ]
  for (const [what, outcome, logged, said] of broken) {
    it.effect(what, () => {
      const printed: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) =>
        printed.push(`${logLevel.label} ${message}`)
      )
      return Effect.gen(function* () {
        for (let i = 0; i < 2; i++) {
          const answer = yield* post({ body: body() })
          isOfSandbox(answer)
          assert.strictEqual(answer.status, 500)
          assert.strictEqual(answer.type, modelled("InternalServiceErrorException"))
          assert.match(answer.message ?? "", said)
          assert.notInclude(answer.text, "secret")
        }
        assert.match(printed.at(0) ?? "", logged)
        assert.notInclude(printed.join(), "secret")
      }).pipe(
        Effect.provide(
          behind(outcome).pipe(Layer.provide(Logger.replace(Logger.defaultLogger, logger)))
        )
      )
    })
  }

  it.effect("an error of the service keeps its code, status, words and id", () =>
    Effect.gen(function* () {
      const answer = yield* post({ body: body() })
      assert.deepStrictEqual(
        [answer.status, answer.type, answer.message, answer.headers.get("x-amzn-requestid")],
        [403, coral("AccessDeniedException"), "not you", "sandbox-1a2b"]
      )
    }).pipe(
      Effect.provide(
        behind(
          Effect.fail(
            new MeteringError.AccessDeniedError({
              operation: "BatchMeterUsage",
              code: "AccessDeniedException",
              statusCode: 403,
              serviceMessage: "not you",
              requestId: "1a2b"
            })
          )
        )
      )
    )
  )

  it.effect("any Region will do", () =>
    Effect.gen(function* () {
      const { status } = yield* post({ body: body(), region: "ap-southeast-2" })
      assert.strictEqual(status, 500)
    }).pipe(Effect.provide(behind(Effect.die("reached"))))
  )

  it.effect("a body may be of 1 MiB", () =>
    Effect.gen(function* () {
      const longest = 1_048_576
      assert.strictEqual((yield* post({ body: " ".repeat(longest + 1) })).status, 413)
      assert.strictEqual((yield* post({ body: body().padEnd(longest) })).status, 500)
    }).pipe(Effect.provide(behind(Effect.die("it came through"))))
  )

  it.live("a sender that hangs up interrupts the call", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const slow = Deferred.succeed(started, undefined).pipe(
        Effect.zipRight(Effect.never),
        Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
      )
      yield* Effect.gen(function* () {
        const fiber = yield* Effect.fork(post({ body: body(), now: Date.now() }))
        yield* Deferred.await(started)
        yield* Fiber.interrupt(fiber)
        yield* Deferred.await(interrupted)
      }).pipe(Effect.provide(behind(slow)))
    })
  )

  it.live("closing the scope ends the server, whoever is still waiting", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(
        behind(Deferred.succeed(started, undefined).pipe(Effect.zipRight(Effect.never))),
        scope
      )
      const fiber = yield* Effect.fork(
        Effect.exit(Effect.provide(post({ body: body(), now: Date.now() }), context))
      )
      yield* Deferred.await(started)
      const [took] = yield* Effect.timed(Scope.close(scope, Exit.void))
      assert.isBelow(Duration.toMillis(took), 2000)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(fiber)))
      const after = yield* Effect.exit(Effect.provide(post(), context))
      assert.isTrue(Exit.isFailure(after))
    })
  )
})

/** A client of somebody else's over the sandbox's own, which is not gone past. */
const another = Layer.map(MeteringSandbox.layer(), (context) =>
  Context.add(context, MeteringClient, { ...Context.get(context, MeteringClient) })
)

it.effect("no span holds what was sent", () => {
  const traced = Layer.provide(SandboxServer.layerNode({ credentials: session }), another)
  const attributes: Array<unknown> = []
  const tracer = Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind) => ({
      _tag: "Span",
      name,
      parent,
      context,
      links,
      kind,
      spanId: "1",
      traceId: "1",
      sampled: true,
      status: { _tag: "Started", startTime },
      attributes: new Map(),
      attribute: (key, value) => attributes.push(key, value),
      event: () => {},
      addLinks: () => {},
      end: () => {}
    })
  })
  return Effect.gen(function* () {
    assert.strictEqual((yield* post(inSession)).status, 200)
    const seen = JSON.stringify(attributes)
    assert.include(seen, "sandbox-0000")
    assert.notInclude(seen, "session-token")
    assert.notInclude(seen, "AWS4-HMAC-SHA256")
  }).pipe(Effect.provide(Layer.provide(traced, Layer.setTracer(tracer))))
})

// the last, since `layer` changes what `it.effect` means from then on
layer(live)("a server before the sandbox", (it) => {
  it.effect("answers a signed call", () =>
    Effect.gen(function* () {
      const answer = yield* post({ body: body() })
      isOfSandbox(answer)
      assert.strictEqual(answer.status, 200)
      const json = JSON.parse(answer.text)
      assert.deepStrictEqual(json, {
        Results: [
          {
            UsageRecord: record,
            MeteringRecordId: json.Results[0].MeteringRecordId,
            Status: "Success"
          }
        ],
        UnprocessedRecords: []
      })
      assert.strictEqual(answer.headers.get("x-amzn-requestid"), "sandbox-000000000001")
      assert.strictEqual(answer.headers.get("date"), "Thu, 01 Jan 1970 00:00:00 GMT")
    })
  )

  const accepted: ReadonlyArray<readonly [string, RawRequest]> = [
    ["a session token", inSession],
    [
      "an unsigned header that is added later",
      { body: body(), altered: { headers: { traceparent: "00-1" } } }
    ],
    ["a query", { body: body(), path: "/?a=1" }],
    ["spaces in the JSON", { body: JSON.stringify(JSON.parse(body()), null, 2) }],
    ["members that nobody knows", { body: body({ Unknown: [1] }) }],
    ["members that are null", { body: body({}, { ...record, CustomerAWSAccountId: null }) }],
    ["the last second that a signature lives", { body: body(), now: -300_000 }],
    ["a clock that is ahead", { body: body(), now: 300_000 }]
  ]
  for (const [what, request] of accepted) {
    it.effect(`accepts ${what}`, () =>
      Effect.gen(function* () {
        const answer = yield* post(request)
        assert.strictEqual(answer.status, 200, answer.text)
      })
    )
  }

  const refused: ReadonlyArray<readonly [string, RawRequest, number, string]> = [
    ["a wrong secret", { secretAccessKey: "other" }, 400, coral("InvalidSignatureException")],
    ["an unknown key", { accessKeyId: "AKIAOTHER" }, 400, coral("UnrecognizedClientException")],
    [
      "another Region",
      { body: body(), region: "ap-southeast-2" },
      400,
      coral("InvalidSignatureException")
    ],
    [
      "an altered body",
      { body: body(), altered: { body: body({ A: 1 }) } },
      400,
      coral("InvalidSignatureException")
    ],
    [
      "an altered target",
      { body: body(), altered: { headers: { "x-amz-target": "AWSMPMeteringService.MeterUsage" } } },
      400,
      coral("InvalidSignatureException")
    ],
    [
      "another service's scope",
      { service: "metering.marketplace" },
      400,
      coral("InvalidSignatureException")
    ],
    ["a stale date", { now: -301_000 }, 400, coral("InvalidSignatureException")],
    ["a date to come", { now: 301_000 }, 400, coral("InvalidSignatureException")],
    ["no signature", { unsigned: true }, 400, coral("MissingAuthenticationTokenException")],
    [
      "half a signature",
      { altered: { headers: { authorization: "AWS4-HMAC-SHA256 Credential=a" } } },
      400,
      coral("IncompleteSignatureException")
    ],
    [
      "a session token that is missing",
      { ...inSession, sessionToken: "" },
      400,
      coral("UnrecognizedClientException")
    ],
    [
      "another session's token",
      { ...inSession, sessionToken: "other" },
      400,
      coral("UnrecognizedClientException")
    ],
    [
      "a session token where there is none",
      { sessionToken: "extra" },
      400,
      coral("UnrecognizedClientException")
    ],
    ["GET", { method: "GET", unsigned: true }, 404, coral("UnknownOperationException")],
    ["PUT", { method: "PUT" }, 404, coral("UnknownOperationException")],
    ["another path", { path: "/v1" }, 404, coral("UnknownOperationException")],
    [
      "an unknown operation",
      { operation: "MeterEverything" },
      400,
      coral("UnknownOperationException")
    ],
    [
      "another service's target",
      { headers: { "x-amz-target": "DynamoDB_20120810.GetItem" } },
      400,
      coral("UnknownOperationException")
    ],
    ["no target", { headers: { "x-amz-target": "" } }, 400, coral("UnknownOperationException")],
    ["malformed JSON", { body: body().slice(0, -1) }, 400, coral("SerializationException")],
    ["deep JSON", { body: "[".repeat(500_000) }, 400, coral("SerializationException")],
    [
      "deep JSON that is well-formed",
      { body: `{"UsageRecords":${"[".repeat(9_999)}${"]".repeat(9_999)}}` },
      400,
      coral("SerializationException")
    ],
    ["a list", { body: "[]" }, 400, coral("SerializationException")],
    [
      "bytes that are no UTF-8",
      { body: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) },
      400,
      coral("SerializationException")
    ],
    [
      "a text for a number",
      { body: body({}, { ...record, Quantity: "1" }) },
      400,
      coral("SerializationException")
    ],
    ["an empty body", { body: "" }, 400, coral("ValidationException")],
    [
      "a record without a dimension",
      { body: body({}, { ...record, Dimension: undefined }) },
      400,
      coral("ValidationException")
    ],
    [
      "26 records",
      { body: body({ UsageRecords: Array.from({ length: 26 }, () => record) }) },
      400,
      coral("ValidationException")
    ],
    [
      "two identities",
      { body: body({}, { ...record, CustomerAWSAccountId: "1" }) },
      400,
      modelled("InvalidCustomerIdentifierException")
    ],
    [
      "an unknown product",
      { body: body({ ProductCode: "other" }) },
      400,
      modelled("InvalidProductCodeException")
    ],
    [
      "a body of 2 MB",
      { body: "x".repeat(2_000_000) },
      413,
      coral("RequestEntityTooLargeException")
    ],
    [
      "a body of one byte more",
      { body: " ".repeat(1_000_000) },
      413,
      coral("RequestEntityTooLargeException")
    ],
    [
      "nothing in a body as long as may be",
      { body: " ".repeat(999_999) },
      400,
      coral("ValidationException")
    ]
  ]
  for (const [what, request, status, type] of refused) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function* () {
        const answer = yield* post({ body: body(), ...request })
        isOfSandbox(answer)
        assert.deepStrictEqual([answer.status, answer.type], [status, type], answer.text)
        assert.notInclude(answer.text, "session-secret")
      })
    )
  }

  it.effect("names the member that has the wrong type", () =>
    Effect.gen(function* () {
      const { message } = yield* post({ body: body({}, { ...record, Timestamp: "1970-01-01" }) })
      assert.strictEqual(message, "UsageRecords[1].Timestamp: expected a number of seconds")
    })
  )

  it.effect("says that a date is too old as AWS does", () =>
    Effect.gen(function* () {
      const { message = "" } = yield* post({ now: -301_000 })
      assert.match(message, /^Signature expired: 19691231T235459Z is now earlier than/)
    })
  )

  it.effect("answers HEAD", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* post({ method: "HEAD", unsigned: true })).status, 404)
    })
  )

  it.effect("takes a body in chunks, and forgets one that is too long", () =>
    Effect.gen(function* () {
      const { url } = yield* SandboxServer.SandboxServer
      const status = yield* Effect.promise(async () => {
        const chunk = new Uint8Array(500_000)
        const stream = new ReadableStream({
          start(controller) {
            for (let i = 0; i < 5; i++) controller.enqueue(chunk)
            controller.close()
          }
        })
        const response = await fetch(url, {
          method: "POST",
          headers: { "x-amz-target": "AWSMPMeteringService.MeterUsage" },
          body: stream,
          duplex: "half"
        } as RequestInit)
        return response.status
      })
      assert.strictEqual(status, 413)
    })
  )

  it.effect("outlives a sender that hangs up in the middle of a body", () =>
    Effect.gen(function* () {
      const { url } = yield* SandboxServer.SandboxServer
      yield* Effect.promise(
        () =>
          new Promise<void>((resolve) => {
            const socket = net.connect(Number(new URL(url).port), "127.0.0.1", () => {
              socket.write(
                "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\nx-amz-target: AWSMPMeteringService.MeterUsage\r\n\r\n{",
                () => {
                  socket.destroy()
                  resolve()
                }
              )
            })
          })
      )
      assert.strictEqual((yield* post({ body: body() })).status, 200)
    })
  )

  it.effect("answers many at once", () =>
    Effect.gen(function* () {
      const answers = yield* Effect.forEach(
        Array.from({ length: 200 }),
        () => post({ body: body() }),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(answers.map(({ status }) => status)), new Set([200]))
      assert.strictEqual(
        new Set(answers.map(({ headers }) => headers.get("x-amzn-requestid"))).size,
        200
      )
    })
  )

  // the last, since time does not go back
  it.effect("says that a session has expired", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 minutes")
      const answer = yield* post({ ...inSession, now: 60_000 })
      assert.deepStrictEqual([answer.status, answer.type], [400, coral("ExpiredTokenException")])
      assert.strictEqual(answer.message, "The security token included in the request is expired")
    })
  )
})
