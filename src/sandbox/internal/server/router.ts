/** Handles calls over HTTP: finds the operation, reads and authenticates the request, calls the operation, and responds. */
import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { OperationName } from "../../../MeteringError.js"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/callLog.js"
import { noFault } from "../model/faultScript.js"
import { contentTooLarge, type HttpResponse, unknownOperation } from "../model/serviceResponse.js"
import { skewOf } from "../runtime/faultResponse.js"
import type { CallOutcome, IncomingCall } from "../runtime/handleCall.js"
import type { OperationHandler, OperationHandlers } from "../runtime/operationHandlers.js"
import type { SandboxRuntime } from "../runtime/runtime.js"
import * as accessLog from "./accessLog.js"
import { type Authentication, unverifiedCaller } from "./authenticate.js"
import * as defectResponse from "./defectResponse.js"
import {
  clientClosedRequest,
  cutConnection,
  isClientAbort,
  toHttpResponse
} from "./httpResponse.js"
import { pathOf, readBody } from "./requestReader.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

export interface Options extends Pick<SandboxRuntime, "receive" | "peekFault" | "rejectCall"> {
  readonly operations: OperationHandlers
  readonly authenticate: (
    request: Request,
    operation: OperationName,
    body: Uint8Array,
    now: number
  ) => Effect.Effect<Authentication>
  /** In bytes. */
  readonly maxBodySize: number
  /** The response to requests that are not calls. */
  readonly notFound: HttpResponse
}

export const make = (options: Options) => {
  const { authenticate, maxBodySize, notFound, operations, peekFault, receive, rejectCall } =
    options

  const handle = (request: Request): Effect.Effect<Response> =>
    Effect.gen(function* () {
      const target = route(request)
      const began = yield* Clock.currentTimeMillis
      const incoming = yield* receive("status" in target ? undefined : target.name)
      const logAndRespond = ({ fault, response }: CallOutcome<HttpResponse>) =>
        Effect.gen(function* () {
          const sent = isCut(fault) ? undefined : response
          const ended = yield* Clock.currentTimeMillis
          yield* accessLog.write(incoming, { response: sent, fault }, ended - began)
          if (sent !== undefined) return yield* respond(sent, incoming, fault)
          yield* cutConnection(request)
          return clientClosedRequest
        })
      return yield* outcomeOf(request, incoming, target).pipe(
        Effect.tap(({ fault }) => delayOf(fault)),
        Effect.interruptible,
        Effect.flatMap(logAndRespond),
        Effect.catchTag("RequestError", () => Effect.succeed(clientClosedRequest)),
        Effect.catchAllCause((cause) =>
          Effect.gen(function* () {
            if (yield* isClientAbort) return clientClosedRequest
            const response = yield* defectResponse.logAndRespond(cause)
            return yield* logAndRespond({ response, fault: noFault })
          })
        )
      )
    })

  /** Returns the operation of a request, or the response to a request that names no operation. */
  const route = (request: Request): OperationHandler | HttpResponse =>
    request.method === "POST" && pathOf(request) === "/"
      ? (operations.get(request.headers["x-amz-target"] ?? "") ?? unknownOperation)
      : notFound

  const outcomeOf = (
    request: Request,
    incoming: IncomingCall,
    target: OperationHandler | HttpResponse
  ): Effect.Effect<CallOutcome<HttpResponse>, HttpServerError.RequestError> =>
    Effect.gen(function* () {
      const unverified = unverifiedCaller(request)
      if ("status" in target) return yield* reject(incoming, unverified, target)
      const body = yield* readBody(request, maxBodySize)
      if (Option.isNone(body)) {
        return yield* reject(incoming, unverified, contentTooLarge(maxBodySize))
      }
      while (true) {
        const outcome = yield* attempt(request, body.value, incoming, target)
        if (outcome !== undefined) return outcome
      }
    })

  /**
   * Authenticates a call by the clock of the next fault, and calls the operation. Returns `undefined` if another call has used
   * up that fault in the meantime. The caller then tries again, because the next fault may have another clock.
   */
  const attempt = (
    request: Request,
    body: Uint8Array,
    incoming: IncomingCall,
    operation: OperationHandler
  ) =>
    Effect.gen(function* () {
      const fault = yield* peekFault(operation.name)
      const skew = skewOf(fault)
      const clock = yield* Clock.currentTimeMillis
      const { callerIdentity, rejection } = yield* authenticate(
        request,
        operation.name,
        body,
        clock + skew
      )
      if (rejection === undefined) {
        const decoded = operation.decode(body)
        return Either.isLeft(decoded)
          ? yield* reject(incoming, callerIdentity, decoded.left)
          : yield* operation.handle(decoded.right, incoming, callerIdentity, skew, body)
      }
      // does not use up the fault if the signature is invalid without the skew as well
      const withoutSkew =
        skew === 0 ? { rejection } : yield* authenticate(request, operation.name, body, clock)
      if (withoutSkew.rejection !== undefined) {
        return yield* reject(incoming, callerIdentity, withoutSkew.rejection)
      }
      const isRejected = yield* rejectCall(incoming, callerIdentity, rejection, skew)
      return isRejected ? { fault, response: rejection } : undefined
    })

  const reject = (incoming: IncomingCall, callerIdentity: CallerIdentity, response: HttpResponse) =>
    Effect.as(rejectCall(incoming, callerIdentity, response, 0), { fault: noFault, response })

  return handle
}

const isCut = ({ fault }: Fault): boolean => fault === "cutBefore" || fault === "cutAfter"

const delayOf = (fault: Fault): Effect.Effect<void> =>
  fault.fault === "latency" ? Effect.sleep(fault.duration) : Effect.void

export const respond = (
  response: HttpResponse,
  incoming: IncomingCall,
  fault: Fault = noFault
): Effect.Effect<Response> =>
  Effect.map(Clock.currentTimeMillis, (clock) => toHttpResponse(response, incoming, fault, clock))
