/** Operation handlers that call the sandbox or any client. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import { targetOf } from "../../../internal/protocol/awsJson.js"
import type { MeteringError, OperationName } from "../../../MeteringError.js"
import type { Any as AnyOperation } from "../../../Operation.js"
import type { CallerIdentity } from "../model/callLog.js"
import * as callLog from "../model/callLog.js"
import { operationsByName } from "../model/operations.js"
import type { HttpResponse } from "../model/serviceResponse.js"
import { operationCodec } from "../protocol/awsJsonServer.js"
import type { CallOutcome, IncomingCall } from "./handleCall.js"
import type { SandboxRuntime } from "./runtime.js"

/** Decodes and handles the calls of one operation. */
export interface OperationHandler {
  readonly name: OperationName
  /** Decodes the body of a request. Returns the error response if the body is invalid. */
  readonly decode: (body: Uint8Array) => Either.Either<object, HttpResponse>
  /**
   * Handles a call. Returns `undefined` if the signature must be verified again, because the next fault has another clock skew
   * than `skew` (in milliseconds). The log stores `body` instead of `request`, because it takes less memory.
   */
  readonly handle: (
    request: object,
    incoming: IncomingCall,
    callerIdentity: CallerIdentity,
    skew: number | undefined,
    body?: Uint8Array
  ) => Effect.Effect<CallOutcome<HttpResponse> | undefined>
}

/** The handlers of all operations, by the value of `x-amz-target`. */
export type OperationHandlers = ReadonlyMap<string, OperationHandler>

type Operations = Readonly<Record<string, AnyOperation>>

export const fromRuntime = (operations: Operations, runtime: SandboxRuntime): OperationHandlers =>
  byTarget(operations, (operation) => {
    const { decode, encode } = operationCodec(operation)
    return {
      name: operation.name,
      decode,
      handle: (request, incoming, callerIdentity, skew, body) =>
        Effect.map(
          runtime.handle(operation, incoming, callerIdentity, request, skew),
          (outcome) => {
            if (outcome === undefined) return undefined
            const { fault, logged } = outcome
            const response =
              outcome.response &&
              Either.match(outcome.response, { onLeft: identity<HttpResponse>, onRight: encode })
            if (logged !== undefined && response?.status === 200) {
              callLog.compact(logged, body, response.body)
            }
            return { fault, response }
          }
        )
    }
  })

/** A client with a method for each operation, such as `MeteringClient`. */
type Methods<Names extends PropertyKey> = {
  readonly [Name in Names]: (request: never) => Effect.Effect<object, MeteringError>
}

export const handlersFromClient = <Registry extends Operations>(
  operations: Registry,
  client: Methods<keyof Registry>
): OperationHandlers =>
  byTarget(operations, (operation) => {
    const { decode, encode, encodeError } = operationCodec(operation)
    const methods = Object.entries(operations).filter(([, { name }]) => name === operation.name)
    return {
      name: operation.name,
      decode,
      handle: (request) => {
        // if several methods call the operation, selects the method whose preflight accepts the request
        const [method] =
          methods.find(([, { preflight }]) => preflight?.(request) === undefined) ??
          methods[0] ??
          []
        return Effect.map(
          Effect.match(
            // the cast is safe, because `decode` has made a request of the operation's class
            Effect.suspend(() => client[method as keyof Registry](request as never)),
            { onFailure: encodeError, onSuccess: encode }
          ),
          (response) => ({ fault: { fault: "none" }, response })
        )
      }
    }
  })

const byTarget = (
  registry: Operations,
  makeHandler: (operation: AnyOperation) => OperationHandler
): OperationHandlers =>
  new Map(
    Object.values(operationsByName(registry)).map((operation) => [
      targetOf(operation),
      makeHandler(operation)
    ])
  )
