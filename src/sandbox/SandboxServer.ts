/**
 * Any `MeteringClient` as an HTTP server that speaks AWS JSON 1.1 with Signature Version 4, for every AWS SDK in every
 * language.
 *
 * Every response has the header `x-effect-marketplace-metering-sandbox: true`, and every call has a request id that starts
 * with `sandbox-`, so that neither can be mistaken for a response of AWS. Failures to store the state are logged at level
 * Error, and each call at level Debug without its values. The server creates no trace spans.
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
import { serviceRegion } from "../entitlement/internal/serviceModel.js"
import { operations as meteringOperations } from "../internal/operations.js"
import { MeteringClient } from "../MeteringClient.js"
import type { OperationName } from "../MeteringError.js"
import { deliver } from "./internal/delivery/deliver.js"
import { makePost } from "./internal/delivery/post.js"
import { operations } from "./internal/model/operations.js"
import { commonErrorResponse, type HttpResponse } from "./internal/model/serviceResponse.js"
import type { State } from "./internal/model/state.js"
import { allEntitlements } from "./internal/operations/getEntitlements.js"
import type { IncomingCall } from "./internal/runtime/handleCall.js"
import * as operationHandlers from "./internal/runtime/operationHandlers.js"
import { RunningSandbox } from "./internal/runtime/runtime.js"
import * as authenticate from "./internal/server/authenticate.js"
import * as controlRoutes from "./internal/server/controlRoutes.js"
import * as defectResponse from "./internal/server/defectResponse.js"
import * as nodeServer from "./internal/server/nodeServer.js"
import * as pageRoutes from "./internal/server/pageRoutes.js"
import * as router from "./internal/server/router.js"
import * as snsRoutes from "./internal/server/snsRoutes.js"
import { MeteringSandbox } from "./MeteringSandbox.js"
import type { AccessKey } from "./Scenario.js"

/**
 * Access control and limits of the server.
 *
 * - `credentials`: the accepted access keys. Their `allow` and `caller` apply only with the client of a sandbox. Defaults to
 *   the `credentials` of the sandbox's scenario, or else to `sandbox` / `sandbox`.
 * - `anyCredentials`: accepts every request, signed or not. `allow` and `caller` of a known access key still apply. Defaults
 *   to false.
 * - `regions`: the Regions that requests may be signed for. Defaults to the Region of the sandbox's scenario (for
 *   GetEntitlements also us-east-1), or to any Region with another client.
 * - `allowedSkew`: the maximum difference between a request's date and the clock. Defaults to 5 minutes.
 * - `maxBodySize`: the maximum size of a body in bytes. Defaults to one less than the scenario's `requestSizeLimit`,
 *   or to 1 048 576 with another client.
 * - `publicUrl`: the address of the server in SNS messages: scheme, host and port. Defaults to the address that the server
 *   listens on, which other machines may not be able to reach. The control API and the pages accept requests for the host of
 *   `publicUrl` and for `localhost`. On another interface than loopback they also accept IP addresses and private names. They
 *   reject all other host names, because a malicious web site can point its name to the server (DNS rebinding).
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
  readonly publicUrl?: string | undefined
}

/**
 * The address of the server.
 *
 * - `url`: scheme, host and port, to be used as an SDK's `endpoint`
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly url: string
}

/**
 * A running server.
 *
 * @since 0.1.0
 * @category tags
 */
export class SandboxServer extends Context.Tag("effect-marketplace-metering/SandboxServer")<
  SandboxServer,
  Service
>() {}

/**
 * The default access key: `sandbox` / `sandbox`.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultCredentials: Credentials = {
  accessKeyId: "sandbox",
  secretAccessKey: Redacted.make("sandbox")
}

/**
 * The server as an `HttpApp`, to be served beside other routes.
 *
 * It never fails: failures, defects and interruptions become a response in the service's format. A client that
 * disconnects interrupts its call, but what the call has stored remains stored.
 *
 * With a `MeteringSandbox` in context, it also serves `SandboxApi` and pages for a browser under `/_sandbox`. Products without
 * a `landingUrl` have their buyers post to a built-in registration page. If the `MeteringClient` is the client of the sandbox,
 * calls go directly to the sandbox, which then knows the access key, also serves GetEntitlements, and injects faults into the
 * connection. (Only on Node.js can the server cut connections.)
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<HttpApp.Default, never, MeteringClient> =>
  Effect.gen(function* () {
    const client = yield* MeteringClient
    const sandbox = Option.getOrUndefined(yield* Effect.serviceOption(MeteringSandbox))
    const anyRuntime = Option.getOrUndefined(yield* Effect.serviceOption(RunningSandbox))
    const runtime = anyRuntime?.client === client ? anyRuntime : undefined
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
    const notFound = sandbox === undefined ? notFoundWithoutControl : notFoundWithControl
    const post = yield* makePost
    const controlRoute =
      sandbox &&
      (yield* controlRoutes.make(
        sandbox,
        {
          client,
          post,
          publicUrl: options.publicUrl,
          own: anyRuntime && {
            respondToSns: snsRoutes.make(anyRuntime, respondTo(notFound)),
            confirm: (topicArn, token) =>
              Effect.asVoid(snsRoutes.confirm(anyRuntime, topicArn, token)),
            entitlementsOf: (productCode, filter) =>
              anyRuntime.modify((state, clock) => [
                allEntitlements(state, productCode, filter, clock + state.offset),
                state
              ])
          }
        },
        { notFound: respondTo(notFound), onDefect }
      ))
    const handleCall = router.make({
      operations:
        runtime === undefined
          ? operationHandlers.handlersFromClient(meteringOperations, client)
          : operationHandlers.fromRuntime(operations, runtime),
      receive: runtime?.receive ?? (() => unroutedCall),
      peekFault: runtime?.peekFault ?? (() => Effect.succeed({ fault: "none" })),
      rejectCall: runtime?.rejectCall ?? (() => Effect.succeed(true)),
      authenticate: authenticate.make({
        accessKeys: options.credentials ??
          state?.origin.scenario.credentials ?? [defaultCredentials],
        anyCredentials: options.anyCredentials ?? false,
        regionsOf: (operation) => options.regions ?? (state && regionsIn(state, operation)),
        allowedSkew: options.allowedSkew ?? "5 minutes"
      }),
      maxBodySize: options.maxBodySize ?? maxBodySizeOf(state),
      notFound
    })
    const route = (request: HttpServerRequest.HttpServerRequest) => {
      if (controlRoute !== undefined) {
        if (controlRoutes.isControlRequest(request)) return controlRoute.handle(request)
        if (pageRoutes.isIndex(request)) return Effect.succeed(pageRoutes.redirectHome)
        const rejection = controlRoute.rejectionOfCall(request)
        if (rejection !== undefined) return Effect.succeed(rejection)
      }
      // requests with other methods are not calls, so they are not logged
      return request.method === "POST" ? handleCall(request) : respondTo(notFound)
    }
    return Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
      Effect.catchAllCause(route(request), onDefect)
    )
  })

/** The Regions that calls may be signed for: the scenario's, and for GetEntitlements also the only Region of that service. */
const regionsIn = ({ origin }: State, operation: OperationName): ReadonlyArray<string> =>
  operation === "GetEntitlements"
    ? [origin.scenario.region, serviceRegion]
    : [origin.scenario.region]

const maxBodySizeOf = (state: State | undefined): number =>
  state === undefined ? 1_048_576 : state.behavior.requestSizeLimit - 1

const notFoundResponse = (hint: string): HttpResponse =>
  commonErrorResponse(
    {
      code: "UnknownOperationException",
      message: `This is a sandbox of AWS Marketplace Metering. Send AWS JSON 1.1: POST / with the header X-Amz-Target.${hint}`
    },
    404
  )

const notFoundWithoutControl = notFoundResponse("")

const notFoundWithControl = notFoundResponse(" Its control API is documented at /_sandbox/docs.")

/**
 * Serves the `MeteringClient` from context on the `HttpServer` from context. Delivers the events of its sandbox to the targets
 * of the scenario, by the `HttpClient` from context or else by `fetch`.
 *
 * A failed delivery is retried up to 15 times, over about 90 seconds for an SNS target and ten minutes for other targets. Until
 * then, later deliveries to the same target wait. (SNS and EventBridge retry for hours.)
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
      const url = urlOf(server.address)
      const runtime = yield* Effect.serviceOption(RunningSandbox)
      if (Option.isSome(runtime)) {
        yield* Effect.forkScoped(
          deliver(runtime.value, yield* makePost, {
            localUrl: url,
            publicUrl: options.publicUrl?.replace(/\/$/, "") ?? url
          })
        )
      }
      return { url }
    })
  ).pipe(
    // disables tracing, because the platform's spans contain all headers, including session tokens
    HttpMiddleware.withTracerDisabledWhen(() => true)
  )

const urlOf = (address: HttpServer.Address): string =>
  address._tag === "TcpAddress" && address.hostname.includes(":")
    ? `http://[${address.hostname}]:${address.port}`
    : HttpServer.formatAddress(address)

/**
 * Options of a server on Node.js.
 *
 * - `port`: the port. 0 selects a free port. Defaults to 0.
 * - `host`: the interface to listen on. Defaults to 127.0.0.1, which other machines cannot reach.
 * - `requestTimeout`: the time to receive a request, after which the connection is closed. Defaults to 30 seconds.
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
 * Serves the `MeteringClient` from context on Node.js. With a `MeteringSandbox` in context it also serves `SandboxApi`,
 * documented at `/_sandbox/docs`, and pages at `/_sandbox/`. Closing the scope closes every connection.
 *
 * Loads `@effect/platform-node`. Fails with a `ServeError` if that package is not installed or the port is in use. The `cause`
 * of the error tells which.
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
