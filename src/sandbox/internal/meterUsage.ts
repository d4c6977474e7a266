/** MeterUsage: once per hour, dimension and instance, on behalf of the account that calls. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import { dryRunSucceeded } from "../../internal/awsJsonServer.js"
import type { MeterUsageRequest } from "../../MeterUsage.js"
import {
  type Check,
  firstOf,
  invalidTag,
  notEntitled,
  otherRegion,
  outOfWindow,
  unknownDimension,
  unknownProduct
} from "./checks.js"
import { grant, type Handler, refuse } from "./handler.js"
import { keyOf, meter, splitOf } from "./metered.js"
import { change } from "./state.js"
import * as window from "./window.js"
import { productOf } from "./world.js"

export const meterUsage: Handler<MeterUsageRequest> = (state, request, occasion) => {
  const refusal = firstOf(checks, [request], state, occasion)
  if (refusal !== undefined) return [state, refuse(refusal)]
  if (request.dryRun) {
    return [
      state,
      state.rules.dryRun === "answer"
        ? grant({ meteringRecordId: dryRunSucceeded.code })
        : refuse(dryRunSucceeded)
    ]
  }

  const { clientToken, productCode, usageAllocations, usageDimension, usageQuantity } = request
  const { customerAWSAccountId, instanceId } = occasion.caller
  const timestamp = request.timestamp.epochMillis
  const split = splitOf(usageAllocations)
  const sent = keyOf(productCode, timestamp, usageDimension, usageQuantity, split)

  const tokenKey = clientToken === undefined ? undefined : keyOf(customerAWSAccountId, clientToken)
  const receipt =
    tokenKey === undefined
      ? undefined
      : Option.getOrUndefined(HashMap.get(state.receipts, tokenKey))
  if (receipt !== undefined) {
    return receipt.request === sent
      ? [state, grant({ meteringRecordId: receipt.meteringRecordId })]
      : [state, refuse(conflict)]
  }

  const hour = window.hourOf(timestamp)
  const isHourly = productOf(state.world, productCode)?.metering !== "agentCore"
  const [next, meteringRecordId] = meter(
    state,
    isHourly
      ? keyOf("MeterUsage", productCode, customerAWSAccountId, instanceId, usageDimension, hour)
      : // whoever sends no token is given a new one
        keyOf(
          "AgentCore",
          customerAWSAccountId,
          ...(clientToken === undefined ? ["", occasion.requestId] : [clientToken])
        ),
    {
      operation: "MeterUsage",
      productCode,
      customerAWSAccountId,
      dimension: usageDimension,
      hour,
      timestamp,
      quantity: usageQuantity,
      usageAllocations,
      split
    }
  )
  if (meteringRecordId === undefined) return [state, refuse(duplicate)]
  return [
    tokenKey === undefined
      ? next
      : change(next, {
          _tag: "Receipt",
          key: tokenKey,
          receipt: { request: sent, meteringRecordId }
        }),
    grant({ meteringRecordId })
  ]
}

/** A dry run ends with these, before anything that was metered earlier is looked at. */
const checks: ReadonlyArray<Check<MeterUsageRequest>> = [
  ({ timestamp }, { rules }, { now }) =>
    outOfWindow(timestamp.epochMillis, now, {
      ...window.meterUsage,
      boundary: rules.windowBoundary,
      ahead: rules.futureTolerance
    }),
  ({ productCode }, { world }) => unknownProduct(world, productCode),
  ({ productCode }, { world }) => otherRegion(world, productCode, "InvalidEndpointRegionException"),
  ({ productCode, timestamp }, state, occasion) =>
    notEntitled(state, productCode, occasion, timestamp.epochMillis),
  ({ productCode, usageDimension }, { world }) =>
    unknownDimension(world, productCode, usageDimension),
  ({ usageAllocations }, state) => invalidTag(state, usageAllocations)
]

const conflict = {
  code: "IdempotencyConflictException",
  message: "The ClientToken was already used in a request with other parameters."
}

const duplicate = {
  code: "DuplicateRequestException",
  message: "Another quantity was already metered for this hour and dimension."
}
