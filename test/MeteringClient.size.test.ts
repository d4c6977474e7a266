/** Answers that are too much, or in odd pieces, of real servers and over every client. */
import type * as Http from "node:http"
import * as Zlib from "node:zlib"
import { FetchHttpClient, type HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { clientLayer, configLayer, credentialsLayer } from "./support/client.js"
import { serve } from "./support/loopbackServer.js"
import { operations } from "./support/operations.js"

const over = (http: Layer.Layer<HttpClient.HttpClient>) => (endpoint: string) =>
  clientLayer(http, { config: { endpoint } })

const clients: ReadonlyArray<{
  readonly client: string
  readonly at: (endpoint: string) => Layer.Layer<MeteringClient>
}> = [
  { client: "undici", at: over(NodeHttpClient.layerUndici) },
  { client: "node:http", at: over(NodeHttpClient.layer) },
  { client: "fetch", at: over(FetchHttpClient.layer) },
  {
    client: "the SDK",
    at: (endpoint) =>
      AwsSdkClient.layer.pipe(Layer.provide([configLayer({ endpoint }), credentialsLayer()]))
  }
]

const { wireResponse: answer, call } = operations.MeterUsage

/** Serves with this handler, and reports the close of the connection. */
const serving = (handler: (response: Http.ServerResponse) => void) =>
  Effect.gen(function* () {
    const closed = yield* Deferred.make<void>()
    const endpoint = yield* serve((request, response) => {
      request.socket.once("close", () => Deferred.unsafeDone(closed, Exit.void))
      handler(response)
    })
    return { endpoint, closed: Deferred.await(closed) }
  })

/** Writes white space for as long as anyone reads it. */
const flood = (response: Http.ServerResponse) => {
  const chunk = Buffer.alloc(65_536, " ")
  let written = 0
  const write = () => {
    while (!response.destroyed) {
      written += chunk.length
      // who reads so much has no limit
      if (written > 200_000_000) return response.end()
      if (!response.write(chunk)) return response.once("drain", write)
    }
    return response
  }
  write()
}

describe.each(clients)("over $client", ({ at }) => {
  it.scopedLive.each<readonly [string, number, Record<string, string>]>([
    ["of no known length", 200, {}],
    ["with a content-length", 200, { "content-length": "1000000000" }],
    ["of an error", 500, {}]
  ])("a body %s is read no further than the limit", ([, status, headers]) =>
    Effect.gen(function* () {
      const { closed, endpoint } = yield* serving((response) => {
        response.writeHead(status, headers)
        flood(response)
      })
      const error = yield* Effect.flip(call()).pipe(
        // the connection is closed by then, and not for want of the client
        Effect.tap(closed),
        Effect.provide(at(endpoint))
      )
      assert.deepInclude({ ...error }, { _tag: "UnexpectedResponseError", statusCode: status })
      assert.isTrue(error.isRetryable)
      assert.include(error.message, "more than 4 MiB")
      if (status === 200) assert.include(error.message, "may have been metered")
    })
  )

  it.scopedLive("an exception is known by its header, however long its body is", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serving((response) => {
        response.writeHead(400, { "x-amzn-errortype": "ThrottlingException" })
        flood(response)
      })
      const error = yield* Effect.flip(Effect.provide(call(), at(endpoint)))
      assert.deepInclude({ ...error }, { _tag: "ThrottlingException", statusCode: 400 })
    })
  )

  it.scopedLive("pieces are put together, wherever they were cut", () =>
    Effect.gen(function* () {
      const bytes = Buffer.from(`\ufeff${JSON.stringify({ ...answer, Extra: "Größe €1 👍" })}`)
      const { endpoint } = yield* serving((response) => {
        const send = (at: number): void => {
          if (at === bytes.length) return void response.end()
          response.write(bytes.subarray(at, at + 1), () => send(at + 1))
        }
        send(0)
      })
      const { statusCode, ...members } = yield* Effect.provide(
        call() as Effect.Effect<{ readonly statusCode: number }, unknown, MeteringClient>,
        at(endpoint)
      )
      assert.strictEqual(statusCode, 200)
      assert.property(members, "meteringRecordId")
    })
  )

  it.scopedLive("an answer that may not have a body has an empty one", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serving((response) => response.writeHead(304).end())
      const error = yield* Effect.flip(Effect.provide(call(), at(endpoint)))
      assert.deepInclude(
        { ...error },
        { _tag: "UnexpectedResponseError", statusCode: 304, bodyLength: 0 }
      )
    })
  )

  it.scopedLive("a byte order mark before the answer is no fault", () =>
    Effect.gen(function* () {
      const { endpoint } = yield* serving((response) => {
        const body = Buffer.from(`\ufeff${JSON.stringify(answer)}`)
        response.writeHead(200, { "content-length": body.length }).end(body)
      })
      assert.property(yield* Effect.provide(call(), at(endpoint)), "meteringRecordId")
    })
  )
})

it.scopedLive("what fetch unpacks is counted as it comes out", () =>
  Effect.gen(function* () {
    const { closed, endpoint } = yield* serving((response) => {
      const body = Zlib.gzipSync(Buffer.alloc(100_000_000, " "))
      response
        .writeHead(200, { "content-encoding": "gzip", "content-length": body.length })
        .end(body)
    })
    const error = yield* Effect.flip(call()).pipe(
      Effect.tap(closed),
      Effect.provide(over(FetchHttpClient.layer)(endpoint))
    )
    assert.deepInclude({ ...error }, { _tag: "UnexpectedResponseError", statusCode: 200 })
  })
)
