/**
 * Any `MeteringClient` as an HTTP server that speaks AWS JSON 1.1 with Signature Version 4, as AWS
 * Marketplace Metering does: for every AWS SDK, in every language.
 *
 * Every answer carries the header `x-effect-marketplace-metering-sandbox: true`, and every answer to a call a
 * request id that begins with `sandbox-`, so that none can be mistaken for one of the service. Nothing is
 * traced. A failure to store something is logged as an error, and every call as a line at the level Debug, without
 * any value of the call.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import type * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { Credentials } from "../AwsCredentials.js"
import { operations } from "../internal/operations.js"
import { MeteringClient } from "../MeteringClient.js"
import { commonErrorResponse, type HttpResponse } from "./internal/model/serviceResponse.js"
import type { State } from "./internal/model/state.js"
import type { IncomingCall } from "./internal/runtime/handleCall.js"
import { SandboxRuntime } from "./internal/runtime/runtime.js"
import * as authenticate from "./internal/server/authenticate.js"
import * as controlRoutes from "./internal/server/controlRoutes.js"
import * as defectResponse from "./internal/server/defectResponse.js"
import * as nodeServer from "./internal/server/nodeServer.js"
import * as operationHandlers from "./internal/server/operationHandlers.js"
import * as router from "./internal/server/router.js"
import type { AccessKey } from "./Scenario.js"

/**
 * Who may call, and how much may be sent.
 *
 * - `credentials`: whose signatures are accepted; when left out, those of the sandbox's scenario, or else the
 *   pair `sandbox` / `sandbox`. With a session token, requests must carry it; from its `expiration` on, they
 *   are told that it has expired. (`allow` and `caller` are for a sandbox; another client asks nobody.)
 * - `anyCredentials`: lets everybody in, signed or not; false when left out. What is known of a key still holds:
 *   what it may call, and whose it is.
 * - `regions`: the Regions that requests may be signed for; when left out, the one of the sandbox's scenario, and
 *   any before another client
 * - `allowedSkew`: how far a request's date may be off; 5 minutes when left out
 * - `maxBodySize`: bytes of the longest body; when left out, less than the scenario's `requestSizeLimit`, and
 *   1 048 576 before any other client
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import type { SandboxServer } from "effect-marketplace-metering/sandbox"
 *
 * const options: SandboxServer.Options = {
 *   credentials: [
 *     { accessKeyId: "AKIATESTING", secretAccessKey: Redacted.make("secret") },
 *     {
 *       accessKeyId: "ASIATESTING",
 *       secretAccessKey: Redacted.make("secret"),
 *       sessionToken: Redacted.make("token")
 *     }
 *   ]
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  readonly credentials?: ReadonlyArray<AccessKey> | undefined
  readonly anyCredentials?: boolean | undefined
  readonly regions?: ReadonlyArray<string> | undefined
  readonly allowedSkew?: Duration.DurationInput | undefined
  readonly maxBodySize?: number | undefined
}

/**
 * Where the server is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Scheme, host and port: an SDK's `endpoint`. */
  readonly url: string
}

/**
 * A server that is running.
 *
 * @since 0.1.0
 * @category tags
 */
export class SandboxServer extends Context.Tag("effect-marketplace-metering/SandboxServer")<
  SandboxServer,
  Service
>() {}

/**
 * The credentials that are accepted when none are given: `sandbox` / `sandbox`.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultCredentials: Credentials = {
  accessKeyId: "sandbox",
  secretAccessKey: Redacted.make("sandbox")
}

/**
 * The server as an `HttpApp`, to be served beside others.
 *
 * It answers whatever comes: no failure, no defect and no interruption leaves it but as an answer in the
 * service's own form. The sender's hanging up interrupts the call, though not what was stored of it.
 *
 * A `MeteringSandbox` in context is served as well, under `/_sandbox`: see `SandboxApi`. Where the client is
 * the sandbox's own, calls go past it, so that the sandbox knows who has signed them, and its faults are
 * faults of the connection. (Connections can be cut on Node.js only.)
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<HttpApp.Default, never, MeteringClient> =>
  Effect.gen(function* () {
    const client = yield* MeteringClient
    const internals = Option.getOrUndefined(yield* Effect.serviceOption(SandboxRuntime))
    const runtime = internals?.client === client ? internals : undefined
    const state = runtime && (yield* runtime.state)
    const count = yield* Ref.make(0)
    const unroutedCall = Effect.map(
      Ref.updateAndGet(count, (count) => count + 1),
      (number): IncomingCall => ({
        requestId: `sandbox-http-${String(number).padStart(12, "0")}`,
        operation: undefined
      })
    )
    const respondTo = (response: HttpResponse) =>
      Effect.flatMap(unroutedCall, (incoming) => router.respond(response, incoming))
    const onDefect = (cause: Cause.Cause<unknown>) =>
      Effect.flatMap(defectResponse.logAndRespond(cause), respondTo)
    const notFound = internals === undefined ? notFoundWithoutControl : notFoundWithControl
    const controlRoute =
      internals &&
      (yield* controlRoutes.make(internals.sandbox, { notFound: respondTo(notFound), onDefect }))
    const handleCall = router.make({
      operations:
        runtime === undefined
          ? operationHandlers.fromClient(operations, client)
          : operationHandlers.fromRuntime(operations, runtime),
      receive: runtime?.receive ?? (() => unroutedCall),
      peekFault: runtime?.peekFault ?? (() => Effect.succeed({ fault: "none" })),
      rejectCall: runtime?.rejectCall ?? (() => Effect.succeed(true)),
      authenticate: authenticate.make({
        accessKeys: options.credentials ??
          state?.origin.scenario.credentials ?? [defaultCredentials],
        anyCredentials: options.anyCredentials ?? false,
        regions: options.regions ?? (state && [state.origin.scenario.region]),
        allowedSkew: options.allowedSkew ?? "5 minutes"
      }),
      maxBodySize: options.maxBodySize ?? maxBodySizeOf(state),
      notFound
    })
    const route = (request: HttpServerRequest.HttpServerRequest) =>
      controlRoute !== undefined && controlRoutes.isIndex(request)
        ? Effect.succeed(controlRoutes.redirectToDocs)
        : controlRoute !== undefined && controlRoutes.isControlRequest(request)
          ? controlRoute(request)
          : request.method === "POST"
            ? handleCall(request)
            : // nothing else is a call, and the log is for calls
              respondTo(notFound)
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.catchAllCause(route(request), onDefect)
    )
  })

const maxBodySizeOf = (state: State | undefined): number =>
  state === undefined ? 1_048_576 : state.behavior.requestSizeLimit - 1

const notFoundResponse = (hint: string): HttpResponse =>
  commonErrorResponse(
    {
      code: "UnknownOperationException",
      message: `This is a sandbox of AWS Marketplace Metering. It takes AWS JSON 1.1: POST / with an X-Amz-Target.${hint}`
    },
    404
  )

const notFoundWithoutControl = notFoundResponse("")

const notFoundWithControl = notFoundResponse(" How to control it is told at /_sandbox/docs.")

/**
 * Serves the `MeteringClient` from context on the `HttpServer` from context.
 *
 * @example
 * ```ts
 * import { NodeHttpServer } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
 * import { createServer } from "node:http"
 *
 * const live = SandboxServer.layer().pipe(
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 4598, host: "127.0.0.1" })),
 *   Layer.provide(MeteringSandbox.layer())
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SandboxServer, never, MeteringClient | HttpServer.HttpServer> =>
  Layer.scoped(
    SandboxServer,
    Effect.gen(function* () {
      const server = yield* HttpServer.HttpServer
      yield* server.serve(yield* make(options))
      return { url: urlOf(server.address) }
    })
  ).pipe(
    // the platform's spans carry every header, session tokens included
    HttpMiddleware.withTracerDisabledWhen(() => true)
  )

const urlOf = (address: HttpServer.Address): string =>
  address._tag === "TcpAddress" && address.hostname.includes(":")
    ? `http://[${address.hostname}]:${address.port}`
    : HttpServer.formatAddress(address)

/**
 * Where a server on Node.js listens, and how long it waits.
 *
 * - `port`: 0, any free one, when left out
 * - `host`: 127.0.0.1 when left out, so that nobody else can call
 * - `requestTimeout`: the time that a sender has for a request; 30 seconds when left out. Then the connection
 *   is closed.
 *
 * @since 0.1.0
 * @category models
 */
export interface NodeOptions extends Options {
  readonly port?: number | undefined
  readonly host?: string | undefined
  readonly requestTimeout?: Duration.DurationInput | undefined
}

/**
 * Serves the `MeteringClient` from context on Node.js, on a free port of the loopback interface unless told
 * otherwise. Closing the scope closes every connection. Where it is a sandbox's, its control is served as well:
 * by programs elsewhere it is led through `SandboxApi`, by people through the page at `/_sandbox/docs`.
 *
 * Needs `@effect/platform-node`, which is loaded only now. Fails with `ServeError` when the port is
 * taken or that package is not installed; its `cause` says which.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { MeteringSandbox, SandboxServer } from "effect-marketplace-metering/sandbox"
 *
 * const program = Effect.gen(function* () {
 *   const { url } = yield* SandboxServer.SandboxServer
 *   return `AWS_ENDPOINT_URL_MARKETPLACE_METERING=${url}`
 * }).pipe(
 *   Effect.provide(Layer.provide(SandboxServer.layerNode(), MeteringSandbox.layer()))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerNode = (
  options: NodeOptions = {}
): Layer.Layer<SandboxServer, HttpServerError.ServeError, MeteringClient> =>
  Layer.provide(
    layer(options),
    nodeServer.layer({
      port: options.port ?? 0,
      host: options.host ?? "127.0.0.1",
      requestTimeout: options.requestTimeout ?? "30 seconds"
    })
  )
