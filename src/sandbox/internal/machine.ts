/** The service as a function: state, request and time in; state and answer out. */
import * as Either from "effect/Either"
import * as BatchMeterUsage from "../../BatchMeterUsage.js"
import {
  type Refusal,
  type Reply,
  refusalOf,
  refuse,
  refuseBy,
  tooLarge
} from "../../internal/awsJsonServer.js"
import * as check from "../../internal/check.js"
import { invalidInput } from "../../internal/make.js"
import { of } from "../../internal/shape.js"
import type { ModelledException, OperationName } from "../../MeteringError.js"
import * as MeterUsage from "../../MeterUsage.js"
import type { Operation } from "../../Operation.js"
import * as RegisterUsage from "../../RegisterUsage.js"
import * as ResolveCustomer from "../../ResolveCustomer.js"
import type { Fault } from "../Fault.js"
import { batchMeterUsage } from "./batchMeterUsage.js"
import * as faults from "./faults.js"
import type { Handler, Occasion } from "./handler.js"
import { meterUsage } from "./meterUsage.js"
import { misfortuneOf, skewOf, unprocessedOf } from "./misfortune.js"
import * as quota from "./quota.js"
import { registerUsage } from "./registerUsage.js"
import { resolveCustomer } from "./resolveCustomer.js"
import * as size from "./size.js"
import { type Answer, change, fullness, remember, type State, type Visitor } from "./state.js"

/** A call that has come in: its id, and the operation that it names. */
export interface Arrival {
  readonly requestId: string
  readonly operation: OperationName | undefined
}

/** Lets a call come in. */
export const arrive = (
  state: State,
  operation: OperationName | undefined
): readonly [Arrival, State] => {
  const arrivals = state.arrivals + 1
  return [
    { requestId: `sandbox-${String(arrivals).padStart(12, "0")}`, operation },
    change(state, { _tag: "Counts", arrivals, calls: state.calls })
  ]
}

/** The fault of the next call of an operation, which is not used up by looking at it. */
export const upcoming = (state: State, operation: OperationName): Fault =>
  faults.next(state.faults, operation)[0]

/** Uses up the fault of a call. */
const meet = (state: State, operation: OperationName): readonly [Fault, State] => {
  const [fault, drawn] = faults.next(state.faults, operation)
  return [fault, drawn === state.faults ? state : change(state, { _tag: "Faults", faults: drawn })]
}

const noFault: Fault = { fault: "none" }

/** True if the next fault still has the clock that a signature was checked by: other calls may have come between. */
const isSkewedBy = (state: State, operation: OperationName, skew: number): boolean =>
  skewOf(upcoming(state, operation)) === skew

/**
 * Remembers a call that did not come through to the service. Where that was for the clock of a fault, that fault is
 * used up; or it is not the next one any more, and the call is to be looked at again.
 */
export const turnAway = (
  state: State,
  arrival: Arrival,
  visitor: Visitor,
  reply: Reply,
  clock: number,
  skew: number
): readonly [wasTurnedAway: boolean, State] => {
  const { operation } = arrival
  const isByFault = skew !== 0 && operation !== undefined
  if (isByFault && !isSkewedBy(state, operation, skew)) return [false, state]
  const [fault, next] = isByFault ? meet(state, operation) : [noFault, state]
  const entry = entryOf(next, arrival, fault, visitor, clock, undefined, Either.left(reply))
  return [true, remember(next, entry)]
}

/** A call that comes through to the service. */
export interface Call {
  readonly arrival: Arrival
  readonly visitor: Visitor
  readonly operation: OperationName
  readonly request: object
  /** Epoch milliseconds of the clock, which is not the calendar. */
  readonly clock: number
  /** How far ahead the clock was that its signature was checked by, in milliseconds; none where there is none. */
  readonly skew: number | undefined
}

/** The outcome of a call. */
export interface Outcome<A> {
  readonly fault: Fault
  /** None where the connection is cut before there is one. */
  readonly answer: A | undefined
}

/**
 * Carries out a call. One that is not allowed meets no fault. There is no outcome where its signature is to be checked
 * again, by another clock.
 */
export const perform = (
  state: State,
  call: Call
): readonly [Outcome<Answer> | undefined, State] => {
  const { arrival, clock, operation, request, skew, visitor } = call
  if (skew !== undefined && !isSkewedBy(state, operation, skew)) return [undefined, state]
  const called = change(state, {
    _tag: "Counts",
    arrivals: state.arrivals,
    calls: { ...state.calls, [operation]: state.calls[operation] + 1 }
  })
  const denied = forbidden(visitor, operation, request)
  const [fault, met] = denied === undefined ? meet(called, operation) : [noFault, called]
  const [answer, next] =
    denied !== undefined
      ? [Either.left(denied), met]
      : fault.fault === "cutBefore"
        ? [undefined, met]
        : carryOut(met, call, fault)
  return [
    { fault, answer },
    remember(next, entryOf(next, arrival, fault, visitor, clock, request, answer))
  ]
}

const entryOf = (
  state: State,
  { operation, requestId }: Arrival,
  { fault }: Fault,
  visitor: Visitor,
  clock: number,
  request: object | undefined,
  answer: Answer | undefined
) => ({
  requestId,
  at: clock + state.offset,
  operation,
  visitor,
  fault,
  request,
  answer
})

/** Faults, validity of the request, quotas and room come first; then the service itself. */
const carryOut = (state: State, call: Call, fault: Fault): readonly [Answer, State] => {
  const { arrival, clock, operation, request, visitor } = call
  const service = services[operation]
  const refused =
    misfortuneOf(fault, visitor, (refusal) => service.replyTo(refusal, state), clock) ??
    service.malformed(request, state)
  if (refused !== undefined) return [Either.left(refused), state]

  const paced = spend(state, operation, clock)
  if (paced === undefined) return [Either.left(service.throttled), state]

  const full = operation === "ResolveCustomer" ? undefined : fullness(paced)
  if (full !== undefined) return [Either.left(noRoom(full)), paced]

  const [unprocessed, drawn] = unprocessedOf(fault, request, paced)
  const [next, answer] = service.handle(drawn, request, {
    requestId: arrival.requestId,
    clock,
    now: clock + state.offset,
    caller: visitor.keyPair?.caller ?? state.world.caller,
    unprocessed
  })
  return [answer, next]
}

/** No exception of the service's, and none that is worth a retry. */
const noRoom = (message: string): Reply =>
  refuse({ code: "ServiceQuotaExceededException", message })

const forbidden = (
  { accessKeyId, keyPair }: Visitor,
  operation: OperationName,
  request: { readonly dryRun?: unknown }
) =>
  keyPair?.allow?.includes(operation) === false
    ? refuse({
        code: request.dryRun === true ? "UnauthorizedException" : "AccessDeniedException",
        message: `User: ${accessKeyId} is not authorized to perform: aws-marketplace:${operation}`
      })
    : undefined

/** The state after a call more, or nothing where the quota has no room for it. */
const spend = (state: State, operation: OperationName, clock: number): State | undefined => {
  const rate = state.quotas[operation]
  if (rate === undefined) return state
  const bucket = quota.take(rate, state.buckets[operation], clock)
  return bucket && change(state, { _tag: "Bucket", operation, bucket })
}

interface Service {
  readonly replyTo: (refusal: Refusal, state: State) => Reply
  readonly malformed: (request: object, state: State) => Reply | undefined
  readonly throttled: Reply
  readonly handle: (state: State, request: object, occasion: Occasion) => readonly [State, Answer]
}

const serve = <Request extends object, Response, E extends ModelledException, A>(
  operation: Operation<Request, Response, E, A>,
  handler: Handler<Request>
): Service => {
  const checked = check.compile(of(operation.request))
  const excess = size.excess(operation)
  const replyTo: Service["replyTo"] = (refusal, { rules }) => {
    const reply = refuseBy(operation, refusal)
    return refusal.code === "IdempotencyConflictException"
      ? { ...reply, status: rules.idempotencyConflictStatus }
      : reply
  }
  return {
    replyTo,
    malformed: (request, { rules }) => {
      const invalid = invalidInput(checked(request), operation.name)
      if (invalid !== undefined) return refuseBy(operation, refusalOf(operation, invalid))
      return excess(request as Request, rules.requestSizeLimit) === undefined
        ? undefined
        : tooLarge(rules.requestSizeLimit - 1)
    },
    throttled: refuseBy(operation, { code: "ThrottlingException", message: "Rate exceeded" }),
    handle: (state, request, occasion) => {
      // it is no other's request: the check has looked at it
      const [next, verdict] = handler(state, request as Request, occasion)
      return [next, Either.mapLeft(verdict, (refusal) => replyTo(refusal, state))]
    }
  }
}

const services: { readonly [Name in OperationName]: Service } = {
  MeterUsage: serve(MeterUsage.operation, meterUsage),
  BatchMeterUsage: serve(BatchMeterUsage.operation, batchMeterUsage),
  RegisterUsage: serve(RegisterUsage.operation, registerUsage),
  ResolveCustomer: serve(ResolveCustomer.operation, resolveCustomer)
}
