/** The tag over an SDK client that the user has built, with a function for a network. */
import { inspect } from "node:util"
import {
  type MarketplaceMeteringClientConfig,
  MeterUsageCommand,
  ThrottlingException
} from "@aws-sdk/client-marketplace-metering"
import { assert, describe, it } from "@effect/vitest"
import { ConfiguredRetryStrategy } from "@smithy/core/retry"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import {
  type CannedResponse,
  type CapturedRequest,
  type RequestHandler,
  sdkClient,
  toSdk
} from "../differential/harness.js"
import { secrets } from "../support/client.js"
import {
  allOperations,
  batchMeterUsage,
  meterUsage,
  minimalResponse,
  operations,
  record,
  registrationToken
} from "../support/operations.js"

const json = (
  body: unknown,
  status = 200,
  headers: Record<string, string> = {}
): CannedResponse => ({
  status,
  headers: { "x-amzn-requestid": "r-1", ...headers },
  body: JSON.stringify(body)
})

const exception = (code: string, message = "said", headers: Record<string, string> = {}) =>
  json({ __type: code, message }, 400, headers)

const make = (
  handle: RequestHandler,
  config: MarketplaceMeteringClientConfig = {},
  options?: AwsSdkClient.Options
) => {
  const { client, sent } = sdkClient(handle, config)
  return { client, layer: AwsSdkClient.layerFrom(client, options), sent }
}

/** A network that returns the responses in order, then repeats the last one. */
const responses = (...canned: ReadonlyArray<CannedResponse>): RequestHandler => {
  let next = 0
  return () => canned[Math.min(next++, canned.length - 1)] ?? json(minimalResponse)
}

/** A network that fails with this error, whose message is a secret. */
const failing =
  (name: string, details: object = {}): RequestHandler =>
  () =>
    Promise.reject(Object.assign(new Error(secrets.sessionToken), { name, ...details }))

type Call = Effect.Effect<object, MeteringError.MeteringError, MeteringClient.MeteringClient>

const meter: Call = MeteringClient.meterUsage(meterUsage)

const failure = ({ layer }: ReturnType<typeof make>, call = meter) =>
  Effect.flip(Effect.provide(call, Layer.orDie(layer)))

const credentialOf = ({ headers }: CapturedRequest) =>
  /Credential=([^/]+)/.exec(headers.authorization ?? "")?.[1]

describe("a request", () => {
  it.effect("carries its own client token, the same one on every run of the call", () =>
    Effect.gen(function* () {
      const { layer, sent } = make(
        responses(exception("ThrottlingException"), json(minimalResponse))
      )
      const given = MeteringClient.meterUsage({ ...meterUsage, clientToken: "one-charge" })
      const made = MeteringClient.meterUsage(meterUsage)
      yield* Effect.retry(given, Schedule.recurs(1)).pipe(
        Effect.zipRight(made),
        Effect.zipRight(made),
        Effect.provide(layer)
      )
      const [first, retried, another, again] = sent.map(({ body }) => JSON.parse(body).ClientToken)
      assert.deepStrictEqual([first, retried], ["one-charge", "one-charge"])
      assert.match(another, /^[\da-f-]{36}$/)
      assert.strictEqual(again, another)
    })
  )

  it.effect("is checked before it is sent", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      const error = yield* failure(
        rig,
        MeteringClient.meterUsage({ ...meterUsage, usageQuantity: -1 })
      )
      assert.strictEqual(error._tag, "InvalidInputError")
      assert.lengthOf(rig.sent, 0)
    })
  )

  it.effect("of a megabyte is rejected, unless that rule is skipped", () =>
    Effect.gen(function* () {
      const call = MeteringClient.batchMeterUsage({
        ...batchMeterUsage,
        usageRecords: [{ ...record, dimension: "d".repeat(1_000_000) }]
      })
      const checked = make(responses(json(minimalResponse)), {}, { skipRules: ["dimension"] })
      const error = yield* failure(checked, call)
      assert.include(error.message, "[requestSize]")
      assert.lengthOf(checked.sent, 0)
      const unchecked = make(
        responses(json(minimalResponse)),
        {},
        { skipRules: ["dimension", "requestSize"] }
      )
      yield* Effect.provide(call, unchecked.layer)
      assert.lengthOf(unchecked.sent, 1)
    })
  )
})

describe("the user's middlewares", () => {
  type Result = { readonly output: unknown }

  /** One that shows what it is given and what comes back. What that is depends on its step, and so does its type. */
  const looking = (look: (args: unknown, result: Result) => void): never =>
    ((next: (args: unknown) => Promise<Result>) => async (args: unknown) => {
      const result = await next(args)
      look(args, result)
      return result
    }) as never

  it.effect("see the command's input, its request with the body, and the SDK's output", () =>
    Effect.gen(function* () {
      const rig = make(responses(json({ MeteringRecordId: "m" })))
      const seen: Record<string, unknown> = {}
      for (const step of ["initialize", "build", "finalizeRequest"] as const) {
        rig.client.middlewareStack.add(
          looking((args, { output }) => {
            seen[step] = args
            seen.output = output
          }),
          // there is an overload for each step, and none for all
          { step: step as "initialize" }
        )
      }
      yield* Effect.provide(meter, rig.layer)
      assert.deepInclude(seen, {
        output: {
          MeteringRecordId: "m",
          $metadata: (seen.output as { readonly $metadata: unknown }).$metadata
        }
      })
      const { input } = seen.initialize as { readonly input: unknown }
      assert.deepInclude(input, toSdk(meterUsage) as object)
      for (const step of ["build", "finalizeRequest"]) {
        const { request } = seen[step] as { readonly request: CapturedRequest }
        assert.deepInclude(request, { method: "POST", path: "/" })
        assert.strictEqual(request.headers["content-type"], "application/x-amz-json-1.1")
        const body: unknown = request.body
        assert.strictEqual(
          typeof body === "string" ? body : new TextDecoder().decode(body as Uint8Array),
          rig.sent[0]?.body
        )
      }
    })
  )

  it.effect("may change the input, by another one or in its place, and the headers", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      // what an initialize step is given is a command's input, and a build step a request over HTTP
      rig.client.middlewareStack.add(
        (next) => (args) => next({ ...args, input: { ...args.input, UsageQuantity: 7 } as never }),
        { step: "initialize" }
      )
      rig.client.middlewareStack.add(
        (next) => (args) => {
          Object.assign(args.input, { UsageDimension: "theirs" })
          return next(args)
        },
        { step: "initialize", priority: "low" }
      )
      rig.client.middlewareStack.add(
        (next) => (args) => {
          const { headers } = args.request as { readonly headers: Record<string, string> }
          headers["x-user"] = "here"
          return next(args)
        },
        { step: "build" }
      )
      yield* Effect.provide(meter, rig.layer)
      const [sent] = rig.sent
      assert.deepInclude(JSON.parse(sent?.body ?? ""), {
        UsageQuantity: 7,
        UsageDimension: "theirs"
      })
      assert.strictEqual(sent?.headers["x-user"], "here")
    })
  )

  it.effect("run from when they are added to when they are removed, whenever that is", () =>
    Effect.gen(function* () {
      const rig = make(responses(json({ MeteringRecordId: "m" })))
      const outputs: Array<unknown> = []
      const middleware = looking((_, { output }) => outputs.push(output))
      const change = (how: () => void) => Effect.zipRight(Effect.sync(how), meter)
      yield* Effect.gen(function* () {
        yield* meter
        assert.lengthOf(outputs, 0)
        yield* change(() => rig.client.middlewareStack.add(middleware))
        assert.lengthOf(outputs, 1)
        assert.deepInclude(outputs[0], { MeteringRecordId: "m" })
        yield* change(() => rig.client.middlewareStack.remove(middleware))
        assert.lengthOf(outputs, 1)
      }).pipe(Effect.provide(rig.layer))
      assert.lengthOf(rig.sent, 3)
    })
  )

  it.effect("may return an output themselves", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      rig.client.middlewareStack.add(
        () => () =>
          Promise.resolve({
            response: {},
            output: { $metadata: { requestId: "r-9" }, MeteringRecordId: "theirs" }
          })
      )
      const answer = yield* Effect.provide(MeteringClient.meterUsage(meterUsage), rig.layer)
      assert.deepInclude(answer, { meteringRecordId: "theirs", requestId: "r-9" })
      assert.lengthOf(rig.sent, 0)
    })
  )

  it.effect("that send a request twice make its delivery unknown", () =>
    Effect.gen(function* () {
      const codes = ["ECONNRESET", "ECONNREFUSED"]
      const rig = make(() => Promise.reject(Object.assign(new Error(), { code: codes.shift() })))
      rig.client.middlewareStack.add((next) => (args) => next(args).catch(() => next(args)), {
        step: "finalizeRequest",
        priority: "low"
      })
      const error = yield* failure(rig)
      assert.lengthOf(rig.sent, 2)
      assert.deepInclude(
        { ...error },
        { _tag: "ConnectionError", reason: "ECONNREFUSED", delivery: "unknown" }
      )
    })
  )

  const lost = (code: string) => Promise.reject(Object.assign(new Error(), { code }))
  it.effect.each([
    ["lost, then rejected", () => lost("ECONNRESET"), () => exception("ThrottlingException")],
    ["rejected, then lost", () => exception("ThrottlingException"), () => lost("ECONNRESET")],
    [
      "an internal error, then rejected",
      () => json({ __type: "InternalServiceErrorException" }, 500),
      () => exception("TimestampOutOfBoundsException")
    ]
  ] as const)("that send a request twice do not hide that it may be billed: %s", ([, ...network]) =>
    Effect.gen(function* () {
      let next = 0
      const rig = make(() => network[next++ % 2]?.() ?? json(minimalResponse))
      rig.client.middlewareStack.add((next) => (args) => next(args).catch(() => next(args)), {
        step: "deserialize",
        priority: "high"
      })
      const error = yield* failure(rig)
      assert.lengthOf(rig.sent, 2)
      assert.strictEqual(MeteringError.deliveryOf(error), "unknown")
    })
  )

  it.effect("that send a request again after a success do not hide that", () =>
    Effect.gen(function* () {
      const network = [() => json(minimalResponse), () => lost("ECONNRESET")]
      const rig = make(() => network.shift()?.() ?? exception("ThrottlingException"))
      rig.client.middlewareStack.add(
        (next) => async (args) => {
          const first = await next(args)
          await next(args).catch(() => next(args).catch(() => undefined))
          return first
        },
        { step: "deserialize", priority: "high" }
      )
      yield* Effect.provide(MeteringClient.meterUsage(meterUsage), rig.layer)
      assert.lengthOf(rig.sent, 3)
    })
  )

  it.effect("have a context of their own for each call", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      const contexts = new Set<object>()
      rig.client.middlewareStack.add((next, context) => (args) => {
        contexts.add(context)
        return next(args)
      })
      yield* Effect.zipRight(meter, meter).pipe(Effect.provide(rig.layer))
      assert.strictEqual(contexts.size, 2)
    })
  )

  it.effect("and logger: the logger logs each call, also one that is added later", () =>
    Effect.gen(function* () {
      const entries: Array<unknown> = []
      const logger = {
        debug: () => {},
        error: () => {},
        info: (entry: unknown) => entries.push(entry),
        warn: () => {}
      }
      const rig = make(responses(json({ MeteringRecordId: "m" })))
      yield* Effect.gen(function* () {
        yield* meter
        rig.client.config.logger = logger
        yield* meter
      }).pipe(Effect.provide(rig.layer))
      assert.lengthOf(entries, 1)
      assert.deepInclude(entries[0], {
        commandName: "MeterUsageCommand",
        output: { MeteringRecordId: "m" }
      })
    })
  )
})

describe("one attempt", () => {
  const failures: Record<string, RequestHandler> = {
    throttled: responses(exception("ThrottlingException")),
    "a fault of the service": responses(json({}, 503)),
    "a connection reset": failing("Error", { code: "ECONNRESET" })
  }
  for (const [name, handle] of Object.entries(failures)) {
    for (const config of [
      { maxAttempts: 5 },
      { maxAttempts: 5, retryMode: "adaptive" },
      { retryStrategy: new ConfiguredRetryStrategy(5, 0) }
    ]) {
      it.effect(`${name}, with ${Object.keys(config).join(" and ")}`, () =>
        Effect.gen(function* () {
          const rig = make(handle, config)
          const error = yield* failure(rig)
          assert.isTrue(error.isRetryable)
          assert.lengthOf(rig.sent, 1)
          assert.strictEqual(rig.sent[0]?.headers["amz-sdk-request"], "attempt=1; max=1")
        })
      )
    }
  }

  for (const cacheMiddleware of [false, true]) {
    it.effect(
      `leaves the user's client as it was: its own calls are retried and read, ${cacheMiddleware ? "with" : "without"} middlewares cached`,
      () =>
        Effect.gen(function* () {
          const throttled = exception("ThrottlingException")
          const rig = make(
            responses(throttled, json({}, 500), json({ MeteringRecordId: "m" }), throttled),
            { cacheMiddleware, retryStrategy: new ConfiguredRetryStrategy(2, 0) }
          )
          yield* failure(rig)
          const command = new MeterUsageCommand(toSdk(meterUsage) as MeterUsageCommand["input"])
          const output = yield* Effect.promise(() => rig.client.send(command))
          assert.strictEqual(output.MeteringRecordId, "m")
          assert.lengthOf(rig.sent, 3)
          yield* failure(rig)
          assert.lengthOf(rig.sent, 4)
        })
    )
  }
})

describe("interruption and time", () => {
  /** A network that never responds, and completes a deferred when it is called and when it is aborted. */
  const silent = Effect.gen(function* () {
    const asked = yield* Deferred.make<void>()
    const stopped = yield* Deferred.make<void>()
    const run = Runtime.runSync(yield* Effect.runtime())
    const handle: RequestHandler = (_, { abortSignal }) => {
      abortSignal?.addEventListener("abort", () => run(Deferred.succeed(stopped, undefined)))
      run(Deferred.succeed(asked, undefined))
      return new Promise(() => {})
    }
    return { asked, handle, stopped }
  })

  it.effect("interrupting a fiber aborts the request", () =>
    Effect.gen(function* () {
      const { asked, handle, stopped } = yield* silent
      const fiber = yield* Effect.fork(Effect.provide(meter, make(handle).layer))
      yield* Deferred.await(asked)
      const exit = yield* Fiber.interrupt(fiber)
      assert.isTrue(Exit.isInterrupted(exit))
      yield* Deferred.await(stopped)
    })
  )

  it.effect("no response in time is a RequestTimeoutError, and aborts the request", () =>
    Effect.gen(function* () {
      const { asked, handle, stopped } = yield* silent
      const rig = make(handle, {}, { requestTimeout: "10 seconds" })
      const fiber = yield* Effect.fork(failure(rig))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "RequestTimeoutError")
      assert.include(
        error.message,
        "https://metering.marketplace.us-east-1.amazonaws.com within 10s"
      )
      yield* Deferred.await(stopped)
    })
  )
})

describe("the time limit", () => {
  it.effect("ends with the response, so that no timer remains", () =>
    Effect.gen(function* () {
      const waiting = new Set<() => void>()
      let most = 0
      const scheduler: Clock.ClockScheduler = {
        unsafeSchedule: (task) => {
          waiting.add(task)
          most = Math.max(most, waiting.size)
          return () => waiting.delete(task)
        }
      }
      // Effect's default clock has it, but not its type
      const clock = Object.assign(Clock.make(), { scheduler: () => Effect.succeed(scheduler) })
      const rig = make(responses(json(minimalResponse)), {}, { requestTimeout: "10 seconds" })
      yield* meter.pipe(Effect.provide(rig.layer), Effect.withClock(clock))
      assert.strictEqual(most, 1)
      assert.strictEqual(waiting.size, 0)
    })
  )
})

describe("a failure without a response", () => {
  const table: ReadonlyArray<
    readonly [name: string, handle: RequestHandler, expected: Readonly<Record<string, unknown>>]
  > = [
    [
      "a refused connection",
      failing("Error", { code: "ECONNREFUSED" }),
      { _tag: "ConnectionError", reason: "ECONNREFUSED", delivery: "notSent", isRetryable: true }
    ],
    [
      "no such host",
      failing("Error", { code: "ENOTFOUND" }),
      { _tag: "ConnectionError", reason: "ENOTFOUND", delivery: "notSent" }
    ],
    [
      "reset, which the SDK calls a timeout",
      failing("TimeoutError", { code: "ECONNRESET" }),
      { _tag: "ConnectionError", reason: "ECONNRESET", delivery: "unknown", isRetryable: true }
    ],
    [
      "fetch, with the cause inside",
      failing("TypeError", { cause: { code: "UND_ERR_SOCKET" } }),
      { _tag: "ConnectionError", reason: "UND_ERR_SOCKET", delivery: "unknown" }
    ],
    [
      "an error that says nothing",
      () => Promise.reject(undefined),
      { _tag: "ConnectionError", reason: "Transport", delivery: "unknown" }
    ],
    [
      "a timeout of the SDK's own",
      failing("TimeoutError"),
      { _tag: "RequestTimeoutError", isRetryable: true }
    ],
    [
      "the SDK's request timeout",
      failing("TimeoutError", { code: "ETIMEDOUT" }),
      { _tag: "RequestTimeoutError" }
    ],
    [
      "a connection that TCP gave up",
      failing("TimeoutError", { code: "ETIMEDOUT", syscall: "connect" }),
      { _tag: "ConnectionError", reason: "ETIMEDOUT", delivery: "notSent" }
    ],
    [
      "a connection that TCP gave up while it was open",
      failing("TimeoutError", { code: "ETIMEDOUT", syscall: "read" }),
      { _tag: "ConnectionError", reason: "ETIMEDOUT", delivery: "unknown" }
    ]
  ]
  for (const [name, handle, expected] of table) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const error = yield* failure(make(handle))
        const actual = error as unknown as Record<string, unknown>
        for (const [field, value] of Object.entries({
          ...expected,
          operation: "MeterUsage",
          endpoint: "https://metering.marketplace.us-east-1.amazonaws.com"
        })) {
          assert.strictEqual(actual[field], value, field)
        }
      })
    )
  }

  it.effect("a response that breaks off has an unknown delivery, regardless of its error", () =>
    Effect.gen(function* () {
      async function* body() {
        yield await Promise.reject(Object.assign(new Error("no"), { code: "ECONNREFUSED" }))
      }
      const requestHandler = {
        metadata: { handlerProtocol: "http/1.1" },
        handle: async () => ({ response: { statusCode: 200, headers: {}, body: body() } }),
        updateHttpClientConfig: () => {},
        httpHandlerConfigs: () => ({})
      }
      const rig = make(responses(json(minimalResponse)), { requestHandler } as never)
      assert.deepInclude(
        { ...(yield* failure(rig)) },
        { _tag: "ConnectionError", reason: "ECONNREFUSED", delivery: "unknown" }
      )
    })
  )

  const providers: ReadonlyArray<readonly [error: Error, reason: string]> = [
    [
      Object.assign(new Error("Could not load credentials from any providers"), {
        name: "CredentialsProviderError"
      }),
      "CredentialsProviderError: Could not load credentials from any providers"
    ],
    [
      Object.assign(new Error(`Command failed: get --key ${secrets.secretAccessKey}\nno`), {
        name: "CredentialsProviderError"
      }),
      "CredentialsProviderError: Command failed"
    ],
    [new TypeError(`no use for ${secrets.secretAccessKey}`), "TypeError: no use for …"]
  ]
  for (const [cause, reason] of providers) {
    it.effect(`no credentials: ${reason}`, () =>
      Effect.gen(function* () {
        const rig = make(responses(json(minimalResponse)), {
          credentials: () => Promise.reject(cause)
        })
        const error = yield* failure(rig)
        assert.strictEqual(error._tag, "CredentialsError")
        assert.strictEqual(
          error.message,
          `MeterUsage: No AWS credentials from the SDK client's credential provider: ${reason}. Nothing was sent.`
        )
        assert.lengthOf(rig.sent, 0)
      })
    )
  }

  it.effect("no endpoint", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)), {
        endpoint: "https://localhost",
        useFipsEndpoint: true
      })
      const error = yield* failure(rig)
      assert.strictEqual(error._tag, "ConnectionError")
      assert.include(error.message, "EndpointError")
    })
  )

  it.effect("no region is an error of the layer", () =>
    Effect.gen(function* () {
      const { client } = sdkClient(responses(json(minimalResponse)), {
        region: () => Promise.reject<string>(new Error("Region is missing"))
      })
      const error = yield* Effect.flip(Effect.provide(meter, AwsSdkClient.layerFrom(client)))
      assert.strictEqual(error._tag, "MeteringConfigError")
      assert.include(error.message, "Region is missing")
    })
  )
})

describe("recovery", () => {
  const expired = exception(
    "ExpiredTokenException",
    "The security token included in the request is expired"
  )

  /** A provider that has other credentials each time that it is made to ask again. */
  const rotating = () => {
    let made = 0
    return async () => ({ ...secrets, accessKeyId: `AKID${made++}` })
  }

  it.effect("expired credentials are refreshed once, and the call is retried", () =>
    Effect.gen(function* () {
      const rig = make(responses(expired, json({ MeteringRecordId: "m" })), {
        credentials: rotating()
      })
      const answer = yield* Effect.provide(MeteringClient.meterUsage(meterUsage), rig.layer)
      assert.strictEqual(answer.meteringRecordId, "m")
      assert.deepStrictEqual(rig.sent.map(credentialOf), ["AKID0", "AKID1"])
      const [first, second] = rig.sent
      assert.strictEqual(second?.body, first?.body)
    })
  )

  it.effect("credentials that have expired again are reported", () =>
    Effect.gen(function* () {
      const rig = make(responses(expired), { credentials: rotating() })
      const error = yield* failure(rig)
      assert.strictEqual(error._tag, "CredentialsExpiredError")
      assert.lengthOf(rig.sent, 2)
    })
  )

  it.effect("a refresh with the same credentials does not retry", () =>
    Effect.gen(function* () {
      const rig = make(responses(expired))
      const error = yield* failure(rig)
      assert.strictEqual(error._tag, "CredentialsExpiredError")
      assert.lengthOf(rig.sent, 1)
    })
  )

  it.effect("a refresh that never ends fails after a minute", () =>
    Effect.gen(function* () {
      let asked = 0
      const renewing = yield* Deferred.make<void>()
      const rig = make(responses(expired), {
        credentials: async () => {
          asked += 1
          if (asked === 1) return { ...secrets, accessKeyId: "AKID" }
          Deferred.unsafeDone(renewing, Effect.void)
          return new Promise(() => {})
        }
      })
      const fiber = yield* Effect.fork(failure(rig))
      yield* Deferred.await(renewing)
      // the limit's own fiber starts beside the renewal's
      while ((yield* TestClock.sleeps()).length === 0) yield* Effect.yieldNow()
      yield* TestClock.adjust("1 minute")
      const error = yield* Fiber.join(fiber)
      assert.strictEqual(error._tag, "CredentialsExpiredError")
      assert.include(inspect(error), "no response within 1 minute")
      assert.lengthOf(rig.sent, 1)
    })
  )

  it.effect("an expired registration token does not refresh credentials", () =>
    Effect.gen(function* () {
      const rig = make(responses(exception("ExpiredTokenException", "The token has expired")), {
        credentials: rotating()
      })
      const error = yield* failure(rig, operations.ResolveCustomer.call())
      assert.strictEqual(error._tag, "ExpiredTokenException")
      assert.lengthOf(rig.sent, 1)
    })
  )

  const inTwoHours = () => ({ date: new Date(Date.now() + 7_200_000).toUTCString() })
  const dateOf = ({ headers }: CapturedRequest) => headers["x-amz-date"]?.slice(0, 11)
  const hourOf = (millis: number) => new Date(millis).toISOString().slice(0, 13).replaceAll("-", "")

  it.effect("a clock that is off is corrected once, by the SDK, and the call is retried", () =>
    Effect.gen(function* () {
      const handle: RequestHandler = () =>
        rig.sent.length === 1
          ? exception("InvalidSignatureException", "Signature expired: x", inTwoHours())
          : json(minimalResponse)
      const rig = make(handle)
      const now = Date.now()
      yield* Effect.provide(meter, rig.layer)
      const [first, second, ...others] = rig.sent.map(dateOf)
      assert.strictEqual(first, hourOf(now))
      assert.strictEqual(second, hourOf(now + 7_200_000))
      assert.lengthOf(others, 0)
    })
  )

  it.effect.each([
    ["30 days ahead", (): string => new Date(Date.now() + 30 * 86_400_000).toUTCString()],
    ["by which no signature has a date", (): string => "Sat, 13 Sep 275760 00:00:00 GMT"]
  ] as const)("a Date %s is none to sign by, whatever it comes with", ([, date]) =>
    Effect.gen(function* () {
      const rig = make(
        responses(
          json(minimalResponse, 200, { date: date() }),
          exception("ThrottlingException", "said", { date: date() }),
          exception("RequestTimeTooSkewed", "said", { date: date() }),
          json(minimalResponse)
        )
      )
      const now = hourOf(Date.now())
      yield* Effect.provide(meter, rig.layer)
      yield* failure(rig)
      assert.strictEqual((yield* failure(rig))._tag, "ClockSkewError")
      yield* Effect.provide(meter, rig.layer)
      assert.deepStrictEqual(rig.sent.map(dateOf), [now, now, now, now])
    })
  )

  it.effect("a clock that a cached Date has set wrong is corrected by the next rejection", () =>
    Effect.gen(function* () {
      const rig = make(
        responses(
          json(minimalResponse, 200, inTwoHours()),
          exception("RequestTimeTooSkewed", "said", { date: new Date().toUTCString() }),
          json(minimalResponse)
        )
      )
      yield* Effect.provide(meter, rig.layer)
      yield* Effect.provide(meter, rig.layer)
      assert.lengthOf(rig.sent, 3)
    })
  )

  it.effect("a clock that is still rejected is reported", () =>
    Effect.gen(function* () {
      const rig = make(() => exception("RequestTimeTooSkewed", "said", inTwoHours()))
      const error = yield* failure(rig)
      assert.strictEqual(error._tag, "ClockSkewError")
      assert.lengthOf(rig.sent, 2)
    })
  )

  it.effect("other errors of a skewed clock's time are not tried again", () =>
    Effect.gen(function* () {
      const rig = make(() => exception("ThrottlingException", "said", inTwoHours()))
      yield* failure(rig)
      assert.lengthOf(rig.sent, 1)
    })
  )
})

describe("the user's client", () => {
  const lost = () => Promise.reject(Object.assign(new Error(), { code: "ECONNREFUSED" }))

  it.scoped("is not destroyed", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      let destroyed = false
      rig.client.config.requestHandler.destroy = () => {
        destroyed = true
      }
      yield* Effect.provide(meter, rig.layer)
      assert.isFalse(destroyed)
      rig.client.destroy()
      assert.isTrue(destroyed)
    })
  )

  it.effect("may have sent what it lost the response to in a middleware of its own", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      rig.client.middlewareStack.add(
        () => async () => {
          throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })
        },
        { step: "initialize", name: "ownTransport" }
      )
      const error = yield* failure(rig)
      assert.deepInclude(error, { _tag: "ConnectionError", delivery: "unknown" })
      Object.assign(rig.client, { send: () => Promise.reject(new Error("lost")) })
      assert.strictEqual(MeteringError.deliveryOf(yield* failure(rig)), "unknown")
    })
  )

  it.effect.each([
    ["the credentials", { credentials: () => Promise.reject(new Error("none")) }, "initialize"],
    ["the signature", { signer: async () => ({ sign: lost }) }, "finalizeRequest"],
    ["a connection", { requestHandler: { handle: lost } }, "finalizeRequest"]
  ] as const)("may have sent by itself after an error of %s", ([, config, step]) =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)), config as never)
      const unsent = MeteringError.deliveryOf(yield* failure(rig))
      assert.strictEqual(unsent, "notSent")
      rig.client.middlewareStack.add(
        (next) => (args) =>
          next(args).catch(() => Promise.reject(new Error("their own connection"))),
        { step: step as "initialize", priority: "high" }
      )
      const error = yield* failure(rig)
      assert.deepInclude({ ...error }, { _tag: "ConnectionError", delivery: "unknown" })
    })
  )

  it.effect.each(["before", "after"] as const)(
    "may have sent by itself right %s the SDK signs",
    (relation) =>
      Effect.gen(function* () {
        const signer = { sign: lost }
        const config = relation === "before" ? { signer: async () => signer } : {}
        const rig = make(responses(json(minimalResponse)), config as never)
        rig.client.middlewareStack.addRelativeTo(
          ((next: (args: unknown) => Promise<unknown>) => async (args: unknown) => {
            if (relation === "before") await next(args).catch(() => undefined)
            throw new Error("their own connection")
          }) as never,
          { relation, toMiddleware: "httpSigningMiddleware" }
        )
        const error = yield* failure(rig)
        assert.deepInclude({ ...error }, { _tag: "ConnectionError", delivery: "unknown" })
        assert.lengthOf(rig.sent, 0)
      })
  )

  it.effect("may be a stub that returns outputs", () =>
    Effect.gen(function* () {
      const rig = make(responses(json(minimalResponse)))
      const stub = (send: () => Promise<unknown>) => Object.assign(rig.client, { send })
      stub(async () => ({
        $metadata: { httpStatusCode: 200, requestId: "r-9" },
        UnprocessedRecords: [{ Timestamp: new Date(1763987696789), Dimension: "d", Quantity: 3 }]
      }))
      const answer = yield* Effect.provide(
        MeteringClient.batchMeterUsage(batchMeterUsage),
        rig.layer
      )
      assert.strictEqual(answer.requestId, "r-9")
      assert.strictEqual(answer.unprocessedRecords[0]?.timestamp.epochMillis, 1763987696789)
      stub(async () => {
        throw new ThrottlingException({ message: "slow", $metadata: {} })
      })
      const error = yield* failure(rig)
      assert.strictEqual(error._tag, "ThrottlingException")
      assert.include(error.message, "slow")
      assert.lengthOf(rig.sent, 0)
    })
  )
})

describe("a stand-in for a client", () => {
  it.effect("needs no more than a region and `send`", () =>
    Effect.gen(function* () {
      const standIn = {
        config: { region: async () => "us-east-1" },
        send: async () => ({ $metadata: {}, MeteringRecordId: "m" })
      }
      const layer = AwsSdkClient.layerFrom(standIn as never)
      const answer = yield* Effect.provide(MeteringClient.meterUsage(meterUsage), layer)
      assert.deepInclude(answer, { meteringRecordId: "m" })
    })
  )
})

describe("what wraps the client's `send`", () => {
  it.effect("sees how each call ends, and its request id", () =>
    Effect.gen(function* () {
      const rig = make(
        responses(json(minimalResponse), exception("com.amazon#ThrottlingException"), json({}, 500))
      )
      const ends: Array<unknown> = []
      const send = rig.client.send.bind(rig.client) as (...args: Array<unknown>) => Promise<object>
      Object.assign(rig.client, {
        send: (...args: Array<unknown>) =>
          send(...args).then(
            (output) => {
              ends.push(output)
              return output
            },
            (error) => {
              const { $fault, $metadata, name } = error
              ends.push({ $fault, $metadata, name })
              throw error
            }
          )
      })
      yield* Effect.provide(meter, rig.layer)
      for (const tag of ["ThrottlingException", "UnexpectedResponseError"]) {
        assert.strictEqual((yield* failure(rig))._tag, tag)
      }
      const about = (httpStatusCode: number) => ({
        cfId: undefined,
        extendedRequestId: undefined,
        httpStatusCode,
        requestId: "r-1"
      })
      assert.deepStrictEqual(ends, [
        { $metadata: about(200), MeteringRecordId: minimalResponse.MeteringRecordId },
        { $fault: "client", $metadata: about(400), name: "ThrottlingException" },
        { $fault: "server", $metadata: about(500), name: "Unknown" }
      ])
    })
  )
})

describe("calls at the same time", () => {
  it.effect("have their own requests, responses and signatures", () =>
    Effect.gen(function* () {
      const rig = make(async ({ body }) => {
        const { UsageQuantity } = JSON.parse(body)
        // the later a call is made, the sooner it is answered
        for (let turn = UsageQuantity; turn < 20; turn++) await undefined
        return json({ MeteringRecordId: `m-${UsageQuantity}` })
      }, {})
      const quantities = Array.from({ length: 20 }, (_, i) => i)
      const ids = yield* Effect.forEach(
        quantities,
        (usageQuantity) =>
          Effect.map(
            MeteringClient.meterUsage({ ...meterUsage, usageQuantity }),
            ({ meteringRecordId }) => meteringRecordId
          ),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(rig.layer))
      assert.deepStrictEqual(
        ids,
        quantities.map((quantity) => `m-${quantity}`)
      )
      const unique = new Set(rig.sent.map(({ headers }) => headers["amz-sdk-invocation-id"]))
      assert.strictEqual(unique.size, 20)
    })
  )
})

describe("no leak", () => {
  /** Says back all that it was sent, as some proxies do. */
  const recited = ({ body, headers, path }: CapturedRequest) =>
    JSON.stringify({ body, headers, path })
  const paths: Record<string, RequestHandler> = {
    "recited in a message": (request) => exception("ValidationException", recited(request)),
    "recited in a modelled exception": (request) =>
      exception("ThrottlingException", recited(request)),
    "recited in the code": (request) =>
      exception(request.headers["x-amz-security-token"] ?? "", "said"),
    "recited in HTML": (request) => ({
      status: 502,
      headers: {},
      body: `<pre>${recited(request)}`
    }),
    "recited in headers": (request) => ({
      status: 400,
      headers: {
        "content-type": `text/html; ${request.headers.authorization}`,
        "x-amzn-requestid": request.headers["x-amz-security-token"] ?? ""
      },
      body: ""
    }),
    "recited with 200": (request) => ({
      status: 200,
      headers: {},
      body: recited(request).slice(9)
    }),
    "a failure that holds the request": (request) =>
      Promise.reject(Object.assign(new Error(recited(request)), { request, name: "Odd" }))
  }
  for (const [name, handle] of Object.entries(paths)) {
    for (const operation of allOperations) {
      it.effect(`${operation.name}: ${name}`, () =>
        Effect.gen(function* () {
          const rig = make(handle)
          const error = yield* failure(rig, operation.call())
          const signature = rig.sent[0]?.headers.authorization?.slice(-64)
          const shown = [
            JSON.stringify(error),
            String(error),
            error.stack,
            inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }),
            Cause.pretty(Cause.fail(error), { renderErrorCause: true }),
            JSON.stringify(Exit.fail(error))
          ].join("\n")
          for (const secret of [
            secrets.secretAccessKey,
            secrets.sessionToken,
            signature,
            registrationToken
          ]) {
            assert.notInclude(shown, secret ?? "no signature")
          }
          assert.isUndefined(error.cause)
        })
      )
    }
  }
})
