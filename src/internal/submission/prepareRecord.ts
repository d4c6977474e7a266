/** Validates submitted input and computes the deadline and the size of its record. */
import { BatchMeterUsageRequest } from "../../BatchMeterUsage.js"
import type { Rule } from "../../Preflight.js"
import * as UsageRecord from "../../UsageRecord.js"
import { requestTooLarge } from "../protocol/requestSize.js"
import { instantiate, invalidInput } from "../schema/construct.js"
import { shapeOf } from "../schema/shape.js"
import * as validate from "../schema/validate.js"
import { maxBytes } from "./batch.js"
import type { Violations } from "./pendingRecord.js"
import { envelopeBytes, recordBytes } from "./recordSize.js"

/** The type of `UsageSubmission.Item`, without an import cycle. */
interface Item {
  readonly record: UsageRecord.Input
  readonly productCode?: string | undefined
}

export type Input = UsageRecord.Input | Item

export interface PrepareOptions {
  readonly productCode: string | undefined
  readonly skipRules: ReadonlyArray<Rule>
  readonly acceptanceWindow: AcceptanceWindow
}

/** The time in which the service accepts usage, in milliseconds. */
interface AcceptanceWindow {
  /** The time after the usage. */
  readonly maxAge: number
  /** The time after the start of the next month. */
  readonly monthEndGrace: number
}

interface PreparedRecord {
  /** The valid record, or the submitted value if it is invalid. */
  readonly record: UsageRecord.UsageRecord
  readonly productCode: string | undefined
  readonly bytes: number
  /** The first instant at which the service is certain to reject the record, in epoch milliseconds. */
  readonly deadline: number
  readonly violations: Violations | undefined
}

/** Compiles the validators of a submission. Each record is validated only once, here. */
export const make = (options: PrepareOptions): ((input: Input) => PreparedRecord) => {
  const { skipRules, acceptanceWindow } = options
  const validateRecord = validate.compile(shapeOf(UsageRecord.UsageRecord), skipRules)
  const validateRequest = validate.compile(shapeOf(BatchMeterUsageRequest), skipRules)
  const validatesSize = !skipRules.includes("requestSize")
  const validatesProduct = !skipRules.includes("productCodeOrLicense")

  const violationsOf = (record: UsageRecord.UsageRecord, productCode: string | undefined) => {
    const recordViolations = invalidInput(validateRecord(record))?.violations
    // the product code of a record with a license is not sent
    if (recordViolations !== undefined || record.licenseArn !== undefined) return recordViolations
    if (productCode !== undefined) {
      return invalidInput(validateRequest({ productCode, usageRecords: [] }))?.violations
    }
    return validatesProduct ? missingProduct : undefined
  }

  const prepare = (input: Input): PreparedRecord => {
    const item = isItem(input) ? input : { record: input }
    const record = instantiate(UsageRecord.UsageRecord, item.record)
    const productCode = item.productCode ?? options.productCode
    const invalid = (violations: Violations): PreparedRecord => ({
      record,
      productCode,
      bytes: 0,
      deadline: Number.NaN,
      violations
    })
    const violations = violationsOf(record, productCode)
    if (violations !== undefined) return invalid(violations)
    const deadline = deadlineOf(record, acceptanceWindow)
    if (Number.isNaN(deadline)) return invalid(timestampOutOfRange)
    const bytes = recordBytes(record)
    const total = bytes + envelopeBytes(productCode)
    return validatesSize && total >= maxBytes
      ? invalid([requestTooLarge(total)])
      : { record, productCode, bytes, deadline, violations: undefined }
  }

  return (input) => {
    try {
      return prepare(input)
    } catch {
      // getters and proxies of the input can throw
      return {
        record: input as UsageRecord.UsageRecord,
        productCode: options.productCode,
        bytes: 0,
        deadline: Number.NaN,
        violations: unreadableInput
      }
    }
  }
}

/** The last instant of a JavaScript `Date`, in epoch milliseconds. */
const maxEpochMillis = 8_640_000_000_000_000

/** Returns the deadline in epoch milliseconds, or NaN if the timestamp is outside the range of a `Date`. */
const deadlineOf = (
  { timestamp }: UsageRecord.UsageRecord,
  { maxAge, monthEndGrace }: AcceptanceWindow
): number => {
  const time = timestamp.epochMillis
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return Number.NaN
  const nextMonth = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1)
  return Math.min(
    time + maxAge,
    Number.isNaN(nextMonth) ? maxEpochMillis : nextMonth + monthEndGrace,
    maxEpochMillis
  )
}

const isItem = (input: Input): input is Item =>
  typeof input === "object" && input !== null && "record" in input

const missingProduct: Violations = [
  {
    field: "licenseArn",
    rule: "productCodeOrLicense",
    expected: "a licenseArn, or else a productCode"
  }
]

const timestampOutOfRange: Violations = [
  {
    field: "timestamp",
    rule: "type",
    expected: "at most 8640000000000000 milliseconds before or after 1970"
  }
]

const unreadableInput: Violations = [
  { field: "value", rule: "type", expected: "an object whose fields can be read" }
]
