/** The tag over an SDK client of its own, and a server on loopback. */
import type { IncomingMessage, ServerResponse } from "node:http"
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
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
import {
  configLayer,
  credentials,
  credentialsLayer,
  freshCredentials,
  secrets
} from "../support/client.js"
import * as loopback from "../support/loopback.js"
import { allOperations, meterUsage } from "../support/operations.js"
import { capturing } from "../support/tracing.js"

type Answer = (response: ServerResponse) => void

const respond =
  (status: number, body: object): Answer =>
  (response) => {
    response.writeHead(status, { "x-amzn-requestid": "r-1" }).end(JSON.stringify(body))
  }

const refuse = (code: string) => respond(400, { __type: code, message: "said" })

/** A server that gives one answer after the other, the last one for ever, and tells when a connection ends. */
const serve = (...answers: ReadonlyArray<Answer>) =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    const run = Runtime.runSync(yield* Effect.runtime())
    const requests: Array<IncomingMessage> = []
    const endpoint = yield* loopback.serve((request, response) => {
      const answer = answers[Math.min(requests.length, answers.length - 1)]
      requests.push(request)
      request.socket.once("close", () => run(Deferred.succeed(closed, undefined)))
      answer?.(response)
    })
    return { closed, endpoint, requests }
  })

const layerOf = (
  config: Partial<MeteringConfig.Service>,
  credentials?: Partial<AwsCredentials.Service>
) => AwsSdkClient.layer.pipe(Layer.provide([configLayer(config), credentialsLayer(credentials)]))

const meter = MeteringClient.meterUsage(meterUsage)

const credentialOf = ({ headers }: IncomingMessage) =>
  /Credential=([^,]+)/.exec(headers.authorization ?? "")?.[1]?.replace(/\d{8}/, "<date>")

describe("AwsSdkClient.layer", () => {
  for (const { answer, call, name } of allOperations) {
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
      const { endpoint, requests } = yield* serve(refuse("ThrottlingException"))
      const error = yield* Effect.flip(Effect.provide(meter, layerOf({ endpoint })))
      assert.strictEqual(error._tag, "ThrottlingException")
      assert.lengthOf(requests, 1)
    })
  )

  it.scoped("renews expired credentials once, and signs what follows with the new ones", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(refuse("ExpiredTokenException"), respond(200, {}))
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

  it.scoped("fails with the credentials' own error, for the operation", () =>
    Effect.gen(function* () {
      const { endpoint, requests } = yield* serve(respond(200, {}))
      const none = new MeteringError.CredentialsError({ tried: ["nowhere"], reason: "none" })
      const error = yield* Effect.flip(
        Effect.provide(meter, layerOf({ endpoint }, { get: Effect.fail(none) }))
      )
      assert.strictEqual(error._tag, "CredentialsError")
      assert.include(error.message, "MeterUsage: No AWS credentials from nowhere: none.")
      assert.lengthOf(requests, 0)
    })
  )

  it.scoped("says what the network says when nobody listens", () =>
    Effect.gen(function* () {
      const endpoint = yield* loopback.nobody
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
    "closes the connection when its fiber is interrupted, in the middle of an answer too",
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
      const { closed, endpoint } = yield* serve(respond(200, {}))
      yield* Effect.gen(function* () {
        yield* meter
        assert.isTrue(Option.isNone(yield* Deferred.poll(closed)))
      }).pipe(Effect.provide(layerOf({ endpoint })))
      yield* Deferred.await(closed)
    })
  )

  it.scoped("has a span per call and per attempt, without a word of what was said", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serve(refuse("ThrottlingException"))
      const { spans, trace } = capturing()
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
        "aws.request_id": "r-1"
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
