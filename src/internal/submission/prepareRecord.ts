/** From what was submitted to a record that can be sent, or to what is wrong with it. */
import { BatchMeterUsageRequest } from "../../BatchMeterUsage.js"
import type { Rule } from "../../Preflight.js"
import { UsageRecord } from "../../UsageRecord.js"
import type { Input, Item } from "../../UsageSubmission.js"
import { requestTooLarge } from "../protocol/requestSize.js"
import { instantiate, invalidInput } from "../schema/construct.js"
import { shapeOf } from "../schema/shape.js"
import * as validate from "../schema/validate.js"
import { maxBytes } from "./batch.js"
import { type AcceptanceWindow, deadlineOf } from "./deadline.js"
import type { Violations } from "./pendingRecord.js"
import { envelopeBytes, recordBytes } from "./recordSize.js"

export interface PreparedRecord {
  /** As it was given where it is not valid. */
  readonly record: UsageRecord
  readonly productCode: string | undefined
  readonly bytes: number
  /** From when on it is certain to be refused, epoch milliseconds. */
  readonly deadline: number
  readonly violations: Violations | undefined
}

/** Compiles the taking in of what is submitted. Each record is checked once, here. */
export const make = (options: {
  readonly productCode: string | undefined
  readonly skipRules: ReadonlyArray<Rule>
  readonly acceptanceWindow: AcceptanceWindow
}): ((input: Input) => PreparedRecord) => {
  const { skipRules, acceptanceWindow } = options
  const validateRecord = validate.compile(shapeOf(UsageRecord), skipRules)
  const validateRequest = validate.compile(shapeOf(BatchMeterUsageRequest), skipRules)
  const validatesSize = !skipRules.includes("requestSize")
  const validatesProduct = !skipRules.includes("productCodeOrLicense")

  const violationsOf = (record: UsageRecord, productCode: string | undefined) => {
    const recordViolations = invalidInput(validateRecord(record))?.violations
    // the product of a record with a licence is not sent
    if (recordViolations !== undefined || record.licenseArn !== undefined) return recordViolations
    if (productCode !== undefined) {
      return invalidInput(validateRequest({ productCode, usageRecords: [] }))?.violations
    }
    return validatesProduct ? missingProduct : undefined
  }

  const prepare = (input: Input): PreparedRecord => {
    const item = isItem(input) ? input : { record: input }
    const record = instantiate(UsageRecord, item.record)
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
      ? invalid(requestTooLarge("BatchMeterUsage", total).violations)
      : { record, productCode, bytes, deadline, violations: undefined }
  }

  return (input) => {
    try {
      return prepare(input)
    } catch {
      // only what is not plain data can throw when it is read
      return {
        record: input as UsageRecord,
        productCode: options.productCode,
        bytes: 0,
        deadline: Number.NaN,
        violations: unreadableInput
      }
    }
  }
}

const isItem = (input: Input): input is Item =>
  typeof input === "object" && input !== null && "record" in input

const missingProduct: Violations = [
  {
    field: "licenseArn",
    rule: "productCodeOrLicense",
    expected: "a licenseArn, or else a productCode to submit it for"
  }
]

const timestampOutOfRange: Violations = [
  {
    field: "timestamp",
    rule: "type",
    expected: "a time that a calendar has: at most 8640000000000000 milliseconds from 1970"
  }
]

const unreadableInput: Violations = [
  { field: "value", rule: "type", expected: "an object whose fields can be read" }
]
