/**
 * Any `MeteringClient` as an HTTP server that speaks AWS JSON 1.1 with Signature Version 4, as AWS
 * Marketplace Metering does: for every AWS SDK, in every language.
 *
 * Every answer carries the header `x-effect-marketplace-metering-sandbox: true` and a request id that begins
 * with `sandbox-`, so that none can be mistaken for one of the service. Nothing is logged or traced.
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as HashSet from "effect/HashSet"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { Credentials } from "../AwsCredentials.js"
import * as BatchMeterUsage from "../BatchMeterUsage.js"
import { contentType } from "../internal/awsJson.js"
import {
  internalFailure,
  operationNameOf,
  type Reply,
  refuse,
  responder
} from "../internal/awsJsonServer.js"
import { type Refused, verify } from "../internal/signature.js"
import { MeteringClient, type Service as MeteringService } from "../MeteringClient.js"
import type { CommonError, ModelledException } from "../MeteringError.js"
import * as MeterUsage from "../MeterUsage.js"
import { marketplaceMetering, type Operation } from "../Operation.js"
import * as RegisterUsage from "../RegisterUsage.js"
import * as ResolveCustomer from "../ResolveCustomer.js"
import * as body from "./internal/body.js"

/**
 * Who may call, and how much may be sent.
 *
 * - `credentials`: whose signatures are accepted; the pair `sandbox` / `sandbox` when left out. With a session
 *   token, requests must carry it; from its `expiration` on, they are told that it has expired.
 * - `regions`: the Regions that requests may be signed for; any when left out
 * - `allowedSkew`: how far a request's date may be off; 5 minutes when left out
 * - `maxBodySize`: bytes of the longest body; 1 048 576 when left out. (The service is documented to take
 *   less than 1 MB; where exactly it stops is not known.)
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
  readonly credentials?: ReadonlyArray<Credentials> | undefined
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
 * service's own form. The sender's hanging up interrupts the call.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options = {}
): Effect.Effect<HttpApp.Default, never, MeteringClient> =>
  Effect.gen(function* () {
    const client = yield* MeteringClient
    const count = yield* Ref.make(0)
    const answer = answerer(client, options)
    return Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const number = yield* Ref.updateAndGet(count, (count) => count + 1)
      const reply = yield* Effect.catchAllCause(Effect.interruptible(answer(request)), (cause) =>
        Effect.succeed(
          HashSet.has(Cause.interruptors(cause), HttpServerError.clientAbortFiberId)
            ? nobodyListens
            : internalFailure("The handling of this call broke.")
        )
      )
      const now = yield* Clock.currentTimeMillis
      return reply === nobodyListens
        ? HttpServerResponse.empty({ status: 499 })
        : responseOf(reply, number, now)
    })
  })

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
      return { url: HttpServer.formatAddress(server.address) }
    })
  ).pipe(
    // the platform's spans carry every header, session tokens included
    HttpMiddleware.withTracerDisabledWhen(() => true)
  )

/**
 * Where a server on Node.js listens: `port` 0, any free one, and `host` 127.0.0.1 when left out.
 *
 * @since 0.1.0
 * @category models
 */
export interface NodeOptions extends Options {
  readonly port?: number | undefined
  readonly host?: string | undefined
}

/**
 * Serves the `MeteringClient` from context on Node.js, on a free port of the loopback interface unless told
 * otherwise. Closing the scope closes every connection.
 *
 * Needs `@effect/platform-node`, which is loaded only now. Fails with `ServeError` when the port is taken.
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
  Layer.provide(layer(options), nodeServer(options.port ?? 0, options.host ?? "127.0.0.1"))

const nodeServer = (port: number, host: string) =>
  Layer.scoped(
    HttpServer.HttpServer,
    Effect.gen(function* () {
      const [http, NodeHttpServer] = yield* Effect.promise(() =>
        Promise.all([import("node:http"), import("@effect/platform-node/NodeHttpServer")])
      )
      const server = http.createServer({ requestTimeout: 30_000 })
      const served = yield* NodeHttpServer.make(() => server, { port, host })
      yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
      return served
    })
  )

// ---------------------------------------------------------------------------------------------------
// a request's way to its answer
// ---------------------------------------------------------------------------------------------------

/** In the service's order: what is asked for, who asks, what exactly. */
const answerer = (client: MeteringService, options: Options) => {
  const serve = operationsOf(client)
  const authenticate = authenticator(options)
  const limit = options.maxBodySize ?? 1_048_576
  return (request: HttpServerRequest.HttpServerRequest) =>
    Effect.gen(function* () {
      const [path = ""] = request.originalUrl.split("?", 1)
      if (request.method !== "POST" || path !== "/") return notHere
      const operation = serve.get(operationNameOf(request.headers["x-amz-target"]) ?? "")
      if (operation === undefined) return unknownOperation
      const bytes = yield* body.read(request, limit)
      if (Option.isNone(bytes)) return tooLarge(limit)
      const refusal = authenticate(request, bytes.value, yield* Clock.currentTimeMillis)
      return refusal ?? (yield* operation(bytes.value))
    }).pipe(Effect.catchTag("RequestError", () => Effect.succeed(nobodyListens)))
}

/** By name, from body to answer. */
const operationsOf = (client: MeteringService) =>
  new Map([
    serveOperation(MeterUsage.operation, client.meterUsage),
    serveOperation(BatchMeterUsage.operation, client.batchMeterUsage),
    serveOperation(RegisterUsage.operation, client.registerUsage),
    serveOperation(ResolveCustomer.operation, client.resolveCustomer)
  ])

const serveOperation = <Request extends object, Response, E extends ModelledException, Answer>(
  operation: Operation<Request, Response, E, Answer>,
  call: (request: Request) => Effect.Effect<Answer, E | CommonError>
) => {
  const { decode, encode, encodeError } = responder(operation)
  const serve = (bytes: Uint8Array): Effect.Effect<Reply> =>
    Either.match(decode(bytes), {
      onLeft: Effect.succeed,
      onRight: (request) =>
        Effect.match(call(request), { onFailure: encodeError, onSuccess: encode })
    })
  return [operation.name as string, serve] as const
}

/** Says why a request is not accepted, if it is not. */
const authenticator = (options: Options) => {
  const known = new Map(
    (options.credentials ?? [defaultCredentials]).map((pair) => [pair.accessKeyId, pair])
  )
  const allowedSkew = Duration.toMillis(options.allowedSkew ?? "5 minutes")
  return (
    request: HttpServerRequest.HttpServerRequest,
    bytes: Uint8Array,
    now: number
  ): Reply | undefined => {
    const verdict = verify(
      { method: request.method, url: request.originalUrl, headers: request.headers, body: bytes },
      {
        credentials: (accessKeyId) => {
          const pair = known.get(accessKeyId)
          return (
            pair && {
              secretAccessKey: Redacted.value(pair.secretAccessKey),
              sessionToken: pair.sessionToken && Redacted.value(pair.sessionToken)
            }
          )
        },
        service: marketplaceMetering.signingName,
        regions: options.regions,
        now,
        allowedSkew
      }
    )
    if (verdict._tag !== "Verified") {
      return refuse({ code: codeOfRefusal[verdict._tag], message: verdict.message })
    }
    const expiration = known.get(verdict.accessKeyId)?.expiration
    return expiration !== undefined && expiration.epochMillis <= now ? expired : undefined
  }
}

/** The codes of AWS's JSON services, which end in "Exception" where those of its query services do not. */
const codeOfRefusal: { readonly [Tag in Refused["_tag"]]: string } = {
  MissingAuthenticationToken: "MissingAuthenticationTokenException",
  IncompleteSignature: "IncompleteSignatureException",
  UnrecognizedClientException: "UnrecognizedClientException",
  InvalidSignatureException: "InvalidSignatureException"
}

const expired = refuse({
  code: "ExpiredTokenException",
  message: "The security token included in the request is expired"
})

const notHere = refuse(
  {
    code: "UnknownOperationException",
    message:
      "This is a sandbox of AWS Marketplace Metering. It takes AWS JSON 1.1: POST / with an X-Amz-Target."
  },
  404
)

const unknownOperation = refuse({
  code: "UnknownOperationException",
  message: "The X-Amz-Target names no operation of AWS Marketplace Metering."
})

const tooLarge = (limit: number) =>
  refuse(
    {
      code: "RequestEntityTooLargeException",
      message: `The request is longer than ${limit} bytes.`
    },
    413
  )

/** Stands for an answer to somebody who has gone. */
const nobodyListens: Reply = { status: 499, body: "", headers: {} }

const responseOf = (reply: Reply, number: number, now: number) =>
  HttpServerResponse.text(reply.body, {
    status: reply.status,
    contentType,
    headers: {
      ...reply.headers,
      "x-amzn-requestid": requestIdOf(reply.requestId, number),
      "x-effect-marketplace-metering-sandbox": "true",
      date: new Date(now).toUTCString()
    }
  })

/** Recognisable as no id of the service's, also where the service is behind the client. */
const requestIdOf = (id: string | undefined, number: number): string =>
  id === undefined
    ? `sandbox-http-${String(number).padStart(12, "0")}`
    : id.startsWith("sandbox-")
      ? id
      : `sandbox-${id}`
