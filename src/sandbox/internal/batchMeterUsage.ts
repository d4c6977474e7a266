/** BatchMeterUsage: all records are looked at first, and then each has its own fate. */
import type { BatchMeterUsageRequest } from "../../BatchMeterUsage.js"
import { type UsageRecord, UsageRecordResult } from "../../UsageRecord.js"
import {
  type Check,
  emptyTag,
  firstOf,
  otherRegion,
  outOfWindow,
  unknownDimension,
  unknownProduct
} from "./checks.js"
import { grant, type Handler, type Occasion, refuse } from "./handler.js"
import { keyOf, meter, splitOf } from "./metered.js"
import type { State } from "./state.js"
import * as window from "./window.js"
import { customerOf, isSubscribed, licenceOf, takesUsage, type World } from "./world.js"

export const batchMeterUsage: Handler<BatchMeterUsageRequest> = (state, request, occasion) => {
  const { world } = state
  const { productCode, usageRecords } = request
  const entries = usageRecords.map((record, index) => entryOf(world, productCode, record, index))
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
  readonly split: string
}

const entryOf = (
  world: World,
  productCode: string | undefined,
  record: UsageRecord,
  index: number
): Entry => ({
  record,
  index,
  productCode: productCode ?? licenceOf(world, record.licenseArn)?.agreement.productCode ?? "",
  split: splitOf(record.usageAllocations)
})

const checks: ReadonlyArray<Check<Entry>> = [
  ({ record }, { rules }, { now }) =>
    outOfWindow(record.timestamp.epochMillis, now, {
      ...window.batchMeterUsage,
      boundary: rules.windowBoundary,
      ahead: rules.futureTolerance
    }),
  ({ record }, { world }, { now }) => unusableLicence(world, record, now),
  ({ productCode }, { world }) => unknownProduct(world, productCode),
  ({ productCode }, { world }) => otherRegion(world, productCode, "InvalidProductCodeException"),
  ({ productCode, record }, { world }) => unknownDimension(world, productCode, record.dimension),
  ({ record }, state) => emptyTag(state, record.usageAllocations),
  ({ record }, { rules, world }) =>
    rules.unknownCustomer === "InvalidCustomerIdentifierException" &&
    customerOf(world, record) === undefined
      ? {
          code: "InvalidCustomerIdentifierException",
          message: `Customer ${record.customerAWSAccountId ?? record.customerIdentifier} is not known.`
        }
      : undefined
]

const unusableLicence = (world: World, record: UsageRecord, now: number) => {
  if (record.licenseArn === undefined) return undefined
  const licence = licenceOf(world, record.licenseArn)
  const fault =
    licence === undefined || licence.customer !== customerOf(world, record)
      ? "is not valid for this customer"
      : takesUsage(licence.agreement, now)
        ? undefined
        : "is not active"
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
  if (customer === undefined || !isSubscribed(customer, productCode, now)) {
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
