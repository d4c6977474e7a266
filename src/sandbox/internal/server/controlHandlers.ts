/** The control API over HTTP, with its OpenAPI description. Loaded on the first request. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Service } from "../../MeteringSandbox.js"
import { Api } from "../../SandboxApi.js"

/** An app whose errors the platform's server can turn into responses. */
export const make = (sandbox: Service): Effect.Effect<HttpApp.Default<unknown>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const app = yield* Effect.provide(HttpApiBuilder.httpApp, apiLayer(sandbox))
      // not the whole context: it contains the request that triggers the loading
      const services = yield* Layer.build(HttpServer.layerContext)
      return Effect.provide(app, services)
    })
  )

const apiLayer = (sandbox: Service) =>
  Layer.mergeAll(
    HttpApiBuilder.middlewareOpenApi({ path: "/_sandbox/openapi.json" }),
    HttpApiSwagger.layer({ path: "/_sandbox/docs" })
  ).pipe(
    Layer.provideMerge(HttpApiBuilder.api(Api)),
    Layer.provide([marketplace(sandbox), report(sandbox), control(sandbox)]),
    Layer.provideMerge(HttpApiBuilder.Router.Live),
    Layer.provideMerge(HttpApiBuilder.Middleware.layer),
    Layer.provide(HttpServer.layerContext)
  )

const marketplace = (sandbox: Service) =>
  HttpApiBuilder.group(Api, "marketplace", (handlers) =>
    handlers
      .handle("mintToken", ({ payload }) =>
        Effect.map(sandbox.mintToken(payload), (registrationToken) => ({ registrationToken }))
      )
      .handle("customers", () => sandbox.customers)
      .handle("addCustomer", ({ payload }) => sandbox.addCustomer(payload))
      .handle("subscribe", ({ payload }) => sandbox.subscribe(payload))
      .handle("cancel", ({ payload }) => sandbox.cancel(payload))
      .handle("suspend", ({ payload }) => sandbox.suspend(payload))
      .handle("resume", ({ payload }) => sandbox.resume(payload))
  )

const report = (sandbox: Service) =>
  HttpApiBuilder.group(Api, "report", (handlers) =>
    handlers
      .handle("billed", ({ urlParams }) => sandbox.billedPage(urlParams))
      .handle("records", ({ urlParams }) => sandbox.recordsPage(urlParams))
      .handle("calls", () => sandbox.callCounts)
      .handle("log", () => sandbox.log)
      .handle("publicKey", () => sandbox.publicKey)
  )

const control = (sandbox: Service) =>
  HttpApiBuilder.group(Api, "control", (handlers) =>
    handlers
      .handle("now", () => Effect.map(sandbox.now, (now) => ({ now })))
      .handle("setTime", ({ payload }) => sandbox.setTime(payload.now))
      .handle("advance", ({ payload }) =>
        Effect.map(sandbox.advance(payload.by), (now) => ({ now }))
      )
      .handle("setFaults", ({ payload }) => sandbox.setFaults(payload))
      .handle("reset", () => sandbox.reset)
      .handle("save", () => sandbox.save)
      .handle("load", ({ payload }) => sandbox.load(payload))
  )
