import type * as Http from "node:http"
import { inspect } from "node:util"
import { FetchHttpClient, HttpClient, HttpClientResponse } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import type * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import { verifySignature } from "../src/sandbox/internal/protocol/verifySignature.js"
import { clientLayer, credentials, secrets } from "./support/client.js"
import { closedEndpoint, serve } from "./support/loopbackServer.js"
import { allOperations, operations } from "./support/operations.js"

const clients = [
  { client: "undici", http: NodeHttpClient.layerUndici },
  { client: "node:http", http: NodeHttpClient.layer },
  { client: "fetch", http: FetchHttpClient.layer }
]

/** A server whose handler may complete a deferred of the test. */
const serving = (
  handler: (
    request: Http.IncomingMessage,
    response: Http.ServerResponse,
    seen: (what: Deferred.Deferred<void>) => void
  ) => void
) =>
  Effect.flatMap(Effect.runtime<never>(), (runtime) =>
    serve((request, response) =>
      handler(request, response, (what) =>
        Runtime.runSync(runtime)(Deferred.succeed(what, undefined))
      )
    )
  )

it.effect("a port that fetch blocks has delivered nothing", () =>
  Effect.gen(function* () {
    const error = yield* operations.BatchMeterUsage.call().pipe(
      Effect.flip,
      Effect.provide(
        clientLayer(FetchHttpClient.layer, { config: { endpoint: "http://127.0.0.1:6000" } })
      )
    )
    assert.deepInclude(
      { ...error },
      { _tag: "ConnectionError", reason: "bad port", delivery: "notSent" }
    )
  })
)

describe.each([{}, { "content-length": "2" }])("a response with the headers %j", (headers) => {
  it.effect.each(["ECONNREFUSED", "ENOTFOUND", "CERT_HAS_EXPIRED", "EPROTO"])(
    "that breaks off with %s leaves open what was delivered",
    (code) =>
      Effect.gen(function* () {
        const failing = HttpClient.make((request) => {
          const body = new ReadableStream({
            pull: (controller) =>
              controller.error(Object.assign(new Error(code), { code, syscall: "connect" }))
          })
          return Effect.succeed(
            HttpClientResponse.fromWeb(request, new Response(body, { headers }))
          )
        })
        const error = yield* operations.BatchMeterUsage.call().pipe(
          Effect.flip,
          Effect.provide(clientLayer(Layer.succeed(HttpClient.HttpClient, failing)))
        )
        assert.deepInclude(
          { ...error },
          { _tag: "ConnectionError", reason: code, delivery: "unknown" }
        )
      })
  )
})

describe.each(clients)("over $client", ({ http }) => {
  const { call } = operations.BatchMeterUsage

  const at = (endpoint: string) =>
    clientLayer(http, { config: { endpoint, requestTimeout: Duration.seconds(20) } })

  it.scopedLive("every operation arrives signed, and its answer is read", () =>
    Effect.gen(function* () {
      const verdicts: Array<string> = []
      const endpoint = yield* serve((request, response, body) => {
        const headers = request.headers as Record<string, string>
        const verdict = Effect.runSync(
          verifySignature(
            { method: "POST", url: request.url ?? "", headers, body },
            { credentials: () => secrets, service: "aws-marketplace", now: Date.now() }
          )
        )
        verdicts.push(verdict._tag)
        const operation = allOperations.find(({ name }) =>
          headers["x-amz-target"]?.endsWith(`.${name}`)
        )
        response.setHeader("x-amzn-requestid", "r-1")
        response.end(JSON.stringify(operation?.wireResponse))
      })
      for (const { call, response } of allOperations) {
        const answer = yield* Effect.provide(call(), at(endpoint))
        assert.isTrue(answer instanceof response)
        assert.propertyVal(answer, "requestId", "r-1")
      }
      assert.deepStrictEqual(verdicts, Array(4).fill("Verified"))
    })
  )

  it.scopedLive("interruption closes the connection while an answer is awaited", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const endpoint = yield* serving((request, _, seen) => {
        request.socket.once("close", () => seen(closed))
        seen(arrived)
      })
      const fiber = yield* Effect.fork(Effect.provide(call(), at(endpoint)))
      yield* Deferred.await(arrived)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(closed)
    })
  )

  it.scopedLive("interruption closes the connection while the answer's body drips", () =>
    Effect.gen(function* () {
      const dripping = yield* Deferred.make<void>()
      const closed = yield* Deferred.make<void>()
      const endpoint = yield* serving((request, response, seen) => {
        request.socket.once("close", () => seen(closed))
        let drips = 0
        const drip = () => response.write('{"Results":[') && ++drips === 10 && seen(dripping)
        // the head has gone out before the body has, so the client reads the body by then
        response.flushHeaders()
        const timer = setInterval(drip, 5)
        request.socket.once("close", () => clearInterval(timer))
      })
      const fiber = yield* Effect.fork(Effect.provide(call(), at(endpoint)))
      yield* Deferred.await(dripping)
      yield* Fiber.interrupt(fiber)
      yield* Deferred.await(closed)
    })
  )

  it.scopedLive("a timeout closes the connection, also while the answer's body drips", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const endpoint = yield* serving((request, response, seen) => {
        request.socket.once("close", () => seen(closed))
        response.write("{")
      })
      const error = yield* call().pipe(
        Effect.flip,
        Effect.provide(
          // long enough for the connection to be made first
          clientLayer(http, { config: { endpoint, requestTimeout: Duration.seconds(1) } })
        )
      )
      assert.deepInclude({ ...error }, { _tag: "RequestTimeoutError", endpoint })
      yield* Deferred.await(closed)
    })
  )

  it.scopedLive("a redirect is an answer, and is not followed", () =>
    Effect.gen(function* () {
      const elsewhere: Array<string> = []
      const other = yield* serve((request, response) => {
        elsewhere.push(String(request.headers["x-amz-security-token"]))
        response.end("{}")
      })
      for (const status of [301, 302, 303, 307, 308]) {
        const endpoint = yield* serve((_, response) =>
          response.writeHead(status, { location: `${other}/` }).end()
        )
        const error = yield* Effect.flip(Effect.provide(call(), at(endpoint)))
        assert.deepInclude({ ...error }, { _tag: "UnexpectedResponseError", statusCode: status })
        assert.isFalse(error.isRetryable)
      }
      assert.deepStrictEqual(elsewhere, [])
    })
  )

  it.scopedLive("credentials that no header can carry are not sent", () =>
    Effect.gen(function* () {
      let requests = 0
      const endpoint = yield* serve((_, response) => {
        requests += 1
        response.writeHead(400).end(JSON.stringify({ __type: "ExpiredTokenException" }))
      })
      const calling = (credentials: Partial<AwsCredentials.Service>) =>
        call().pipe(
          Effect.flip,
          Effect.provide(clientLayer(http, { config: { endpoint }, credentials }))
        )
      const spoilt: AwsCredentials.Credentials = {
        ...credentials,
        sessionToken: Redacted.make("hunter2\npass")
      }
      const reason = "sessionToken holds a line break or another character that no header can carry"
      const error = yield* calling({ get: Effect.succeed(spoilt) })
      assert.deepInclude(
        { ...error },
        { _tag: "CredentialsError", operation: "BatchMeterUsage", reason }
      )
      assert.notInclude(inspect(error), "hunter2")
      assert.strictEqual(requests, 0)
      const expired = yield* calling({ refresh: () => Effect.succeed(spoilt) })
      assert.deepInclude({ ...expired }, { _tag: "CredentialsExpiredError", refreshError: reason })
      assert.strictEqual(requests, 1)
    })
  )

  it.scopedLive("a refused connection has delivered nothing", () =>
    Effect.gen(function* () {
      const endpoint = yield* closedEndpoint
      const error = yield* Effect.flip(Effect.provide(call(), at(endpoint)))
      assert.deepInclude(
        { ...error },
        { _tag: "ConnectionError", reason: "ECONNREFUSED", delivery: "notSent", endpoint }
      )
    })
  )

  it.scopedLive.each<
    readonly [string, (request: Http.IncomingMessage, response: Http.ServerResponse) => void]
  >([
    ["before the answer", (request) => request.socket.destroy()],
    ["by a reset", (request) => request.socket.resetAndDestroy()],
    [
      "in the middle of the answer",
      (request, response) => {
        response.writeHead(200, { "content-length": "1000" })
        response.write('{"Results":', () => request.socket.destroy())
      }
    ]
  ])("a connection cut %s leaves open what was delivered", ([, cut]) =>
    Effect.gen(function* () {
      const endpoint = yield* serve(cut)
      const error = yield* Effect.flip(Effect.provide(call(), at(endpoint)))
      assert.deepInclude({ ...error }, { _tag: "ConnectionError", delivery: "unknown", endpoint })
      assert.isTrue(error.isRetryable)
    })
  )
})
