/** The tag over an SDK client of its own, and a server on loopback. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import { inspect } from "node:util"
import { MarketplaceMeteringClient, MeterUsageCommand } from "@aws-sdk/client-marketplace-metering"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import type * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import type * as MeteringConfig from "effect-marketplace-metering/MeteringConfig"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import { callSdk, toSdk } from "../differential/harness.js"
import { captureSpans } from "../support/captureSpans.js"
import {
  configLayer,
  credentials,
  credentialsLayer,
  freshCredentials,
  secrets
} from "../support/client.js"
import * as loopbackServer from "../support/loopbackServer.js"
import { allOperations, meterUsage, minimalResponse } from "../support/operations.js"

type Responder = (response: ServerResponse) => void

const respond =
  (status: number, body: object): Responder =>
  (response) => {
    response.writeHead(status, { "x-amzn-requestid": "r-1" }).end(JSON.stringify(body))
  }

const serviceError = (code: string) => respond(400, { __type: code, message: "said" })

/** A server that returns the responses in order, then repeats the last one, and records closed connections. */
const serve = (...responders: ReadonlyArray<Responder>) =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    const run = Runtime.runSync(yield* Effect.runtime())
    const requests: Array<IncomingMessage> = []
    const endpoint = yield* loopbackServer.serve((request, response) => {
      const responder = responders[Math.min(requests.length, responders.length - 1)]
      requests.push(request)
      request.socket.once("close", () => run(Deferred.succeed(closed, undefined)))
      responder?.(response)
    })
    return { closed, endpoint, requests }
  })

const layerOf = (
  config: Partial<MeteringConfig.Service>,
  credentials?: Partial<AwsCredentials.Service>
) => AwsSdkClient.layer.pipe(Layer.provide([configLayer(config), credentialsLayer(credentials)]))

const meter = MeteringClient.meterUsage(meterUsage)

/** A request's fields as JSON on the wire. */
const toWire = (fields: object) =>
  Object.fromEntries(
    Object.entries(toSdk(fields) as object).map(([name, value]) => [
      name,
      value instanceof Date ? value.getTime() / 1000 : value
    ])
  )

const credentialOf = ({ headers }: IncomingMessage) =>
  /Credential=([^,]+)/.exec(headers.authorization ?? "")?.[1]?.replace(/\d{8}/, "<date>")

describe("a credential that no header can carry", () => {
  it.scoped("is rejected if it comes from AwsCredentials", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(serviceError("ExpiredTokenException"))
      const spoilt = { ...credentials, sessionToken: Redacted.make("hunter2\npass") }
      const reason = "sessionToken holds a line break or another character that no header can carry"
      const error = yield* Effect.flip(
        Effect.provide(meter, layerOf({ endpoint }, { get: Effect.succeed(spoilt) }))
      )
      assert.deepInclude(
        { ...error },
        { _tag: "CredentialsError", operation: "MeterUsage", reason }
      )
      assert.lengthOf(requests, 0)
      const expired = yield* Effect.flip(
        Effect.provide(meter, layerOf({ endpoint }, { refresh: () => Effect.succeed(spoilt) }))
      )
      assert.deepInclude({ ...expired }, { _tag: "CredentialsExpiredError", refreshError: reason })
      assert.lengthOf(requests, 1)
    })
  )

  it.scoped("is not sent by the user's SDK client either", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(respond(200, minimalResponse))
      const sdk = new MarketplaceMeteringClient({
        region: "us-east-1",
        endpoint,
        credentials: { accessKeyId: "AKID", ...secrets, sessionToken: "hunter2\npass" }
      })
      const error = yield* Effect.flip(Effect.provide(meter, AwsSdkClient.layerFrom(sdk)))
      assert.deepInclude(
        { ...error },
        { _tag: "ConnectionError", reason: "ERR_INVALID_CHAR", delivery: "notSent" }
      )
      assert.isFalse(error.isRetryable)
      assert.include(error.message, "Nothing was sent; a header has an invalid character")
      assert.notInclude(inspect(error), "hunter2")
      assert.lengthOf(requests, 0)
    })
  )
})

describe("AwsSdkClient.layer", () => {
  for (const { wireResponse: answer, call, name } of allOperations) {
    it.scoped(`${name}: the configuration's endpoint and region, and the credentials`, () =>
      Effect.gen(function* () {
        const { endpoint, requests } = yield* serve(respond(200, answer))
        const response = yield* Effect.provide(call(), layerOf({ endpoint, region: "eu-west-1" }))
        assert.deepInclude(response, { requestId: "r-1", statusCode: 200 })
        assert.deepStrictEqual(requests.map(credentialOf), [
          "AKIDEXAMPLE/<date>/eu-west-1/aws-marketplace/aws4_request"
        ])
        const [request] = requests
        assert.strictEqual(request?.method, "POST")
        assert.strictEqual(request?.url, "/")
        assert.strictEqual(request?.headers["x-amz-target"], `AWSMPMeteringService.${name}`)
      })
    )
  }

  it.scoped("makes one attempt", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(serviceError("ThrottlingException"))
      const error = yield* Effect.flip(Effect.provide(meter, layerOf({ endpoint })))
      assert.strictEqual(error._tag, "ThrottlingException")
      assert.lengthOf(requests, 1)
    })
  )

  it.scoped("refreshes expired credentials once, and signs later requests with the new ones", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(
        serviceError("ExpiredTokenException"),
        respond(200, minimalResponse)
      )
      let current = credentials
      const refreshed: Array<string> = []
      yield* meter.pipe(
        Effect.zipRight(meter),
        Effect.provide(
          layerOf(
            { endpoint },
            {
              get: Effect.sync(() => current),
              refresh: (expired) =>
                Effect.sync(() => {
                  refreshed.push(expired.accessKeyId)
                  current = freshCredentials
                  return current
                })
            }
          )
        )
      )
      assert.deepStrictEqual(refreshed, ["AKIDEXAMPLE"])
      assert.strictEqual(new Set(requests.map(({ socket }) => socket)).size, 1, "connections")
      assert.deepStrictEqual(
        requests.map((request) => credentialOf(request)?.split("/")[0]),
        ["AKIDEXAMPLE", "AKIDFRESH", "AKIDFRESH"]
      )
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["x-amz-security-token"]),
        [credentials, freshCredentials, freshCredentials].map(
          ({ sessionToken }) => sessionToken && Redacted.value(sessionToken)
        )
      )
    })
  )

  it.scoped("sends every time what the SDK sends the first time, with each call's own body", () =>
    Effect.gen(function* () {
      const sent: Array<{ readonly headers: IncomingHttpHeaders; readonly body: unknown }> = []
      const endpoint = yield* loopbackServer.serve((request, response, body) => {
        sent.push({ headers: request.headers, body: JSON.parse(body) })
        assert.strictEqual(request.headers["content-length"], String(Buffer.byteLength(body)))
        respond(200, minimalResponse)(response)
      })
      const sdk = new MarketplaceMeteringClient({
        region: "us-east-1",
        endpoint,
        maxAttempts: 1,
        credentials: { accessKeyId: credentials.accessKeyId, ...secrets }
      })
      const inputs = ["hosts", "ünits", "hosts"].map((usageDimension) => ({
        ...meterUsage,
        usageDimension,
        clientToken: usageDimension,
        dryRun: false as const
      }))
      yield* Effect.forEach(inputs, (input) => MeteringClient.meterUsage(input)).pipe(
        Effect.provide(layerOf({ endpoint }))
      )
      yield* Effect.promise(() => callSdk(sdk, "MeterUsage", inputs[0] ?? {}))
      sdk.destroy()
      assert.deepStrictEqual(
        sent.map(({ body }) => body),
        [...inputs, inputs[0]].map((input) => toWire(input ?? {}))
      )
      const ofEachCall = [
        "authorization",
        "amz-sdk-invocation-id",
        "content-length",
        "x-amz-content-sha256",
        "x-amz-date"
      ]
      const [first, ...others] = sent.map(({ headers }) => ({
        ...headers,
        ...Object.fromEntries(ofEachCall.map((name) => [name, name in headers]))
      }))
      for (const other of others) assert.deepStrictEqual(other, first)
    })
  )

  it.scoped("gives concurrent calls their own responses", () =>
    Effect.gen(function* () {
      const endpoint = yield* loopbackServer.serve((_, response, body) =>
        respond(200, { MeteringRecordId: `m-${JSON.parse(body).UsageQuantity}` })(response)
      )
      const quantities = Array.from({ length: 20 }, (_, i) => i)
      const ids = yield* Effect.forEach(
        quantities,
        (usageQuantity) => MeteringClient.meterUsage({ ...meterUsage, usageQuantity }),
        { concurrency: "unbounded" }
      ).pipe(Effect.provide(layerOf({ endpoint })))
      assert.deepStrictEqual(
        ids.map(({ meteringRecordId }) => meteringRecordId),
        quantities.map((quantity) => `m-${quantity}`)
      )
    })
  )

  it.scoped("names the trace that each call belongs to, as the SDK does in a Lambda function", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(respond(200, minimalResponse))
      const inTrace = (id: string | undefined) =>
        Effect.zipRight(
          Effect.sync(() => {
            for (const [name, value] of Object.entries({
              AWS_LAMBDA_FUNCTION_NAME: id && "meter",
              _X_AMZN_TRACE_ID: id
            })) {
              if (value === undefined) delete process.env[name]
              else process.env[name] = value
            }
          }),
          meter
        )
      yield* Effect.forEach(["Root=1", "Root=2", undefined], inTrace).pipe(
        Effect.provide(layerOf({ endpoint }))
      )
      assert.deepStrictEqual(
        requests.map(({ headers }) => headers["x-amzn-trace-id"]),
        ["Root=1", "Root=2", undefined]
      )
    })
  )

  it.scoped("corrects its clock once by the service's, and keeps it with other credentials", () =>
    Effect.gen(function* () {
      const inTwoHours = new Date(Date.now() + 7_200_000)
      const skewed =
        (status: number, body: object): Responder =>
        (response) => {
          response.setHeader("date", inTwoHours.toUTCString())
          respond(status, body)(response)
        }
      const { endpoint, requests } = yield* serve(
        skewed(400, { __type: "InvalidSignatureException", message: "Signature expired: x" }),
        skewed(400, { __type: "ExpiredTokenException", message: "said" }),
        skewed(200, minimalResponse)
      )
      yield* TestClock.setTime(Date.now())
      yield* Effect.provide(meter, layerOf({ endpoint }))
      const hours = requests.map(({ headers }) => String(headers["x-amz-date"]).slice(0, 11))
      const later = inTwoHours.toISOString().slice(0, 13).replaceAll("-", "")
      assert.deepStrictEqual(
        hours.map((hour) => hour === later),
        [false, true, true]
      )
    })
  )

  it.scoped("has a stub of the SDK's class send in its place, with the command and its input", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(respond(200, minimalResponse))
      const commands: Array<unknown> = []
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          // as a mock of the class is put in: what is its parent's is there again when it is taken out
          Object.defineProperty(MarketplaceMeteringClient.prototype, "send", {
            configurable: true,
            value: async (command: unknown) => {
              commands.push(command)
              return { $metadata: { requestId: "r-9" }, MeteringRecordId: "stubbed" }
            }
          })
        }),
        () => Effect.sync(() => Reflect.deleteProperty(MarketplaceMeteringClient.prototype, "send"))
      )
      const answer = yield* Effect.provide(
        MeteringClient.meterUsage(meterUsage),
        layerOf({ endpoint })
      )
      assert.deepInclude(answer, { meteringRecordId: "stubbed", requestId: "r-9" })
      const [command] = commands
      if (!(command instanceof MeterUsageCommand)) return assert.fail("no MeterUsageCommand")
      assert.deepInclude(command.input, toSdk(meterUsage) as object)
      assert.lengthOf(requests, 0)
    })
  )

  it.scoped("fails with the credentials' own error, for the operation", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(respond(200, minimalResponse))
      const none = new MeteringError.CredentialsError({ tried: ["nowhere"], reason: "none" })
      const error = yield* Effect.flip(
        Effect.provide(meter, layerOf({ endpoint }, { get: Effect.fail(none) }))
      )
      assert.strictEqual(error._tag, "CredentialsError")
      assert.include(error.message, "MeterUsage: No AWS credentials from nowhere: none.")
      assert.lengthOf(requests, 0)
    })
  )

  it.scoped("has the network's error for a closed port", () =>
    Effect.gen(function* () {
      const endpoint = yield* loopbackServer.closedEndpoint
      const error = yield* Effect.flip(Effect.provide(meter, layerOf({ endpoint })))
      assert.deepInclude(error, {
        _tag: "ConnectionError",
        reason: "ECONNREFUSED",
        delivery: "notSent",
        endpoint
      })
    })
  )

  it.scoped("keeps to the configuration's timeout, and closes the connection", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const run = Runtime.runSync(yield* Effect.runtime())
      const { closed, endpoint } = yield* serve(() => run(Deferred.succeed(asked, undefined)))
      const fiber = yield* Effect.fork(Effect.flip(Effect.provide(meter, layerOf({ endpoint }))))
      yield* Deferred.await(asked)
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "RequestTimeoutError")
      yield* Deferred.await(closed)
    })
  )

  it.scoped(
    "closes the connection when its fiber is interrupted, also in the middle of a response",
    () =>
      Effect.gen(function* () {
        const asked = yield* Deferred.make<void>()
        const run = Runtime.runSync(yield* Effect.runtime())
        const { closed, endpoint } = yield* serve((response) => {
          response.writeHead(200, { "content-length": "100" }).write('{"Metering')
          run(Deferred.succeed(asked, undefined))
        })
        yield* Effect.gen(function* () {
          const fiber = yield* Effect.fork(meter)
          yield* Deferred.await(asked)
          yield* Fiber.interrupt(fiber)
          yield* Deferred.await(closed)
        }).pipe(Effect.provide(layerOf({ endpoint })))
      })
  )

  it.scoped("closes its connections with its scope", () =>
    Effect.gen(function* () {
      const { closed, endpoint } = yield* serve(respond(200, minimalResponse))
      yield* Effect.gen(function* () {
        yield* meter
        assert.isTrue(Option.isNone(yield* Deferred.poll(closed)))
      }).pipe(Effect.provide(layerOf({ endpoint })))
      yield* Deferred.await(closed)
    })
  )

  it.scoped("has a span per call and per attempt, without content", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serve(serviceError("ThrottlingException"))
      const { spans, trace } = captureSpans()
      yield* trace(Effect.flip(Effect.provide(meter, layerOf({ endpoint }))))
      assert.deepStrictEqual(
        spans.map(({ name }) => name),
        ["Marketplace Metering.MeterUsage", "POST"]
      )
      const [call, attempt] = spans.map(({ attributes }) => Object.fromEntries(attributes))
      const { hostname, port } = new URL(endpoint)
      assert.deepStrictEqual(call, {
        "rpc.system": "aws-api",
        "rpc.service": "Marketplace Metering",
        "rpc.method": "MeterUsage",
        "cloud.region": "us-east-1",
        "server.address": hostname,
        "http.response.status_code": 400,
        "aws.request_id": "r-1",
        "error.type": "ThrottlingException"
      })
      assert.deepStrictEqual(attempt, {
        "http.request.method": "POST",
        "server.address": hostname,
        "server.port": Number(port),
        "url.scheme": "http",
        "http.response.status_code": 400,
        "aws.request_id": "r-1",
        "error.type": "400"
      })
    })
  )
})

describe("AwsSdkClient.layerFrom", () => {
  it.scoped("lets the user's middlewares see the SDK's own output, of a body that streams", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serve(respond(200, { MeteringRecordId: "m" }))
      const { accessKeyId } = credentials
      const sdk = new MarketplaceMeteringClient({
        endpoint,
        region: "us-east-1",
        credentials: { accessKeyId, ...secrets }
      })
      const outputs: Array<unknown> = []
      sdk.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args)
          outputs.push(result.output)
          return result
        },
        { step: "initialize" }
      )
      yield* Effect.provide(meter, AwsSdkClient.layerFrom(sdk))
      assert.deepInclude(outputs[0], { MeteringRecordId: "m" })
      assert.lengthOf(outputs, 1)
      sdk.destroy()
    })
  )
})
