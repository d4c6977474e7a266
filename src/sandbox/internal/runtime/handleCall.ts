/** The service as a function: state, request and time in; state and answer out. */
import * as Either from "effect/Either"
import * as BatchMeterUsage from "../../../BatchMeterUsage.js"
import { invalidInput } from "../../../internal/schema/construct.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import * as validate from "../../../internal/schema/validate.js"
import type { ModelledException, OperationName } from "../../../MeteringError.js"
import * as MeterUsage from "../../../MeterUsage.js"
import type { Operation } from "../../../Operation.js"
import * as RegisterUsage from "../../../RegisterUsage.js"
import * as ResolveCustomer from "../../../ResolveCustomer.js"
import type { Fault } from "../../Fault.js"
import {
  type CallerIdentity,
  capacityError,
  change,
  logCall,
  type ServiceResult,
  type State
} from "../model/state.js"
import { batchMeterUsage } from "../operations/batchMeterUsage.js"
import type { CallContext, Handler } from "../operations/handler.js"
import { meterUsage } from "../operations/meterUsage.js"
import { registerUsage } from "../operations/registerUsage.js"
import { resolveCustomer } from "../operations/resolveCustomer.js"
import {
  type AwsError,
  commonErrorResponse,
  contentTooLarge,
  type HttpResponse,
  operationErrorResponse,
  validationErrorOf
} from "../server/awsJsonServer.js"
import * as requestSize from "../server/requestSize.js"
import { faultResponseOf, skewOf, unprocessedOf } from "./faultResponse.js"
import * as faultScript from "./faultScript.js"
import * as tokenBucket from "./tokenBucket.js"

/** A call that has come in: its id, and the operation that it names. */
export interface IncomingCall {
  readonly requestId: string
  readonly operation: OperationName | undefined
}

/** Lets a call come in. */
export const receive = (
  state: State,
  operation: OperationName | undefined
): readonly [IncomingCall, State] => {
  const receivedCalls = state.receivedCalls + 1
  return [
    { requestId: `sandbox-${String(receivedCalls).padStart(12, "0")}`, operation },
    change(state, { _tag: "Counts", arrivals: receivedCalls, calls: state.callCounts })
  ]
}

/** The fault of the next call of an operation, which is not used up by looking at it. */
export const peekFault = (state: State, operation: OperationName): Fault =>
  faultScript.next(state.faults, operation)[0]

/** Uses up the fault of a call. */
const takeFault = (state: State, operation: OperationName): readonly [Fault, State] => {
  const [fault, remaining] = faultScript.next(state.faults, operation)
  return [
    fault,
    remaining === state.faults ? state : change(state, { _tag: "Faults", faults: remaining })
  ]
}

const noFault: Fault = { fault: "none" }

/** True if the next fault still has the clock that a signature was checked by: other calls may have come between. */
const isSkewedBy = (state: State, operation: OperationName, skew: number): boolean =>
  skewOf(peekFault(state, operation)) === skew

/**
 * Remembers a call that did not come through to the service. Where that was for the clock of a fault, that fault is
 * used up; or it is not the next one any more, and the call is to be looked at again.
 */
export const rejectCall = (
  state: State,
  incoming: IncomingCall,
  callerIdentity: CallerIdentity,
  response: HttpResponse,
  clock: number,
  skew: number
): readonly [wasTurnedAway: boolean, State] => {
  const { operation } = incoming
  const isByFault = skew !== 0 && operation !== undefined
  if (isByFault && !isSkewedBy(state, operation, skew)) return [false, state]
  const [fault, next] = isByFault ? takeFault(state, operation) : [noFault, state]
  const logged = loggedCallOf(
    next,
    incoming,
    fault,
    callerIdentity,
    clock,
    undefined,
    Either.left(response)
  )
  return [true, logCall(next, logged)]
}

/** A call that comes through to the service. */
export interface ServiceCall {
  readonly incoming: IncomingCall
  readonly callerIdentity: CallerIdentity
  readonly operation: OperationName
  readonly request: object
  /** Epoch milliseconds of the clock, which is not the calendar. */
  readonly clock: number
  /** How far ahead the clock was that its signature was checked by, in milliseconds; none where there is none. */
  readonly skew: number | undefined
}

/** The outcome of a call. */
export interface CallOutcome<A> {
  readonly fault: Fault
  /** None where the connection is cut before there is one. */
  readonly response: A | undefined
}

/**
 * Carries out a call. One that is not allowed meets no fault. There is no outcome where its signature is to be checked
 * again, by another clock.
 */
export const handleCall = (
  state: State,
  call: ServiceCall
): readonly [CallOutcome<ServiceResult> | undefined, State] => {
  const { incoming, clock, operation, request, skew, callerIdentity } = call
  if (skew !== undefined && !isSkewedBy(state, operation, skew)) return [undefined, state]
  const counted = change(state, {
    _tag: "Counts",
    arrivals: state.receivedCalls,
    calls: { ...state.callCounts, [operation]: state.callCounts[operation] + 1 }
  })
  const denied = accessDenied(callerIdentity, operation, request)
  const [fault, afterFault] =
    denied === undefined ? takeFault(counted, operation) : [noFault, counted]
  const [response, next] =
    denied !== undefined
      ? [Either.left(denied), afterFault]
      : fault.fault === "cutBefore"
        ? [undefined, afterFault]
        : process(afterFault, call, fault)
  return [
    { fault, response },
    logCall(next, loggedCallOf(next, incoming, fault, callerIdentity, clock, request, response))
  ]
}

const loggedCallOf = (
  state: State,
  { operation, requestId }: IncomingCall,
  { fault }: Fault,
  callerIdentity: CallerIdentity,
  clock: number,
  request: object | undefined,
  response: ServiceResult | undefined
) => ({
  requestId,
  at: clock + state.offset,
  operation,
  callerIdentity,
  fault,
  request,
  response
})

/** Faults, validity of the request, quotas and room come first; then the service itself. */
const process = (
  state: State,
  call: ServiceCall,
  fault: Fault
): readonly [ServiceResult, State] => {
  const { incoming, clock, operation, request, callerIdentity } = call
  const operationHandler = handlers[operation]
  const rejected =
    faultResponseOf(
      fault,
      callerIdentity,
      (rejection) => operationHandler.errorResponse(rejection, state),
      clock
    ) ?? operationHandler.invalidRequest(request, state)
  if (rejected !== undefined) return [Either.left(rejected), state]

  const afterQuota = consumeQuota(state, operation, clock)
  if (afterQuota === undefined) return [Either.left(operationHandler.throttled), state]

  const storageError = operation === "ResolveCustomer" ? undefined : capacityError(afterQuota)
  if (storageError !== undefined) return [Either.left(storageFull(storageError)), afterQuota]

  const [unprocessed, afterDraw] = unprocessedOf(fault, request, afterQuota)
  const [next, response] = operationHandler.handle(afterDraw, request, {
    requestId: incoming.requestId,
    clock,
    now: clock + state.offset,
    caller: callerIdentity.accessKey?.caller ?? state.catalog.caller,
    unprocessed
  })
  return [response, next]
}

/** No exception of the service's, and none that is worth a retry. */
const storageFull = (message: string): HttpResponse =>
  commonErrorResponse({ code: "ServiceQuotaExceededException", message })

const accessDenied = (
  { accessKeyId, accessKey }: CallerIdentity,
  operation: OperationName,
  request: { readonly dryRun?: unknown }
) =>
  accessKey?.allow?.includes(operation) === false
    ? commonErrorResponse({
        code: request.dryRun === true ? "UnauthorizedException" : "AccessDeniedException",
        message: `User: ${accessKeyId} is not authorized to perform: aws-marketplace:${operation}`
      })
    : undefined

/** The state after a call more, or nothing where the quota has no room for it. */
const consumeQuota = (state: State, operation: OperationName, clock: number): State | undefined => {
  const rate = state.quotas[operation]
  if (rate === undefined) return state
  const bucket = tokenBucket.take(rate, state.buckets[operation], clock)
  return bucket && change(state, { _tag: "Bucket", operation, bucket })
}

interface OperationHandler {
  readonly errorResponse: (rejection: AwsError, state: State) => HttpResponse
  readonly invalidRequest: (request: object, state: State) => HttpResponse | undefined
  readonly throttled: HttpResponse
  readonly handle: (
    state: State,
    request: object,
    context: CallContext
  ) => readonly [State, ServiceResult]
}

const makeHandler = <Request extends object, Response, E extends ModelledException, A>(
  operation: Operation<Request, Response, E, A>,
  handler: Handler<Request>
): OperationHandler => {
  const violationsOf = validate.compile(shapeOf(operation.request))
  const oversizeBytes = requestSize.oversizeBytes(operation)
  const errorResponse: OperationHandler["errorResponse"] = (rejection, { behavior }) => {
    const response = operationErrorResponse(operation, rejection)
    return rejection.code === "IdempotencyConflictException"
      ? { ...response, status: behavior.idempotencyConflictStatus }
      : response
  }
  return {
    errorResponse,
    invalidRequest: (request, { behavior }) => {
      const invalid = invalidInput(violationsOf(request), operation.name)
      if (invalid !== undefined)
        return operationErrorResponse(operation, validationErrorOf(operation, invalid))
      return oversizeBytes(request as Request, behavior.requestSizeLimit) === undefined
        ? undefined
        : contentTooLarge(behavior.requestSizeLimit - 1)
    },
    throttled: operationErrorResponse(operation, {
      code: "ThrottlingException",
      message: "Rate exceeded"
    }),
    handle: (state, request, context) => {
      // it is no other's request: the check has looked at it
      const [next, result] = handler(state, request as Request, context)
      return [next, Either.mapLeft(result, (rejection) => errorResponse(rejection, state))]
    }
  }
}

const handlers: { readonly [Name in OperationName]: OperationHandler } = {
  MeterUsage: makeHandler(MeterUsage.operation, meterUsage),
  BatchMeterUsage: makeHandler(BatchMeterUsage.operation, batchMeterUsage),
  RegisterUsage: makeHandler(RegisterUsage.operation, registerUsage),
  ResolveCustomer: makeHandler(ResolveCustomer.operation, resolveCustomer)
}
