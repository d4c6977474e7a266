/** MeterUsage: meters usage of the calling account, once per hour, dimension and instance. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { MeterUsageRequest } from "../../../MeterUsage.js"
import * as acceptanceWindow from "../model/acceptanceWindow.js"
import { findProduct } from "../model/catalog.js"
import { keyOf } from "../model/hash.js"
import { dryRunSucceeded } from "../model/serviceResponse.js"
import { change } from "../model/state.js"
import { type Handler, reject, succeed } from "./handler.js"
import {
  firstRejection,
  invalidTagError,
  notEntitledError,
  otherRegionError,
  outOfWindowError,
  type Precondition,
  unknownDimensionError,
  unknownProductError
} from "./preconditions.js"
import { recordUsage, splitOf } from "./recordUsage.js"

export const meterUsage: Handler<MeterUsageRequest> = (state, request, context) => {
  const rejection = firstRejection(preconditions, [request], state, context)
  if (rejection !== undefined) return [state, reject(rejection)]
  if (request.dryRun) {
    return [
      state,
      state.behavior.dryRun === "response"
        ? succeed({ meteringRecordId: dryRunSucceeded.code })
        : reject(dryRunSucceeded)
    ]
  }

  const { clientToken, productCode, usageAllocations, usageDimension, usageQuantity } = request
  const { customerAWSAccountId, instanceId } = context.caller
  const timestamp = request.timestamp.epochMillis
  const split = splitOf(usageAllocations)
  const parameters = keyOf(productCode, timestamp, usageDimension, usageQuantity, split)

  const tokenKey = clientToken === undefined ? undefined : keyOf(customerAWSAccountId, clientToken)
  const idempotencyRecord =
    tokenKey === undefined
      ? undefined
      : Option.getOrUndefined(HashMap.get(state.idempotencyRecords, tokenKey))
  if (idempotencyRecord !== undefined) {
    return idempotencyRecord.request === parameters
      ? [state, succeed({ meteringRecordId: idempotencyRecord.meteringRecordId })]
      : [state, reject(conflict)]
  }

  const isHourly = findProduct(state.catalog, productCode)?.metering !== "agentCore"
  const [next, meteringRecordId] = recordUsage(
    state,
    isHourly
      ? [
          "MeterUsage",
          productCode,
          customerAWSAccountId,
          instanceId,
          usageDimension,
          acceptanceWindow.hourOf(timestamp)
        ]
      : // without a client token, each call makes a new record
        [
          "AgentCore",
          customerAWSAccountId,
          ...(clientToken === undefined ? ["", context.requestId] : [clientToken])
        ],
    {
      operation: "MeterUsage",
      productCode,
      customerAWSAccountId,
      dimension: usageDimension,
      timestamp,
      quantity: usageQuantity,
      usageAllocations,
      split
    }
  )
  if (meteringRecordId === undefined) return [state, reject(duplicate)]
  return [
    tokenKey === undefined
      ? next
      : change(next, {
          _tag: "Receipt",
          key: tokenKey,
          receipt: { request: parameters, meteringRecordId }
        }),
    succeed({ meteringRecordId })
  ]
}

/** Checks that also apply to dry runs. They do not consider usage that was metered earlier. */
const preconditions: ReadonlyArray<Precondition<MeterUsageRequest>> = [
  ({ timestamp }, { behavior }, { now }) =>
    outOfWindowError(timestamp.epochMillis, now, {
      ...acceptanceWindow.meterUsage,
      boundary: behavior.windowBoundary,
      futureTolerance: behavior.futureTolerance
    }),
  ({ productCode }, { catalog }) => unknownProductError(catalog, productCode),
  ({ productCode }, { catalog }) =>
    otherRegionError(catalog, productCode, "InvalidEndpointRegionException"),
  ({ productCode, timestamp }, state, context) =>
    notEntitledError(state, productCode, context, timestamp.epochMillis),
  ({ productCode, usageDimension }, { catalog }) =>
    unknownDimensionError(catalog, productCode, usageDimension),
  ({ usageAllocations }, state) => invalidTagError(state, usageAllocations)
]

const conflict = {
  code: "IdempotencyConflictException",
  message: "The ClientToken was already used in a request with other parameters."
}

const duplicate = {
  code: "DuplicateRequestException",
  message: "Another quantity was already metered for this hour and dimension."
}
