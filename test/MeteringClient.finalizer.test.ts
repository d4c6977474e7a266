import { FetchHttpClient, HttpClient } from "@effect/platform"
import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as AwsCredentials from "effect-marketplace-metering/AwsCredentials"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { clientLayer, configLayer, credentialsLayer } from "./support/client.js"
import { serve } from "./support/loopbackServer.js"
import { operations } from "./support/operations.js"

const { call } = operations.MeterUsage

const over = (http: Layer.Layer<HttpClient.HttpClient>) => (endpoint: string, millis: number) =>
  clientLayer(http, { config: { endpoint, requestTimeout: Duration.millis(millis) } })

const overSdk = (endpoint: string, millis: number) =>
  AwsSdkClient.layer.pipe(
    Layer.provide([
      configLayer({ endpoint, requestTimeout: Duration.millis(millis) }),
      credentialsLayer()
    ])
  )

/** Real servers that never answer. */
describe.each<{
  readonly client: string
  readonly at: (endpoint: string, millis: number) => Layer.Layer<MeteringClient>
}>([
  { client: "undici", at: over(NodeHttpClient.layerUndici) },
  { client: "node:http", at: over(NodeHttpClient.layer) },
  { client: "fetch", at: over(FetchHttpClient.layer) },
  { client: "the SDK", at: overSdk }
])("over $client, where nothing can be interrupted", ({ at }) => {
  it.scopedLive.each<readonly [string, string]>([
    ["answers", ""],
    ["ends its answer", "{"]
  ])("a server that never %s costs a finalizer the request timeout", ([, start]) =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      let hasArrived = false
      const endpoint = yield* serve((request, response) => {
        hasArrived = true
        request.socket.once("close", () => Deferred.unsafeDone(closed, Exit.void))
        if (start !== "") response.write(start)
      })
      const errors: Array<unknown> = []
      yield* Effect.scoped(
        Effect.addFinalizer(() =>
          Effect.catchAll(call(), (error) => Effect.sync(() => errors.push({ ...error })))
        )
      ).pipe(Effect.provide(at(endpoint, 100)))
      assert.lengthOf(errors, 1)
      assert.deepInclude(errors[0], { _tag: "RequestTimeoutError", endpoint })
      if (hasArrived) yield* Deferred.await(closed)
    })
  )

  it.scopedLive("an interruption waits for the answer, which is kept", () =>
    Effect.gen(function* () {
      const arrived = yield* Deferred.make<void>()
      const interrupted = yield* Deferred.make<void>()
      const endpoint = yield* serve((_, response) => {
        Deferred.unsafeDone(arrived, Exit.void)
        Effect.runFork(
          Effect.andThen(Deferred.await(interrupted), () =>
            response.end(JSON.stringify(operations.MeterUsage.wireResponse))
          )
        )
      })
      const answers: Array<unknown> = []
      const fiber = yield* call().pipe(
        Effect.tap((answer) => Effect.sync(() => answers.push(answer))),
        Effect.uninterruptible,
        Effect.provide(at(endpoint, 30_000)),
        Effect.fork
      )
      yield* Deferred.await(arrived)
      const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
      yield* Effect.yieldNow()
      yield* Deferred.succeed(interrupted, undefined)
      yield* Fiber.join(interruption)
      assert.lengthOf(answers, 1)
    })
  )
})

describe("by a virtual clock, where nothing can be interrupted", () => {
  it.effect("an attempt ends when its time is up", () =>
    Effect.gen(function* () {
      const started = yield* Deferred.make<void>()
      const silent = HttpClient.make(() =>
        Effect.zipRight(Deferred.succeed(started, undefined), Effect.never)
      )
      const fiber = yield* call().pipe(
        Effect.flip,
        Effect.uninterruptible,
        Effect.provide(clientLayer(Layer.succeed(HttpClient.HttpClient, silent))),
        Effect.fork
      )
      yield* Deferred.await(started)
      yield* TestClock.adjust("30 seconds")
      assert.deepInclude({ ...(yield* Fiber.join(fiber)) }, { _tag: "RequestTimeoutError" })
    })
  )

  it.effect("credentials that never come are given up after a minute", () =>
    Effect.gen(function* () {
      const asked = yield* Deferred.make<void>()
      const silent = AwsCredentials.layerProvider(() => {
        Deferred.unsafeDone(asked, Exit.void)
        return new Promise(() => {})
      })
      const fiber = yield* Effect.flatMap(AwsCredentials.AwsCredentials, ({ get }) =>
        Effect.uninterruptible(Effect.flip(get))
      ).pipe(Effect.provide(silent), Effect.fork)
      yield* Deferred.await(asked)
      yield* TestClock.adjust("1 minute")
      assert.deepInclude({ ...(yield* Fiber.join(fiber)) }, { _tag: "CredentialsError" })
    })
  )
})
