/** The service as a pure function of state, call and time. */
import * as Either from "effect/Either"
import type { OperationName } from "../../../MeteringError.js"
import type { Fault } from "../../Fault.js"
import type { CallerIdentity, LoggedCall } from "../model/callLog.js"
import * as faultScript from "../model/faultScript.js"
import {
  commonErrorResponse,
  type HttpResponse,
  type ServiceResult,
  unknownOperation
} from "../model/serviceResponse.js"
import { capacityError, change, logCall, type State } from "../model/state.js"
import { type ServiceOperation, serviceOperations } from "../operations/serviceOperations.js"
import { faultResponseOf, skewOf, unprocessedOf } from "./faultResponse.js"

/** A call that was counted and has a request id, but is not yet authenticated. */
export interface IncomingCall {
  readonly requestId: string
  readonly operation: OperationName | undefined
}

/** Counts a call, and assigns a request id. */
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

/** A call after authentication. */
export interface ServiceCall {
  readonly incoming: IncomingCall
  readonly callerIdentity: CallerIdentity
  readonly operation: OperationName
  readonly request: object
  /** The time of the machine's clock in epoch milliseconds. The sandbox's clock may differ. */
  readonly clock: number
  /** The clock skew in milliseconds with which the signature was verified. `undefined` if the call was not signed. */
  readonly skew: number | undefined
}

export interface CallOutcome<A> {
  readonly fault: Fault
  /** `undefined` if the connection is to be cut before the service processes the call. */
  readonly response: A | undefined
  /** The call in the log, for `callLog.compact`. Absent if the response contains a signature, which is not logged. */
  readonly logged?: LoggedCall
}

/**
 * Handles a call. Returns `undefined` as outcome if the next fault has another clock skew than `call.skew`, because the signature
 * must then be verified again.
 */
export const handleCall = (
  state: State,
  call: ServiceCall
): readonly [CallOutcome<ServiceResult> | undefined, State] => {
  const { callerIdentity, operation, request, skew } = call
  const serviceOperation = serviceOperations[operation]
  // does not count the call or use up a fault, as for a call whose target is unknown
  if (serviceOperation === undefined) {
    return logOutcome(state, call, faultScript.noFault, Either.left(unknownOperation))
  }
  if (skew !== undefined && !isSkewedBy(state, operation, skew)) return [undefined, state]
  const counted = change(state, {
    _tag: "Counts",
    arrivals: state.receivedCalls,
    calls: { ...state.callCounts, [operation]: state.callCounts[operation] + 1 }
  })
  // checks the permission before the fault, so that a denied call does not use up a fault
  const denied = accessDenied(callerIdentity, operation, request)
  if (denied !== undefined)
    return logOutcome(counted, call, faultScript.noFault, Either.left(denied))
  const [fault, afterFault] = takeFault(counted, operation)
  if (fault.fault === "cutBefore") return logOutcome(afterFault, call, fault, undefined)
  const [response, next] = processCall(afterFault, call, fault, serviceOperation)
  return logOutcome(next, call, fault, response)
}

/** Applies the fault, validates the request, checks quota and capacity, and runs the operation. */
const processCall = (
  state: State,
  call: ServiceCall,
  fault: Fault,
  { errorResponse, handle, invalidRequest, throttled }: ServiceOperation
): readonly [ServiceResult, State] => {
  const { callerIdentity, clock, incoming, operation, request } = call
  const rejected =
    faultResponseOf(fault, callerIdentity, (error) => errorResponse(error, state), clock) ??
    invalidRequest(request, state)
  if (rejected !== undefined) return [Either.left(rejected), state]

  const afterQuota = consumeQuota(state, operation, clock)
  if (afterQuota === undefined) return [Either.left(throttled), state]

  const storageError = readingOperations.has(operation) ? undefined : capacityError(afterQuota)
  if (storageError !== undefined) return [Either.left(storageFull(storageError)), afterQuota]

  const [unprocessed, afterDraw] = unprocessedOf(fault, request, afterQuota)
  const [next, response] = handle(afterDraw, request, {
    requestId: incoming.requestId,
    clock,
    now: clock + state.offset,
    caller: callerIdentity.accessKey?.caller ?? state.catalog.caller,
    unprocessed
  })
  return [response, next]
}

/** Operations that store nothing. */
const readingOperations: ReadonlySet<OperationName> = new Set([
  "ResolveCustomer",
  "GetEntitlements"
])

/** Makes the response of a full sandbox. No operation models its error code, so clients do not retry it. */
const storageFull = (message: string): HttpResponse =>
  commonErrorResponse({ code: "ServiceQuotaExceededException", message })

const accessDenied = (
  { accessKey, accessKeyId }: CallerIdentity,
  operation: OperationName,
  request: { readonly dryRun?: unknown }
) =>
  accessKey?.allow?.includes(operation) === false
    ? commonErrorResponse({
        code: request.dryRun === true ? "UnauthorizedException" : "AccessDeniedException",
        message: `User: ${accessKeyId} is not authorized to perform: aws-marketplace:${operation}`
      })
    : undefined

/** Takes a call from the operation's token bucket. Returns `undefined` if the bucket is empty. */
const consumeQuota = (state: State, operation: OperationName, clock: number): State | undefined => {
  const callsPerSecond = state.quotas[operation]
  if (callsPerSecond === undefined) return state
  const size = Math.max(callsPerSecond, 1)
  const { at, left } = state.buckets[operation] ?? { at: clock, left: size }
  const filled = Math.min(size, left + (Math.max(0, clock - at) * callsPerSecond) / 1000)
  return filled < 1
    ? undefined
    : change(state, { _tag: "Bucket", operation, bucket: { left: filled - 1, at: clock } })
}

/**
 * Logs a call that is rejected before it is processed. A rejection with a clock skew is caused by the next fault and uses it up.
 * Returns false if the next fault has another skew by now, because the signature must then be verified again.
 */
export const rejectCall = (
  state: State,
  incoming: IncomingCall,
  callerIdentity: CallerIdentity,
  response: HttpResponse,
  clock: number,
  skew: number
): readonly [wasRejected: boolean, State] => {
  const { operation } = incoming
  const isByFault = skew !== 0 && operation !== undefined
  if (isByFault && !isSkewedBy(state, operation, skew)) return [false, state]
  const [fault, afterFault] = isByFault
    ? takeFault(state, operation)
    : ([faultScript.noFault, state] as const)
  const call = { incoming, callerIdentity, clock, request: undefined }
  const [, next] = logOutcome(afterFault, call, fault, Either.left(response))
  return [true, next]
}

/** Returns the fault of the next call of an operation, without using it up. Another call may use it up first. */
export const peekFault = (state: State, operation: OperationName): Fault =>
  faultScript.next(state.faults, operation)[0]

const takeFault = (state: State, operation: OperationName): readonly [Fault, State] => {
  const [fault, remaining] = faultScript.next(state.faults, operation)
  return [
    fault,
    remaining === state.faults ? state : change(state, { _tag: "Faults", faults: remaining })
  ]
}

const isSkewedBy = (state: State, operation: OperationName, skew: number): boolean =>
  skewOf(peekFault(state, operation)) === skew

const logOutcome = (
  state: State,
  call: Pick<ServiceCall, "callerIdentity" | "clock" | "incoming"> & {
    readonly request: object | undefined
  },
  fault: Fault,
  response: ServiceResult | undefined
): readonly [CallOutcome<ServiceResult>, State] => {
  const { callerIdentity, clock, incoming, request } = call
  const { operation, requestId } = incoming
  const at = clock + state.offset
  const logged = { requestId, at, operation, callerIdentity, fault: fault.fault, request, response }
  return [{ fault, response, logged }, logCall(state, logged)]
}
