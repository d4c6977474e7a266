/** Runs the suite on Node.js, Bun and Deno, with each HTTP client. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MeteringClient } from "effect-marketplace-metering"
import { layerDefaultChain, layerSharedConfig } from "effect-marketplace-metering/node"
import { expectLike } from "./expectLike.js"
import { type Checks, checks, reportOne, runChecks } from "./suite.js"

/** Checks that need environment variables. */
const environmentChecks = (http: Layer.Layer<HttpClient.HttpClient>): Checks => ({
  "resolves Region, endpoint and credentials like the official SDK": ({ endpoints, sandbox }) =>
    Effect.gen(function* () {
      Object.assign(process.env, {
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "sandbox",
        AWS_SECRET_ACCESS_KEY: "sandbox",
        AWS_ENDPOINT_URL_MARKETPLACE_METERING: endpoints.sandbox
      })
      yield* reportOne.pipe(
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

const endpoints = JSON.parse(process.argv[2] ?? "")
const resultsByClient = await Effect.runPromise(
  Effect.all(
    Object.entries(clients).map(([name, http]) =>
      Effect.map(
        runChecks({ ...checks, ...environmentChecks(http) }, http, endpoints),
        (results) => [name, results] as const
      )
    )
  )
)
console.log(JSON.stringify(Object.fromEntries(resultsByClient)))
process.exit()
