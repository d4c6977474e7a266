/** A sandbox's control over HTTP, and its description. It is loaded only where somebody asks for it. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Service } from "../../MeteringSandbox.js"
import { Api } from "../../SandboxApi.js"

/** An app that fails with what the platform's server makes an answer of. */
export const make = (sandbox: Service): Effect.Effect<HttpApp.Default<unknown>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const app = yield* Effect.provide(HttpApiBuilder.httpApp, apiLayer(sandbox))
      // not the whole context, in which there is the request that this is made for
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
    Layer.provide([
      marketplace(sandbox.marketplace),
      report(sandbox.report),
      control(sandbox.control)
    ]),
    Layer.provideMerge(HttpApiBuilder.Router.Live),
    Layer.provideMerge(HttpApiBuilder.Middleware.layer),
    Layer.provide(HttpServer.layerContext)
  )

const marketplace = (actions: Service["marketplace"]) =>
  HttpApiBuilder.group(Api, "marketplace", (handlers) =>
    handlers
      .handle("mintToken", ({ payload }) =>
        Effect.map(actions.mintToken(payload), (registrationToken) => ({ registrationToken }))
      )
      .handle("customers", () => actions.customers)
      .handle("addCustomer", ({ payload }) => actions.addCustomer(payload))
      .handle("subscribe", ({ payload }) => actions.subscribe(payload))
      .handle("cancel", ({ payload }) => actions.cancel(payload))
      .handle("suspend", ({ payload }) => actions.suspend(payload))
      .handle("resume", ({ payload }) => actions.resume(payload))
  )

const report = (reports: Service["report"]) =>
  HttpApiBuilder.group(Api, "report", (handlers) =>
    handlers
      .handle("billed", ({ urlParams }) => reports.billedPage(urlParams))
      .handle("records", ({ urlParams }) => reports.recordsPage(urlParams))
      .handle("callCounts", () => reports.callCounts)
      .handle("log", () => reports.log)
      .handle("publicKey", () => reports.publicKey)
  )

const control = (control: Service["control"]) =>
  HttpApiBuilder.group(Api, "control", (handlers) =>
    handlers
      .handle("now", () => Effect.map(control.now, (now) => ({ now })))
      .handle("setTime", ({ payload }) => control.setTime(payload.now))
      .handle("advance", ({ payload }) =>
        Effect.map(control.advance(payload.by), (now) => ({ now }))
      )
      .handle("setFaults", ({ payload }) => control.setFaults(payload))
      .handle("reset", () => control.reset)
      .handle("save", () => control.save)
      .handle("load", ({ payload }) => control.load(payload))
  )
