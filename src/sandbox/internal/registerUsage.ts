/** RegisterUsage: whether the account that calls may run the product, as claims to be signed. */
import * as DateTime from "effect/DateTime"
import type { RegisterUsageRequest } from "../../RegisterUsage.js"
import { type Check, firstOf, notEntitled, otherRegion, unknownProduct } from "./checks.js"
import { grant, type Handler, refuse } from "./state.js"
import { productOf, type World } from "./world.js"

export const registerUsage: Handler<RegisterUsageRequest> = (state, request, now) => {
  const refusal = firstOf(checks, [request], state.world, now)
  if (refusal !== undefined) return [state, refuse(refusal)]

  const { nonce, productCode, publicKeyVersion } = request
  const rotation = keyVersionOf(state.world, request)?.rotationTimestamp
  const hasRotated = rotation !== undefined && DateTime.toEpochMillis(rotation) <= now
  const claims = {
    productCode,
    publicKeyVersion,
    ...(nonce !== undefined && { nonce }),
    iat: Math.floor(now / 1000)
  }
  return [state, grant(hasRotated ? { publicKeyRotationTimestamp: rotation } : {}, claims)]
}

const checks: ReadonlyArray<Check<RegisterUsageRequest>> = [
  ({ productCode }, world) => unknownProduct(world, productCode),
  ({ productCode }, world) => otherRegion(world, productCode, "InvalidRegionException"),
  (request, world) =>
    keyVersionOf(world, request) !== undefined
      ? undefined
      : {
          code: "InvalidPublicKeyVersionException",
          message: `Public key version ${request.publicKeyVersion} is not one of the product's.`
        },
  ({ productCode }, world) => notEntitled(world, productCode)
]

const firstVersion = [{ version: 1, rotationTimestamp: undefined }]

const keyVersionOf = (world: World, { productCode, publicKeyVersion }: RegisterUsageRequest) =>
  (productOf(world, productCode)?.publicKeyVersions ?? firstVersion).find(
    ({ version }) => version === publicKeyVersion
  )
