/** The control API over HTTP, with its OpenAPI description. Loaded on the first request. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
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
  HttpApiBuilder.middlewareOpenApi({ path: "/_sandbox/openapi.json" }).pipe(
    Layer.provideMerge(HttpApiBuilder.api(Api)),
    Layer.provide([
      marketplace(sandbox.marketplace),
      report(sandbox.report),
      events(sandbox.events),
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
      .handle("products", () => actions.products)
      .handle("agreements", () => actions.agreements)
      .handle("buy", ({ payload }) => actions.buy(payload))
      .handle("amend", ({ payload }) => actions.amend(payload))
      .handle("renew", ({ payload }) => actions.renew(payload))
      .handle("replace", ({ payload }) => actions.replace(payload))
      .handle("expire", ({ payload }) => actions.expire(payload))
      .handle("terminate", ({ payload }) => actions.terminate(payload))
      .handle("issueAdvisory", ({ payload }) => actions.issueAdvisory(payload))
      .handle("resolveAdvisory", ({ payload }) => actions.resolveAdvisory(payload))
      .handle("failPayment", ({ payload }) => actions.failPayment(payload))
  )

const report = (reports: Service["report"]) =>
  HttpApiBuilder.group(Api, "report", (handlers) =>
    handlers
      .handle("billed", ({ urlParams }) => reports.billedPage(urlParams))
      .handle("records", ({ urlParams }) => reports.recordsPage(urlParams))
      .handle("callCounts", () => reports.callCounts)
      .handle("log", ({ urlParams: { limit } }) =>
        Effect.map(reports.log, (calls) => (limit === undefined ? calls : calls.slice(-limit)))
      )
      .handle("publicKey", () => reports.publicKey)
  )

const events = (events: Service["events"]) =>
  HttpApiBuilder.group(Api, "events", (handlers) =>
    handlers
      .handle("list", ({ urlParams }) => events.list(urlParams))
      .handle("scheduled", () => events.scheduled)
      .handle("resend", ({ payload }) => events.resend(payload))
      .handle("targets", () => events.targets)
      .handle("subscribe", ({ payload }) => events.subscribe(payload))
      .handle("deliveryFaults", () => events.deliveryFaults)
      .handle("setDeliveryFaults", ({ payload }) => events.setDeliveryFaults(payload))
  )

const control = (control: Service["control"]) =>
  HttpApiBuilder.group(Api, "control", (handlers) =>
    handlers
      .handle("now", () => Effect.map(control.now, (now) => ({ now })))
      .handle("setTime", ({ payload }) => control.setTime(payload.now))
      .handle("advance", ({ payload }) =>
        Effect.map(control.advance(payload.by), (now) => ({ now }))
      )
      .handle("faults", () => control.faults)
      .handle("setFaults", ({ payload }) => control.setFaults(payload))
      .handle("reset", () => control.reset)
      .handle("save", () => control.save)
      .handle("load", ({ payload }) => control.load(payload))
  )
