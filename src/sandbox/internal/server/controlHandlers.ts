/** The handlers of the control API and its OpenAPI description. This module is loaded on the first request. */
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import type { Landing } from "../../Marketplace.js"
import type { SandboxError, Service } from "../../MeteringSandbox.js"
import { Api, type PurchaseResponse } from "../../SandboxApi.js"
import type { Post } from "../delivery/post.js"

/** Makes the HTTP app of the control API. The caller handles its failures, such as `RouteNotFound`. */
export const make = (sandbox: Service, post: Post): Effect.Effect<HttpApp.Default<unknown>> =>
  Effect.scoped(
    Effect.gen(function* () {
      const app = yield* Effect.provide(HttpApiBuilder.httpApp, apiLayer(sandbox, post))
      // provides only these services, because the whole context contains the request that triggered the loading
      const services = yield* Layer.build(HttpServer.layerContext)
      return Effect.provide(app, services)
    })
  )

const apiLayer = (sandbox: Service, post: Post) =>
  HttpApiBuilder.middlewareOpenApi({ path: "/_sandbox/openapi.json" }).pipe(
    Layer.provideMerge(HttpApiBuilder.api(Api)),
    Layer.provide([
      marketplace(sandbox.marketplace, post),
      report(sandbox.report),
      events(sandbox.events),
      control(sandbox.control)
    ]),
    Layer.provideMerge(HttpApiBuilder.Router.Live),
    Layer.provideMerge(HttpApiBuilder.Middleware.layer),
    Layer.provide(HttpServer.layerContext)
  )

const marketplace = (actions: Service["marketplace"], post: Post) =>
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
      .handle("buy", ({ payload: { post: isPosted = false, ...purchase } }) =>
        Effect.flatMap(actions.buy(purchase), (landing) =>
          isPosted ? postForm(post, landing) : Effect.succeed(landing)
        )
      )
      .handle("setUpAccount", ({ payload }) => actions.setUpAccount(payload))
      .handle("amend", ({ payload }) => actions.amend(payload))
      .handle("renew", ({ payload }) => actions.renew(payload))
      .handle("replace", ({ payload }) => actions.replace(payload))
      .handle("expire", ({ payload }) => actions.expire(payload))
      .handle("terminate", ({ payload }) => actions.terminate(payload))
      .handle("issueAdvisory", ({ payload }) => actions.issueAdvisory(payload))
      .handle("resolveAdvisory", ({ payload }) => actions.resolveAdvisory(payload))
      .handle("failPayment", ({ payload }) => actions.failPayment(payload))
  )

/** Posts the form as the buyer's browser does. */
const postForm = (post: Post, landing: Landing): Effect.Effect<PurchaseResponse, SandboxError> => {
  const { fields, landingUrl } = landing
  return landingUrl === undefined
    ? Effect.succeed({ ...landing, error: "neither the purchase nor the product has a landingUrl" })
    : Effect.map(
        post({
          url: landingUrl,
          headers: {},
          contentType: "application/x-www-form-urlencoded",
          body: String(new URLSearchParams(Record.map(fields, Redacted.value))),
          timeout: Duration.seconds(30)
        }),
        (result) => ({ ...landing, ...result })
      )
}

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
      .handle("scheduled", ({ urlParams }) => events.scheduled(urlParams))
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
