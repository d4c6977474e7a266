/** BatchMeterUsage: checks the whole call, and then each record. */
import type { BatchMeterUsageRequest } from "../../../BatchMeterUsage.js"
import { unsafeConstructor } from "../../../internal/schema/decodeResponse.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import { type UsageRecord, UsageRecordResult } from "../../../UsageRecord.js"
import type { Agreement } from "../../Scenario.js"
import * as acceptanceWindow from "../model/acceptanceWindow.js"
import {
  acceptsUsage,
  type Catalog,
  covers,
  findCustomer,
  findLicense,
  isSubscribed
} from "../model/catalog.js"
import type { State } from "../model/state.js"
import { type CallContext, type Handler, reject, succeed } from "./handler.js"
import {
  firstRejection,
  invalidTagError,
  otherRegionError,
  outOfWindowError,
  type Precondition,
  unknownDimensionError,
  unknownProductError
} from "./preconditions.js"
import { recordUsage, splitOf } from "./recordUsage.js"

export const batchMeterUsage: Handler<BatchMeterUsageRequest> = (state, request, context) => {
  const { catalog } = state
  const { productCode, usageRecords } = request
  const callProductCode = productCode ?? licensedProduct(catalog, usageRecords[0])
  const window = {
    ...acceptanceWindow.batchMeterUsage,
    boundary: state.behavior.windowBoundary,
    futureTolerance: state.behavior.futureTolerance
  }
  const entries = usageRecords.map((record, index) => ({
    record,
    index,
    productCode: productCode ?? licensedProduct(catalog, record),
    callProductCode,
    window,
    split: splitOf(record.usageAllocations)
  }))
  const rejection =
    firstRejection(preconditions, entries, state, context) ??
    // checks the product once, because all records are of the same product if `preconditions` hold
    productError(catalog, entries.length === 0 ? productCode : callProductCode, entries.length) ??
    firstRejection(laterPreconditions, entries, state, context)
  if (rejection !== undefined) return [state, reject(rejection)]

  const results: Array<UsageRecordResult | undefined> = []
  let next = state
  // sorts the records, so that their order in the call does not change what is billed
  for (const entry of [...entries].sort(compareEntries)) {
    if (context.unprocessed.has(entry.index)) continue
    const [after, result] = recordEntry(next, entry, context)
    next = after
    results[entry.index] = result
  }
  return [
    next,
    succeed({
      results: results.filter((result) => result !== undefined),
      unprocessedRecords: usageRecords.filter((_, index) => context.unprocessed.has(index))
    })
  ]
}

interface BatchEntry {
  readonly record: UsageRecord
  /** The index of the record in the call. */
  readonly index: number
  /** The product code of the call, or else the product of the record's license. */
  readonly productCode: string
  /** The product code of the call, or else the product of the first record's license. */
  readonly callProductCode: string
  readonly window: acceptanceWindow.AcceptanceWindow
  readonly split: string
}

const licensedProduct = (catalog: Catalog, record: UsageRecord | undefined): string =>
  findLicense(catalog, record?.licenseArn)?.agreement.productCode ?? ""

/** Checks the product of a call. A call without records is valid in any Region, and also without a product. */
const productError = (catalog: Catalog, productCode: string | undefined, records: number) =>
  productCode === undefined
    ? undefined
    : (unknownProductError(catalog, productCode) ??
      (records === 0
        ? undefined
        : otherRegionError(catalog, productCode, "InvalidProductCodeException")))

const preconditions: ReadonlyArray<Precondition<BatchEntry>> = [
  ({ record, window }, _, { now }) => outOfWindowError(record.timestamp.epochMillis, now, window),
  ({ record }, state, { now }) => unusableLicense(state, record, now),
  ({ callProductCode, productCode }, { behavior }) =>
    productCode === callProductCode
      ? undefined
      : {
          code: behavior.mixedProducts,
          message: `The licenses of the call are of two products, ${callProductCode} and ${productCode}. A BatchMeterUsage request is for only one product.`
        }
]

const laterPreconditions: ReadonlyArray<Precondition<BatchEntry>> = [
  ({ productCode, record }, { catalog }) =>
    unknownDimensionError(catalog, productCode, record.dimension),
  ({ record }, state) => invalidTagError(state, record.usageAllocations),
  ({ record }, { behavior, catalog }) =>
    behavior.unknownCustomer === "InvalidCustomerIdentifierException" &&
    findCustomer(catalog, record) === undefined
      ? {
          code: "InvalidCustomerIdentifierException",
          message: `Customer ${record.customerAWSAccountId ?? record.customerIdentifier} is not known.`
        }
      : undefined
]

const unusableLicense = ({ behavior, catalog }: State, record: UsageRecord, now: number) => {
  if (record.licenseArn === undefined) return undefined
  const license = findLicense(catalog, record.licenseArn)
  const problem =
    license === undefined || license.customer !== findCustomer(catalog, record)
      ? "is not valid for this customer"
      : !acceptsUsage(license.agreement, now)
        ? "is not active"
        : covers(license.agreement, record.timestamp.epochMillis, behavior.windowBoundary)
          ? undefined
          : "was not active at the time of the usage"
  return problem === undefined
    ? undefined
    : { code: "InvalidLicenseException", message: `License ${record.licenseArn} ${problem}.` }
}

/** Orders entries by time, then by quantity, then by allocations. */
const compareEntries = (left: BatchEntry, right: BatchEntry): number =>
  left.record.timestamp.epochMillis - right.record.timestamp.epochMillis ||
  left.record.quantity - right.record.quantity ||
  (left.split < right.split ? -1 : left.split > right.split ? 1 : 0)

const recordEntry = (
  state: State,
  { productCode, record, split }: BatchEntry,
  { now }: CallContext
): readonly [State, UsageRecordResult] => {
  const customer = findCustomer(state.catalog, record)
  const isCovered = (agreement: Agreement) =>
    covers(agreement, record.timestamp.epochMillis, state.behavior.windowBoundary)
  if (customer === undefined || !isSubscribed(customer, productCode, now, isCovered)) {
    return [state, result(record, "CustomerNotSubscribed")]
  }
  const { customerAWSAccountId } = customer
  const { dimension, licenseArn, quantity, usageAllocations } = record
  const timestamp = record.timestamp.epochMillis
  const [next, meteringRecordId] = recordUsage(
    state,
    [
      licenseArn === undefined ? "product" : "license",
      licenseArn ?? productCode,
      customerAWSAccountId,
      dimension,
      acceptanceWindow.hourOf(timestamp)
    ],
    {
      operation: "BatchMeterUsage",
      productCode,
      licenseArn,
      customerAWSAccountId,
      dimension,
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

const Result = unsafeConstructor(shapeOf(UsageRecordResult))

/** Makes a result without the constructor of the class, because the constructor takes as long as metering the record. */
const result = (usageRecord: UsageRecord, status: string, meteringRecordId?: string) => {
  const value = new Result()
  value.usageRecord = usageRecord
  value.status = status
  if (meteringRecordId !== undefined) value.meteringRecordId = meteringRecordId
  // the cast is safe, because `Result` makes instances of `UsageRecordResult`
  return value as unknown as UsageRecordResult
}
