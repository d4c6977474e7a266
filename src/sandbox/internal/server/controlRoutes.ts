/** Routes of the control API and the pages, under /_sandbox. */
import * as Headers from "@effect/platform/Headers"
import * as HttpIncomingMessage from "@effect/platform/HttpIncomingMessage"
import * as HttpMethod from "@effect/platform/HttpMethod"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { MeteringClient } from "../../../MeteringClient.js"
import type { Service } from "../../MeteringSandbox.js"
import type { Post } from "../delivery/post.js"
import { maxTextLength } from "../runtime/stateText.js"
import * as builtIn from "./builtIn.js"
import { clientClosedRequest, isClientAbort, sandboxHeaders } from "./httpResponse.js"
import * as pageRoutes from "./pageRoutes.js"
import { headersOf, limitBody, pathOf } from "./requestReader.js"
import { isSnsRequest } from "./snsRoutes.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

/** Maximum size of a body in bytes, except of a saved state. */
const maxBodySize = 1_048_576

export const isControlRequest = (request: Request): boolean =>
  pathOf(request).startsWith("/_sandbox/") || isSnsRequest(request)

/**
 * Makes the routes. The control API is loaded on the first request, because its OpenAPI description is larger than the rest of
 * the server.
 */
export const make = (
  sandbox: Service,
  {
    client,
    post,
    publicUrl,
    own
  }: {
    readonly client: MeteringClient["Type"]
    readonly post: Post
    readonly publicUrl: string | undefined
    /** Direct access to the sandbox. `undefined` for a `MeteringSandbox` that was not made by its `layer` or `layerFile`. */
    readonly own:
      | (builtIn.Backend & {
          /** Responds to requests for the URLs in SNS messages. */
          readonly respondToSns: (request: Request) => Effect.Effect<Response>
        })
      | undefined
  },
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
    const publicHost = publicUrl === undefined ? undefined : new URL(publicUrl).host
    const isOwnHost = (host: string) =>
      loopbackHost.test(host) ||
      (!isLocal && privateHost.test(host)) ||
      host.toLowerCase() === publicHost
    // loads in a daemon fiber, because an interrupted first request must not cancel the loading for other requests
    const loading = yield* Effect.cached(
      Effect.forkDaemon(
        Effect.flatMap(
          Effect.promise(() => import("./controlHandlers.js")),
          ({ make }) => make(sandbox, post)
        )
      )
    )
    const builtInHandlers = yield* builtIn.make({
      client,
      now: sandbox.control.now,
      backend: own
    })
    const findPage = pageRoutes.make(sandbox)
    const app = Effect.flatten(Effect.flatMap(Effect.uninterruptible(loading), Fiber.await))
    const responseToFailure = (cause: Cause.Cause<unknown>): Effect.Effect<Response> => {
      const error = Cause.squash(cause)
      if (error instanceof HttpServerError.RouteNotFound) return fallback.notFound
      return error instanceof HttpServerError.RequestError
        ? Effect.succeed(undecodableBody)
        : fallback.onDefect(cause)
    }
    const runApi = (request: Request): Effect.Effect<Response, unknown> =>
      Effect.provideService(Effect.flatten(app), HttpServerRequest.HttpServerRequest, request)
    const handleApi = (request: Request): Effect.Effect<Response, unknown> => {
      if (!HttpMethod.hasBody(request.method)) return runApi(request)
      return isStateUpload(request)
        ? HttpIncomingMessage.withMaxBodySize(
            runApi(withTextContentType(request)),
            Option.some(maxTextLength)
          )
        : Effect.flatMap(
            limitBody(request, maxBodySize),
            Option.match({ onNone: () => Effect.succeed(bodyTooLong), onSome: runApi })
          )
    }
    const handle = (request: Request): Effect.Effect<Response> => {
      const handler =
        builtInHandlers.get(`${request.method} ${pathOf(request)}`) ??
        findPage(request) ??
        handleApi
      return handler(request).pipe(
        Effect.interruptible,
        Effect.catchAllCause((cause) =>
          Effect.flatMap(isClientAbort, (isDisconnected) =>
            isDisconnected ? Effect.succeed(clientClosedRequest) : responseToFailure(cause)
          )
        )
      )
    }
    return {
      handle: (request: Request): Effect.Effect<Response> => {
        const rejection = crossSiteRejection(request, isOwnHost) ?? contentTypeRejection(request)
        const response =
          rejection !== undefined
            ? Effect.succeed(rejection)
            : own !== undefined && isSnsRequest(request)
              ? own.respondToSns(request)
              : handle(request)
        return Effect.map(response, HttpServerResponse.setHeaders(sandboxHeaders))
      },
      /**
       * Returns the response to a metering call that a web page of another site sends, or `undefined` for other calls. Such a
       * page can sign the call, for example with the default access key. SDKs send no `Origin` header.
       */
      rejectionOfCall: (request: Request): Response | undefined => {
        const rejection =
          request.headers.origin === undefined ? undefined : crossSiteRejection(request, isOwnHost)
        return rejection && HttpServerResponse.setHeaders(rejection, sandboxHeaders)
      }
    }
  })

/**
 * Rejects requests that a browser may send for a web page of another site. The host name of such a site can point to this
 * machine (DNS rebinding), and a browser sends forms without a CORS preflight request.
 */
const crossSiteRejection = (
  request: Request,
  isOwnHost: (host: string) => boolean
): Response | undefined => {
  const { method } = request
  const { host = "", origin } = headersOf(request)
  if (!isOwnHost(host)) {
    return rejected(
      403,
      "The Host may be of another site: use localhost or an IP address, or start the sandbox with this address as its public URL."
    )
  }
  if (method === "GET" || method === "HEAD") return undefined
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return rejected(403, "The Origin is another site.")
  }
  return undefined
}

/** Rejects bodies that are not JSON, except a saved state and the bodies that AWS sends to the built-in receivers. */
const contentTypeRejection = (request: Request): Response | undefined => {
  const type = request.headers["content-type"]
  return HttpMethod.hasBody(request.method) &&
    type !== undefined &&
    !/^application\/json\b/i.test(type) &&
    !builtIn.isReceiver(request) &&
    !isStateUpload(request)
    ? rejected(415, "The content type of a body is application/json.")
    : undefined
}

const loopbackHost = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/** Hosts that no public web site can have: IP addresses, names without dots, and private domains. */
const privateHost =
  /^(\d{1,3}(\.\d{1,3}){3}|\[[\da-f:.]+\]|([\w-]+\.)*(internal|lan|local|localhost|svc|test)|[\w-]+)?(:\d+)?$/i

const rejected = (status: number, reason: string): Response =>
  HttpServerResponse.unsafeJson({ _tag: "Rejected", reason }, { status })

const bodyTooLong = rejected(413, `The body is longer than ${maxBodySize} bytes.`)

const isStateUpload = (request: Request): boolean =>
  request.method === "PUT" && pathOf(request) === "/_sandbox/state"

/** Sets the content type of a saved state to text, whatever the client sent. */
const withTextContentType = (request: Request) =>
  request.modify({
    headers: Headers.set(request.headers, "content-type", "text/plain; charset=utf-8")
  })

const isLoopback = (hostname: string): boolean =>
  /^(::ffff:)?127\./i.test(hostname) || hostname === "::1" || hostname === "localhost"

/** The response to a body that cannot be read, in the form of the platform's `HttpApiDecodeError`. */
const undecodableBody: Response = HttpServerResponse.unsafeJson(
  {
    _tag: "HttpApiDecodeError",
    issues: [],
    message: "The body is not JSON, or is too long."
  },
  { status: 400 }
)
