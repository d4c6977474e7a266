/** What the service refuses a whole call for, as checks that are made one after the other. */

import type { UsageAllocation } from "../../../UsageAllocation.js"
import * as acceptanceWindow from "../model/acceptanceWindow.js"
import {
  type Catalog,
  covers,
  customerOf,
  isInRegion,
  isSubscribed,
  productOf
} from "../model/catalog.js"
import type { State } from "../model/state.js"
import type { AwsError } from "../server/awsJsonServer.js"
import type { CallContext } from "./handler.js"

/** A refusal, or nothing. */
export type Precondition<Input> = (
  input: Input,
  state: State,
  context: CallContext
) => AwsError | undefined

/** The first refusal: of the first check, over all inputs, before the second is made. */
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

export const outOfWindow = (
  timestamp: number,
  now: number,
  window: acceptanceWindow.AcceptanceWindow
): AwsError | undefined => {
  const message = acceptanceWindow.rejectionReason(timestamp, now, window)
  return message === undefined ? undefined : { code: "TimestampOutOfBoundsException", message }
}

export const unknownProduct = (catalog: Catalog, productCode: string): AwsError | undefined =>
  productOf(catalog, productCode) !== undefined
    ? undefined
    : {
        code: "InvalidProductCodeException",
        message: `Product code ${productCode} is not one of your products.`
      }

/** Each operation has its own exception for a product of another Region. */
export const otherRegion = (
  catalog: Catalog,
  productCode: string,
  code: string
): AwsError | undefined => {
  const product = productOf(catalog, productCode)
  return product === undefined || isInRegion(catalog, product)
    ? undefined
    : {
        code,
        message: `The product is metered in ${product.region}; this is the endpoint of ${catalog.region}.`
      }
}

export const unknownDimension = (
  catalog: Catalog,
  productCode: string,
  dimension: string
): AwsError | undefined =>
  productOf(catalog, productCode)?.dimensions.includes(dimension)
    ? undefined
    : {
        code: "InvalidUsageDimensionException",
        message: `Dimension ${dimension} is not one of the product's.`
      }

/** Judges the account that calls, now and at the time of usage. */
export const notEntitled = (
  { behavior, catalog }: State,
  productCode: string,
  { caller, now }: CallContext,
  timestamp: number = now
): AwsError | undefined =>
  isSubscribed(customerOf(catalog, caller), productCode, now, (agreement) =>
    covers(agreement, timestamp, behavior.windowBoundary)
  )
    ? undefined
    : {
        code: "CustomerNotEntitledException",
        message: "The calling account does not have a valid subscription for the product."
      }

/** Tags that are no set of keys with a value each. */
export const invalidTag = (
  { behavior }: State,
  allocations: ReadonlyArray<UsageAllocation> | undefined
): AwsError | undefined => {
  for (const { tags = [] } of allocations ?? []) {
    const keys = new Set<string>()
    for (const { key, value } of tags) {
      if (keys.has(key)) {
        return {
          code: "InvalidTagException",
          message: `The tag ${key} is there twice in one allocation.`
        }
      }
      keys.add(key)
      // the pattern of the documentation refuses it, and its prose allows it
      if (value === "" && behavior.emptyTagValue === "refused") {
        return { code: "InvalidTagException", message: "The value of a tag is empty." }
      }
    }
  }
  return undefined
}
