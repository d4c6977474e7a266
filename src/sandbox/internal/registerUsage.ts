/** RegisterUsage: whether the account that calls may run the product, as claims to be signed. */
import * as DateTime from "effect/DateTime"
import * as HashSet from "effect/HashSet"
import type { RegisterUsageRequest } from "../../RegisterUsage.js"
import type { Product } from "../Scenario.js"
import { type Check, firstOf, notEntitled, otherRegion, unknownProduct } from "./checks.js"
import { grant, type Handler, refuse } from "./handler.js"
import { keyOf } from "./metered.js"
import { change } from "./state.js"
import { productOf } from "./world.js"

export const registerUsage: Handler<RegisterUsageRequest> = (state, request, occasion) => {
  const { nonce, productCode, publicKeyVersion } = request
  const { caller, clock, now } = occasion
  const key = keyOf(productCode, caller.customerAWSAccountId, caller.instanceId)
  const isFirst = !HashSet.has(state.registered, key)
  const refusal = firstOf(isFirst ? [...always, ...atFirst] : always, [request], state, occasion)
  if (refusal !== undefined) return [state, refuse(refusal)]

  const rotation = keyVersionOf(productOf(state.world, productCode), request)?.rotationTimestamp
  const hasRotated = rotation !== undefined && DateTime.toEpochMillis(rotation) <= now
  const claims = {
    productCode,
    publicKeyVersion,
    ...(nonce !== undefined && { nonce }),
    iat: Math.floor(clock / 1000)
  }
  return [
    isFirst ? change(state, { _tag: "Registered", key }) : state,
    grant(hasRotated ? { publicKeyRotationTimestamp: rotation } : {}, claims)
  ]
}

const always: ReadonlyArray<Check<RegisterUsageRequest>> = [
  ({ productCode }, { world }) => unknownProduct(world, productCode),
  ({ productCode }, { world }) => otherRegion(world, productCode, "InvalidRegionException"),
  (request, { world }) =>
    keyVersionOf(productOf(world, request.productCode), request) !== undefined
      ? undefined
      : {
          code: "InvalidPublicKeyVersionException",
          message: `Public key version ${request.publicKeyVersion} is not one of the product's.`
        }
]

/** Judged once for every instance, task or pod. */
const atFirst: ReadonlyArray<Check<RegisterUsageRequest>> = [
  (_, __, { caller }) =>
    caller.supportedPlatform === false
      ? {
          code: "PlatformNotSupportedException",
          message: "AWS Marketplace does not support metering usage from the underlying platform."
        }
      : undefined,
  ({ productCode }, state, occasion) => notEntitled(state, productCode, occasion)
]

const firstVersion = [{ version: 1, rotationTimestamp: undefined }]

const keyVersionOf = (product: Product | undefined, { publicKeyVersion }: RegisterUsageRequest) =>
  (product?.publicKeyVersions ?? firstVersion).find(({ version }) => version === publicKeyVersion)
