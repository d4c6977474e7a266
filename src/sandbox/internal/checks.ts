/** What the service refuses a whole call for, as checks that are made one after the other. */
import type { Refusal } from "../../internal/awsJsonServer.js"
import type { UsageAllocation } from "../../UsageAllocation.js"
import type { Occasion } from "./handler.js"
import type { State } from "./state.js"
import * as time from "./window.js"
import { covers, customerOf, isInRegion, isSubscribed, productOf, type World } from "./world.js"

/** A refusal, or nothing. */
export type Check<Input> = (input: Input, state: State, occasion: Occasion) => Refusal | undefined

/** The first refusal: of the first check, over all inputs, before the second is made. */
export const firstOf = <Input>(
  checks: ReadonlyArray<Check<Input>>,
  inputs: ReadonlyArray<Input>,
  state: State,
  occasion: Occasion
): Refusal | undefined => {
  for (const check of checks) {
    for (const input of inputs) {
      const refusal = check(input, state, occasion)
      if (refusal !== undefined) return refusal
    }
  }
  return undefined
}

export const outOfWindow = (
  timestamp: number,
  now: number,
  window: time.Window
): Refusal | undefined => {
  const message = time.faultOf(timestamp, now, window)
  return message === undefined ? undefined : { code: "TimestampOutOfBoundsException", message }
}

export const unknownProduct = (world: World, productCode: string): Refusal | undefined =>
  productOf(world, productCode) !== undefined
    ? undefined
    : {
        code: "InvalidProductCodeException",
        message: `Product code ${productCode} is not one of your products.`
      }

/** Each operation has its own exception for a product of another Region. */
export const otherRegion = (
  world: World,
  productCode: string,
  code: string
): Refusal | undefined => {
  const product = productOf(world, productCode)
  return product === undefined || isInRegion(world, product)
    ? undefined
    : {
        code,
        message: `The product is metered in ${product.region}; this is the endpoint of ${world.region}.`
      }
}

export const unknownDimension = (
  world: World,
  productCode: string,
  dimension: string
): Refusal | undefined =>
  productOf(world, productCode)?.dimensions.includes(dimension)
    ? undefined
    : {
        code: "InvalidUsageDimensionException",
        message: `Dimension ${dimension} is not one of the product's.`
      }

/** Judges the account that calls, now and at the time of usage. */
export const notEntitled = (
  { rules, world }: State,
  productCode: string,
  { caller, now }: Occasion,
  timestamp: number = now
): Refusal | undefined =>
  isSubscribed(customerOf(world, caller), productCode, now, (agreement) =>
    covers(agreement, timestamp, rules.windowBoundary)
  )
    ? undefined
    : {
        code: "CustomerNotEntitledException",
        message: "The calling account does not have a valid subscription for the product."
      }

/** Tags that are no set of keys with a value each. */
export const invalidTag = (
  { rules }: State,
  allocations: ReadonlyArray<UsageAllocation> | undefined
): Refusal | undefined => {
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
      if (value === "" && rules.emptyTagValue === "refused") {
        return { code: "InvalidTagException", message: "The value of a tag is empty." }
      }
    }
  }
  return undefined
}
