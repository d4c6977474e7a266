/** The operations of the service: validation of requests, encoding of errors, and the handlers. */
import * as Either from "effect/Either"
import * as BatchMeterUsage from "../../../BatchMeterUsage.js"
import * as GetEntitlements from "../../../entitlement/GetEntitlements.js"
import { requestEncoder } from "../../../internal/protocol/awsJson.js"
import { invalidInput } from "../../../internal/schema/construct.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import * as validate from "../../../internal/schema/validate.js"
import type { OperationName, ServiceException } from "../../../MeteringError.js"
import * as MeterUsage from "../../../MeterUsage.js"
import type { Operation } from "../../../Operation.js"
import * as RegisterUsage from "../../../RegisterUsage.js"
import * as ResolveCustomer from "../../../ResolveCustomer.js"
import {
  type AwsError,
  contentTooLarge,
  type HttpResponse,
  operationErrorResponse,
  type ServiceResult,
  validationErrorOf
} from "../model/serviceResponse.js"
import type { State } from "../model/state.js"
import { batchMeterUsage } from "./batchMeterUsage.js"
import { getEntitlements } from "./getEntitlements.js"
import type { CallContext, Handler } from "./handler.js"
import { meterUsage } from "./meterUsage.js"
import { registerUsage } from "./registerUsage.js"
import { resolveCustomer } from "./resolveCustomer.js"

export interface ServiceOperation {
  readonly errorResponse: (rejection: AwsError, state: State) => HttpResponse
  readonly throttled: HttpResponse
  /** Returns the response to an invalid request, or `undefined` for a valid request. */
  readonly invalidRequest: (request: object, state: State) => HttpResponse | undefined
  /** Handles a valid request. */
  readonly handle: (
    state: State,
    request: object,
    context: CallContext
  ) => readonly [State, ServiceResult]
}

export const makeServiceOperation = <
  Request extends object,
  Response,
  E extends ServiceException,
  Result
>(
  operation: Operation<Request, Response, E, Result>,
  handler: Handler<Request>
): ServiceOperation => {
  const violationsOf = validate.compile(shapeOf(operation.request))
  const encode = requestEncoder(operation)
  const errorResponse: ServiceOperation["errorResponse"] = (rejection, { behavior }) => {
    const response = operationErrorResponse(operation, rejection)
    return rejection.code === "IdempotencyConflictException"
      ? { ...response, status: behavior.idempotencyConflictStatus }
      : response
  }
  return {
    errorResponse,
    throttled: operationErrorResponse(operation, {
      code: "ThrottlingException",
      message: "Rate exceeded"
    }),
    invalidRequest: (request, { behavior: { requestSizeLimit } }) => {
      const invalid = invalidInput(violationsOf(request), operation.name)
      if (invalid !== undefined) {
        return operationErrorResponse(operation, validationErrorOf(operation, invalid))
      }
      if (requestSizeLimit > maxSizeWithoutAllocations && !hasAllocations(request)) return undefined
      // the cast is safe, because a valid request is an instance of the operation's class
      const { length } = encoder.encode(encode(request as Request))
      return length < requestSizeLimit ? undefined : contentTooLarge(requestSizeLimit - 1)
    },
    handle: (state, request, context) => {
      const [next, result] = handler(state, request as Request, context)
      return [next, Either.mapLeft(result, (rejection) => errorResponse(rejection, state))]
    }
  }
}

const encoder = new TextEncoder()

/** Maximum size of a valid request without allocations in bytes, rounded up: 25 records with ARNs of 2048 characters. */
const maxSizeWithoutAllocations = 500_000

const hasAllocations = (request: object): boolean =>
  "usageAllocations" in request ||
  ("usageRecords" in request &&
    // the cast is safe, because only the request of BatchMeterUsage has `usageRecords`
    (request.usageRecords as BatchMeterUsage.BatchMeterUsageRequest["usageRecords"]).some(
      ({ usageAllocations }) => usageAllocations !== undefined
    ))

/** The operations by name. Calls of other operations fail with `UnknownOperationException`. */
export const serviceOperations: { readonly [name: string]: ServiceOperation } = {
  MeterUsage: makeServiceOperation(MeterUsage.operation, meterUsage),
  BatchMeterUsage: makeServiceOperation(BatchMeterUsage.operation, batchMeterUsage),
  RegisterUsage: makeServiceOperation(RegisterUsage.operation, registerUsage),
  ResolveCustomer: makeServiceOperation(ResolveCustomer.operation, resolveCustomer),
  GetEntitlements: makeServiceOperation(GetEntitlements.operation, getEntitlements)
} satisfies { readonly [Name in OperationName]: ServiceOperation }
