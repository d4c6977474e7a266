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
import type { Service } from "../../MeteringSandbox.js"
import { maxTextLength } from "../runtime/eventLog.js"
import * as csrf from "./csrf.js"
import { headersOf, pathOf } from "./requestTarget.js"
import { clientClosedRequest, isClientAbort, sandboxHeaders } from "./response.js"

type Response = HttpServerResponse.HttpServerResponse

/** A state that was saved is the longest that there is to be sent. */
const maxBodySize = Option.some(maxTextLength)

const indexPaths: ReadonlySet<string> = new Set(["/", "/_sandbox", "/_sandbox/"])

/** True if a browser asks for the server itself, and for no page of it. A program has no use for the page. */
export const isIndex = (request: HttpServerRequest.HttpServerRequest): boolean =>
  request.method === "GET" &&
  indexPaths.has(pathOf(request)) &&
  /\btext\/html\b/i.test(request.headers.accept ?? "")

export const isControlRequest = (request: HttpServerRequest.HttpServerRequest): boolean =>
  pathOf(request).startsWith("/_sandbox/")

/** It is made when it is asked for, since its description alone is longer than everything else here. */
export const make = (
  sandbox: Service,
  fallback: {
    readonly notFound: Effect.Effect<Response>
    readonly onDefect: (cause: Cause.Cause<unknown>) => Effect.Effect<Response>
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
          Effect.promise(() => import("./controlHandlers.js")),
          ({ make }) => make(sandbox)
        )
      )
    )
    const app = Effect.flatMap(Effect.uninterruptible(loading), Fiber.await).pipe(Effect.flatten)
    const failed = (cause: Cause.Cause<unknown>): Effect.Effect<Response> => {
      const error = Cause.squash(cause)
      return error instanceof HttpServerError.RouteNotFound
        ? fallback.notFound
        : error instanceof HttpServerError.RequestError
          ? Effect.succeed(undecodableBody)
          : fallback.onDefect(cause)
    }
    return (request: HttpServerRequest.HttpServerRequest): Effect.Effect<Response> => {
      const rejection = csrf.rejectionOf(
        { method: request.method, headers: headersOf(request) },
        isLocal
      )
      const response =
        rejection === undefined
          ? Effect.flatten(app).pipe(
              Effect.provideService(
                HttpServerRequest.HttpServerRequest,
                withTextContentType(request)
              ),
              HttpIncomingMessage.withMaxBodySize(maxBodySize),
              Effect.interruptible,
              Effect.catchAllCause((cause) =>
                Effect.flatMap(isClientAbort, (isDisconnected) =>
                  isDisconnected ? Effect.succeed(clientClosedRequest) : failed(cause)
                )
              )
            )
          : Effect.succeed(
              jsonResponse(rejection.status, { _tag: "Rejected", reason: rejection.reason })
            )
      return Effect.map(response, HttpServerResponse.setHeaders(sandboxHeaders))
    }
  })

/** A state is text, whatever its sender takes it for. */
const withTextContentType = (request: HttpServerRequest.HttpServerRequest) =>
  request.method === "PUT" && pathOf(request) === "/_sandbox/state"
    ? request.modify({
        headers: Headers.set(request.headers, "content-type", "text/plain; charset=utf-8")
      })
    : request

const isLoopback = (hostname: string): boolean =>
  hostname.startsWith("127.") || hostname === "::1" || hostname === "localhost"

/** Leads on to the page. */
export const redirectToDocs: Response = HttpServerResponse.redirect("/_sandbox/docs", {
  headers: sandboxHeaders
})

const jsonResponse = (status: number, body: object): Response =>
  HttpServerResponse.unsafeJson(body, { status })

/** As the platform says it of JSON that does not fit. */
const undecodableBody = jsonResponse(400, {
  _tag: "HttpApiDecodeError",
  issues: [],
  message: "The body is not JSON, or is too long."
})
