/** MeterUsage: once per hour, dimension and instance, on behalf of the account that calls. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { MeterUsageRequest } from "../../MeterUsage.js"
import {
  type Check,
  firstOf,
  notEntitled,
  otherRegion,
  outOfWindow,
  unknownDimension,
  unknownProduct
} from "./checks.js"
import { keyOf, meter, splitOf } from "./metered.js"
import { grant, type Handler, refuse } from "./state.js"
import * as window from "./window.js"

export const meterUsage: Handler<MeterUsageRequest> = (state, request, now) => {
  const refusal = firstOf(checks, [request], state.world, now)
  if (refusal !== undefined) return [state, refuse(refusal)]

  const { clientToken, productCode, usageAllocations, usageDimension, usageQuantity } = request
  const { customerAWSAccountId, instanceId } = state.world.caller
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
  const [next, meteringRecordId] = meter(
    state,
    keyOf("MeterUsage", productCode, customerAWSAccountId, instanceId, usageDimension, hour),
    {
      operation: "MeterUsage",
      productCode,
      licenseArn: undefined,
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
  const receipts =
    tokenKey === undefined
      ? next.receipts
      : HashMap.set(next.receipts, tokenKey, { request: sent, meteringRecordId })
  return [{ ...next, receipts }, grant({ meteringRecordId })]
}

/** A dry run is over before anything that was metered earlier is looked at. */
const checks: ReadonlyArray<Check<MeterUsageRequest>> = [
  ({ timestamp }, _, now) => outOfWindow(timestamp.epochMillis, now, window.meterUsage),
  ({ productCode }, world) => unknownProduct(world, productCode),
  ({ productCode }, world) => otherRegion(world, productCode, "InvalidEndpointRegionException"),
  ({ productCode }, world) => notEntitled(world, productCode),
  ({ productCode, usageDimension }, world) => unknownDimension(world, productCode, usageDimension),
  ({ dryRun }) => (dryRun ? permitted : undefined)
]

const permitted = {
  code: "DryRunOperation",
  message: "Request would have succeeded, but DryRun flag is set."
}

const conflict = {
  code: "IdempotencyConflictException",
  message: "The ClientToken was already used in a request with other parameters."
}

const duplicate = {
  code: "DuplicateRequestException",
  message: "Another quantity was already metered for this hour and dimension."
}
