/** BatchMeterUsage: all records are looked at first, and then each has its own fate. */
import type { BatchMeterUsageRequest } from "../../BatchMeterUsage.js"
import { type UsageRecord, UsageRecordResult } from "../../UsageRecord.js"
import type { Agreement } from "../Scenario.js"
import {
  type Check,
  firstOf,
  invalidTag,
  otherRegion,
  outOfWindow,
  unknownDimension,
  unknownProduct
} from "./checks.js"
import { grant, type Handler, type Occasion, refuse } from "./handler.js"
import { keyOf, meter, splitOf } from "./metered.js"
import type { State } from "./state.js"
import * as window from "./window.js"
import { covers, customerOf, isSubscribed, licenceOf, takesUsage, type World } from "./world.js"

export const batchMeterUsage: Handler<BatchMeterUsageRequest> = (state, request, occasion) => {
  const { world } = state
  const { productCode, usageRecords } = request
  const callProductCode = productCode ?? licensedProduct(world, usageRecords[0])
  const entries = usageRecords.map((record, index) => ({
    record,
    index,
    productCode: productCode ?? licensedProduct(world, record),
    callProductCode,
    split: splitOf(record.usageAllocations)
  }))
  const refusal =
    firstOf(checks, entries, state, occasion) ??
    (productCode === undefined ? undefined : unknownProduct(world, productCode))
  if (refusal !== undefined) return [state, refuse(refusal)]

  const results: Array<UsageRecordResult | undefined> = []
  let next = state
  // in an order of their own, so that what is billed does not depend on the order of the call
  for (const entry of [...entries].sort(byTime)) {
    if (occasion.unprocessed.has(entry.index)) continue
    const [after, result] = enter(next, entry, occasion)
    next = after
    results[entry.index] = result
  }
  return [
    next,
    grant({
      results: results.filter((result) => result !== undefined),
      unprocessedRecords: usageRecords.filter((_, index) => occasion.unprocessed.has(index))
    })
  ]
}

/** A record, its place in the call, and the product that either the call or its licence names. */
interface Entry {
  readonly record: UsageRecord
  readonly index: number
  readonly productCode: string
  /** The product of the call's first record. */
  readonly callProductCode: string
  readonly split: string
}

const licensedProduct = (world: World, record: UsageRecord | undefined): string =>
  licenceOf(world, record?.licenseArn)?.agreement.productCode ?? ""

const checks: ReadonlyArray<Check<Entry>> = [
  ({ record }, { rules }, { now }) =>
    outOfWindow(record.timestamp.epochMillis, now, {
      ...window.batchMeterUsage,
      boundary: rules.windowBoundary,
      ahead: rules.futureTolerance
    }),
  ({ record }, state, { now }) => unusableLicence(state, record, now),
  ({ callProductCode, productCode }, { rules }) =>
    productCode === callProductCode
      ? undefined
      : {
          code: rules.mixedProducts,
          message: `The licenses of the call are of two products, ${callProductCode} and ${productCode}. A BatchMeterUsage request is for only one product.`
        },
  ({ productCode }, { world }) => unknownProduct(world, productCode),
  ({ productCode }, { world }) => otherRegion(world, productCode, "InvalidProductCodeException"),
  ({ productCode, record }, { world }) => unknownDimension(world, productCode, record.dimension),
  ({ record }, state) => invalidTag(state, record.usageAllocations),
  ({ record }, { rules, world }) =>
    rules.unknownCustomer === "InvalidCustomerIdentifierException" &&
    customerOf(world, record) === undefined
      ? {
          code: "InvalidCustomerIdentifierException",
          message: `Customer ${record.customerAWSAccountId ?? record.customerIdentifier} is not known.`
        }
      : undefined
]

const unusableLicence = ({ rules, world }: State, record: UsageRecord, now: number) => {
  if (record.licenseArn === undefined) return undefined
  const licence = licenceOf(world, record.licenseArn)
  const fault =
    licence === undefined || licence.customer !== customerOf(world, record)
      ? "is not valid for this customer"
      : !takesUsage(licence.agreement, now)
        ? "is not active"
        : covers(licence.agreement, record.timestamp.epochMillis, rules.windowBoundary)
          ? undefined
          : "was not active at the time of the usage"
  return fault === undefined
    ? undefined
    : { code: "InvalidLicenseException", message: `License ${record.licenseArn} ${fault}.` }
}

/** The earliest usage first, then the smaller quantity. */
const byTime = (left: Entry, right: Entry): number =>
  left.record.timestamp.epochMillis - right.record.timestamp.epochMillis ||
  left.record.quantity - right.record.quantity ||
  (left.split < right.split ? -1 : left.split > right.split ? 1 : 0)

/** What becomes of one record. */
const enter = (
  state: State,
  { productCode, record, split }: Entry,
  { now }: Occasion
): readonly [State, UsageRecordResult] => {
  const customer = customerOf(state.world, record)
  const isCovered = (agreement: Agreement) =>
    covers(agreement, record.timestamp.epochMillis, state.rules.windowBoundary)
  if (customer === undefined || !isSubscribed(customer, productCode, now, isCovered)) {
    return [state, result(record, "CustomerNotSubscribed")]
  }
  const { customerAWSAccountId } = customer
  const { dimension, licenseArn, quantity, usageAllocations } = record
  const timestamp = record.timestamp.epochMillis
  const hour = window.hourOf(timestamp)
  const bought =
    licenseArn === undefined ? keyOf("product", productCode) : keyOf("licence", licenseArn)
  const [next, meteringRecordId] = meter(
    state,
    keyOf("BatchMeterUsage", bought, customerAWSAccountId, dimension, hour),
    {
      operation: "BatchMeterUsage",
      productCode,
      licenseArn,
      customerAWSAccountId,
      dimension,
      hour,
      timestamp,
      quantity,
      usageAllocations,
      split
    }
  )
  return meteringRecordId === undefined
    ? [state, result(record, "DuplicateRecord")]
    : [next, result(record, "Success", meteringRecordId)]
}

const result = (usageRecord: UsageRecord, status: string, meteringRecordId?: string) =>
  new UsageRecordResult(
    { usageRecord, status, ...(meteringRecordId !== undefined && { meteringRecordId }) },
    true
  )
