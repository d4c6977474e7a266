/** The control of a sandbox beside its service, for those who may have it. */
import * as Headers from "@effect/platform/Headers"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Service } from "../MeteringSandbox.js"
import { hasHungUp, mark, nobodyListens } from "./answer.js"
import * as browser from "./browser.js"
import { maxText } from "./journal.js"
import { headersOf, pathOf } from "./target.js"

type Response = HttpServerResponse.HttpServerResponse

/** A state that was saved is the longest that there is to be sent. */
const longestBody = Option.some(maxText)

const index: ReadonlySet<string> = new Set(["/", "/_sandbox", "/_sandbox/"])

/** True if a browser asks for the server itself, and for no page of it. A program has no use for the page. */
export const isIndex = (request: HttpServerRequest.HttpServerRequest): boolean =>
  request.method === "GET" &&
  index.has(pathOf(request)) &&
  /\btext\/html\b/i.test(request.headers.accept ?? "")

export const isFor = (request: HttpServerRequest.HttpServerRequest): boolean =>
  pathOf(request).startsWith("/_sandbox/")

/** It is made when it is asked for, since its description alone is longer than everything else here. */
export const make = (
  sandbox: Service,
  answer: {
    readonly notHere: Effect.Effect<Response>
    readonly broken: (cause: Cause.Cause<unknown>) => Effect.Effect<Response>
  }
) =>
  Effect.gen(function* () {
    const isLocal = Option.match(yield* Effect.serviceOption(HttpServer.HttpServer), {
      onNone: () => true,
      onSome: ({ address }) => address._tag === "TcpAddress" && isLoopback(address.hostname)
    })
    // in a fiber of nobody's: whoever asks first may go, and others wait for the same
    const loading = yield* Effect.cached(
      Effect.forkDaemon(
        Effect.flatMap(
          Effect.promise(() => import("./controlServer.js")),
          ({ make }) => make(sandbox)
        )
      )
    )
    const app = Effect.flatMap(Effect.uninterruptible(loading), Fiber.await).pipe(Effect.flatten)
    const failed = (cause: Cause.Cause<unknown>): Effect.Effect<Response> => {
      const error = Cause.squash(cause)
      return error instanceof HttpServerError.RouteNotFound
        ? answer.notHere
        : error instanceof HttpServerError.RequestError
          ? Effect.succeed(unreadable)
          : answer.broken(cause)
    }
    return (request: HttpServerRequest.HttpServerRequest): Effect.Effect<Response> => {
      const refusal = browser.refusalOf(
        { method: request.method, headers: headersOf(request) },
        isLocal
      )
      const response =
        refusal === undefined
          ? Effect.flatten(app).pipe(
              Effect.provideService(HttpServerRequest.HttpServerRequest, typed(request)),
              HttpIncomingMessage.withMaxBodySize(longestBody),
              Effect.interruptible,
              Effect.catchAllCause((cause) =>
                Effect.flatMap(hasHungUp, (isGone) =>
                  isGone ? Effect.succeed(nobodyListens) : failed(cause)
                )
              )
            )
          : Effect.succeed(said(refusal.status, { _tag: "Refused", reason: refusal.reason }))
      return Effect.map(response, HttpServerResponse.setHeaders(mark))
    }
  })

/** A state is text, whatever its sender takes it for. */
const typed = (request: HttpServerRequest.HttpServerRequest) =>
  request.method === "PUT" && pathOf(request) === "/_sandbox/state"
    ? request.modify({
        headers: Headers.set(request.headers, "content-type", "text/plain; charset=utf-8")
      })
    : request

const isLoopback = (hostname: string): boolean =>
  hostname.startsWith("127.") || hostname === "::1" || hostname === "localhost"

/** Leads on to the page. */
export const redirected: Response = HttpServerResponse.redirect("/_sandbox/docs", { headers: mark })

const said = (status: number, body: object): Response =>
  HttpServerResponse.unsafeJson(body, { status })

/** As the platform says it of JSON that does not fit. */
const unreadable = said(400, {
  _tag: "HttpApiDecodeError",
  issues: [],
  message: "The body is not JSON, or is too long."
})
