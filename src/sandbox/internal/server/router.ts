/** A call's way over HTTP, in the service's order: what is asked for, who asks, what exactly; and then the answer. */

import type * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity } from "../model/state.js"
import { skewOf } from "../runtime/faultResponse.js"
import type { CallOutcome, IncomingCall } from "../runtime/handleCall.js"
import type { SandboxRuntime } from "../runtime/runtime.js"
import * as accessLog from "./accessLog.js"
import * as authenticate from "./authenticate.js"
import {
  commonErrorResponse,
  contentTooLarge,
  type HttpResponse,
  operationNameOf
} from "./awsJsonServer.js"
import * as connection from "./connection.js"
import * as defectResponse from "./defectResponse.js"
import type { OperationHandler, OperationHandlers } from "./operationHandlers.js"
import * as readBody from "./readBody.js"
import { pathOf } from "./requestTarget.js"
import { clientClosedRequest, isClientAbort, toHttpResponse } from "./response.js"

type Request = HttpServerRequest.HttpServerRequest
type Response = HttpServerResponse.HttpServerResponse

export interface Options extends Pick<SandboxRuntime, "receive" | "peekFault" | "rejectCall"> {
  readonly operations: OperationHandlers
  readonly verifyCaller: ReturnType<typeof authenticate.make>
  /** In bytes. */
  readonly maxBodySize: number
  /** What is said to whoever asks for something else than the service. */
  readonly notFound: HttpResponse
}

export const make = (options: Options) => {
  const { verifyCaller, receive, maxBodySize, notFound, operations, rejectCall, peekFault } =
    options

  const outcomeOf = (
    request: Request,
    incoming: IncomingCall,
    operation: OperationHandler | HttpResponse
  ): Effect.Effect<CallOutcome<HttpResponse>, HttpServerError.RequestError> =>
    Effect.gen(function* () {
      const rejectWith = (response: HttpResponse, callerIdentity: CallerIdentity) =>
        Effect.as(rejectCall(incoming, callerIdentity, response, 0), { fault: noFault, response })
      if (!("handle" in operation))
        return yield* rejectWith(operation, authenticate.unverifiedCaller(request))
      const bytes = yield* readBody.read(request, maxBodySize)
      if (Option.isNone(bytes)) {
        return yield* rejectWith(
          contentTooLarge(maxBodySize),
          authenticate.unverifiedCaller(request)
        )
      }
      while (true) {
        const fault = yield* peekFault(operation.name)
        const skew = skewOf(fault)
        const clock = yield* Clock.currentTimeMillis
        const [callerIdentity, rejection] = yield* verifyCaller(request, bytes.value, clock + skew)
        if (rejection !== undefined) {
          // a fault is used up by whom it befalls: not by a signature that no clock makes a good one
          const [, rejectionWithoutSkew] =
            skew === 0
              ? [callerIdentity, rejection]
              : yield* verifyCaller(request, bytes.value, clock)
          if (rejectionWithoutSkew !== undefined) {
            return yield* rejectWith(rejectionWithoutSkew, callerIdentity)
          }
          if (yield* rejectCall(incoming, callerIdentity, rejection, skew))
            return { fault, response: rejection }
          continue
        }
        const call = operation.decode(bytes.value)
        if (Either.isLeft(call)) return yield* rejectWith(call.left, callerIdentity)
        const outcome = yield* operation.handle(call.right, incoming, callerIdentity, skew)
        if (outcome !== undefined) return outcome
      }
    })

  return (request: Request): Effect.Effect<Response> => {
    const operation = isForService(request)
      ? (operations.get(operationNameOf(request.headers["x-amz-target"]) ?? "") ?? unknownOperation)
      : notFound
    const name = "handle" in operation ? operation.name : undefined
    return Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const incoming = yield* receive(name)
      const respondWith = ({ response, fault }: CallOutcome<HttpResponse>) =>
        Effect.gen(function* () {
          const sent = isCut(fault) ? undefined : response
          const ended = yield* Clock.currentTimeMillis
          yield* accessLog.write(incoming, { response: sent, fault }, ended - began)
          return sent === undefined
            ? yield* Effect.as(connection.cut(request), clientClosedRequest)
            : yield* respond(sent, incoming, fault)
        })
      return yield* outcomeOf(request, incoming, operation).pipe(
        Effect.tap(({ fault }) => delayOf(fault)),
        Effect.interruptible,
        Effect.flatMap(respondWith),
        Effect.catchTag("RequestError", () => Effect.succeed(clientClosedRequest)),
        Effect.catchAllCause((cause) =>
          Effect.flatMap(isClientAbort, (isDisconnected) =>
            isDisconnected
              ? Effect.succeed(clientClosedRequest)
              : Effect.flatMap(defectResponse.logAndRespond(cause), (response) =>
                  respondWith({ response, fault: noFault })
                )
          )
        )
      )
    })
  }
}

const isForService = (request: Request): boolean =>
  request.method === "POST" && pathOf(request) === "/"

const isCut = ({ fault }: Fault): boolean => fault === "cutBefore" || fault === "cutAfter"

const delayOf = (fault: Fault): Effect.Effect<void> =>
  fault.fault === "latency" ? Effect.sleep(fault.duration) : Effect.void

const noFault: Fault = { fault: "none" }

export const respond = (
  response: HttpResponse,
  incoming: IncomingCall,
  fault: Fault = noFault
): Effect.Effect<Response> =>
  Effect.map(Clock.currentTimeMillis, (clock) => toHttpResponse(response, incoming, fault, clock))

const unknownOperation = commonErrorResponse({
  code: "UnknownOperationException",
  message: "The X-Amz-Target names no operation of AWS Marketplace Metering."
})
