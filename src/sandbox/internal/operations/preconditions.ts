/** Checks that reject a whole call. */
import type { UsageAllocation } from "../../../UsageAllocation.js"
import * as acceptanceWindow from "../model/acceptanceWindow.js"
import {
  type Catalog,
  covers,
  findCustomer,
  findProduct,
  isInRegion,
  isSubscribed
} from "../model/catalog.js"
import type { AwsError } from "../model/serviceResponse.js"
import type { State } from "../model/state.js"
import type { CallContext } from "./handler.js"

export type Precondition<Input> = (
  input: Input,
  state: State,
  context: CallContext
) => AwsError | undefined

/** Returns the first error, or `undefined`. Each precondition checks all inputs before the next precondition does. */
export const firstRejection = <Input>(
  preconditions: ReadonlyArray<Precondition<Input>>,
  inputs: ReadonlyArray<Input>,
  state: State,
  context: CallContext
): AwsError | undefined => {
  for (const precondition of preconditions) {
    for (const input of inputs) {
      const rejection = precondition(input, state, context)
      if (rejection !== undefined) return rejection
    }
  }
  return undefined
}

export const outOfWindowError = (
  timestamp: number,
  now: number,
  window: acceptanceWindow.AcceptanceWindow
): AwsError | undefined => {
  const message = acceptanceWindow.rejectionReason(timestamp, now, window)
  return message === undefined ? undefined : { code: "TimestampOutOfBoundsException", message }
}

export const unknownProductError = (catalog: Catalog, productCode: string): AwsError | undefined =>
  findProduct(catalog, productCode) !== undefined
    ? undefined
    : {
        code: "InvalidProductCodeException",
        message: `Product code ${productCode} is not one of your products.`
      }

/** Checks the Region of a product. `code` is the exception, which depends on the operation. */
export const otherRegionError = (
  catalog: Catalog,
  productCode: string,
  code: string
): AwsError | undefined => {
  const product = findProduct(catalog, productCode)
  return product === undefined || isInRegion(catalog, product)
    ? undefined
    : {
        code,
        message: `The product is metered in ${product.region}; this is the endpoint of ${catalog.region}.`
      }
}

export const unknownDimensionError = (
  catalog: Catalog,
  productCode: string,
  dimension: string
): AwsError | undefined =>
  findProduct(catalog, productCode)?.dimensions.includes(dimension)
    ? undefined
    : {
        code: "InvalidUsageDimensionException",
        message: `Dimension ${dimension} is not one of the product's.`
      }

/** Checks that the calling account is subscribed now and at the time of usage. */
export const notEntitledError = (
  { behavior, catalog }: State,
  productCode: string,
  { caller, now }: CallContext,
  timestamp: number = now
): AwsError | undefined =>
  isSubscribed(findCustomer(catalog, caller), productCode, now, (agreement) =>
    covers(agreement, timestamp, behavior.windowBoundary)
  )
    ? undefined
    : {
        code: "CustomerNotEntitledException",
        message: "The calling account does not have a valid subscription for the product."
      }

/** Checks that the tags of each allocation have different keys, and values if the service requires them. */
export const invalidTagError = (
  { behavior }: State,
  allocations: ReadonlyArray<UsageAllocation> | undefined
): AwsError | undefined => {
  for (const { tags = [] } of allocations ?? []) {
    const keys = new Set<string>()
    for (const { key, value } of tags) {
      if (keys.has(key)) {
        return {
          code: "InvalidTagException",
          message: `One allocation has the tag ${key} twice.`
        }
      }
      keys.add(key)
      // is configurable, because AWS's text allows an empty value, but its regular expression does not
      if (value === "" && behavior.emptyTagValue === "rejected") {
        return { code: "InvalidTagException", message: "The value of a tag is empty." }
      }
    }
  }
  return undefined
}
