/** RegisterUsage: checks that the calling account may run the product, and returns the claims of the signature. */
import * as DateTime from "effect/DateTime"
import * as HashSet from "effect/HashSet"
import type { RegisterUsageRequest } from "../../../RegisterUsage.js"
import type { Product } from "../../Scenario.js"
import { findProduct } from "../model/catalog.js"
import { keyOf } from "../model/hash.js"
import { change } from "../model/state.js"
import { type Handler, reject, succeed } from "./handler.js"
import {
  firstRejection,
  notEntitledError,
  otherRegionError,
  type Precondition,
  unknownProductError
} from "./preconditions.js"

export const registerUsage: Handler<RegisterUsageRequest> = (state, request, context) => {
  const { nonce, productCode, publicKeyVersion } = request
  const { caller, clock, now } = context
  const key = keyOf(productCode, caller.customerAWSAccountId, caller.instanceId)
  const isFirst = !HashSet.has(state.registered, key)
  const rejection = firstRejection(
    isFirst ? [...preconditions, ...firstCallPreconditions] : preconditions,
    [request],
    state,
    context
  )
  if (rejection !== undefined) return [state, reject(rejection)]

  const rotation = keyVersionOf(findProduct(state.catalog, productCode), request)?.rotationTimestamp
  const hasRotated = rotation !== undefined && DateTime.toEpochMillis(rotation) <= now
  const claims = {
    productCode,
    publicKeyVersion,
    ...(nonce !== undefined && { nonce }),
    iat: Math.floor(clock / 1000)
  }
  return [
    isFirst ? change(state, { _tag: "Registered", key }) : state,
    succeed(hasRotated ? { publicKeyRotationTimestamp: rotation } : {}, claims)
  ]
}

const preconditions: ReadonlyArray<Precondition<RegisterUsageRequest>> = [
  ({ productCode }, { catalog }) => unknownProductError(catalog, productCode),
  ({ productCode }, { catalog }) =>
    otherRegionError(catalog, productCode, "InvalidRegionException"),
  (request, { catalog }) =>
    keyVersionOf(findProduct(catalog, request.productCode), request) !== undefined
      ? undefined
      : {
          code: "InvalidPublicKeyVersionException",
          message: `Public key version ${request.publicKeyVersion} is not one of the product's.`
        }
]

/** Checks for only the first call of each instance, task or pod. */
const firstCallPreconditions: ReadonlyArray<Precondition<RegisterUsageRequest>> = [
  (_, __, { caller }) =>
    caller.supportedPlatform === false
      ? {
          code: "PlatformNotSupportedException",
          message: "AWS Marketplace does not support metering usage from the underlying platform."
        }
      : undefined,
  ({ productCode }, state, context) => notEntitledError(state, productCode, context)
]

const defaultKeyVersions = [{ version: 1, rotationTimestamp: undefined }]

const keyVersionOf = (product: Product | undefined, { publicKeyVersion }: RegisterUsageRequest) =>
  (product?.publicKeyVersions ?? defaultKeyVersions).find(
    ({ version }) => version === publicKeyVersion
  )
