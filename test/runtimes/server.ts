/** Plays the suite where there are processes, on Node.js, Bun and Deno, with every HTTP client that they have. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MeteringClient } from "effect-marketplace-metering"
import { layerDefaultChain, layerSharedConfig } from "effect-marketplace-metering/node"
import { expectLike } from "./alike.js"
import { type Checks, checks, one, play } from "./suite.js"

/** What the client does where there is an environment, too. */
const byEnvironment = (http: Layer.Layer<HttpClient.HttpClient>): Checks => ({
  "finds Region, endpoint and credentials as the official SDK does": ({ places, sandbox }) =>
    Effect.gen(function* () {
      Object.assign(process.env, {
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "sandbox",
        AWS_SECRET_ACCESS_KEY: "sandbox",
        AWS_ENDPOINT_URL_MARKETPLACE_METERING: places.sandbox
      })
      yield* one.pipe(
        Effect.provide(
          MeteringClient.layer.pipe(Layer.provide([layerSharedConfig, layerDefaultChain, http]))
        )
      )
      expectLike(yield* sandbox.billed, [7])
    })
})

const clients = {
  undici: NodeHttpClient.layerUndici,
  "node:http": NodeHttpClient.layer,
  fetch: FetchHttpClient.layer
}

const places = JSON.parse(process.argv[2] ?? "")
const played = await Effect.runPromise(
  Effect.all(
    Object.entries(clients).map(([name, http]) =>
      Effect.map(
        play({ ...checks, ...byEnvironment(http) }, http, places),
        (results) => [name, results] as const
      )
    )
  )
)
console.log(JSON.stringify(Object.fromEntries(played)))
process.exit()
