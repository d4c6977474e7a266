/** From what was submitted to a record that can be sent, or to what is wrong with it. */
import { BatchMeterUsageRequest } from "../../BatchMeterUsage.js"
import type { Rule } from "../../Preflight.js"
import { UsageRecord } from "../../UsageRecord.js"
import type { Input, Item } from "../../UsageSubmission.js"
import * as check from "../check.js"
import { instantiate, invalidInput } from "../make.js"
import { tooLarge } from "../requestSize.js"
import { of } from "../shape.js"
import { deadlineOf, type Window } from "./deadline.js"
import type { Violations } from "./entry.js"
import { sizeLimit } from "./parcel.js"
import { bytesOf, envelopeOf } from "./size.js"

export interface Taken {
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
  readonly except: ReadonlyArray<Rule>
  readonly window: Window
}): ((input: Input) => Taken) => {
  const { except, window } = options
  const checkRecord = check.compile(of(UsageRecord), except)
  const checkCall = check.compile(of(BatchMeterUsageRequest), except)
  const checksSize = !except.includes("requestSize")
  const checksProduct = !except.includes("productCodeOrLicense")

  const faultsOf = (record: UsageRecord, productCode: string | undefined) => {
    const faults = invalidInput(checkRecord(record))?.violations
    // the product of a record with a licence is not sent
    if (faults !== undefined || record.licenseArn !== undefined) return faults
    if (productCode !== undefined) {
      return invalidInput(checkCall({ productCode, usageRecords: [] }))?.violations
    }
    return checksProduct ? noProduct : undefined
  }

  const takeItem = (input: Input): Taken => {
    const item = isItem(input) ? input : { record: input }
    const record = instantiate(UsageRecord, item.record)
    const productCode = item.productCode ?? options.productCode
    const invalid = (violations: Violations): Taken => ({
      record,
      productCode,
      bytes: 0,
      deadline: Number.NaN,
      violations
    })
    const violations = faultsOf(record, productCode)
    if (violations !== undefined) return invalid(violations)
    const deadline = deadlineOf(record, window)
    if (Number.isNaN(deadline)) return invalid(beyondCalendar)
    const bytes = bytesOf(record)
    const total = bytes + envelopeOf(productCode)
    return checksSize && total >= sizeLimit
      ? invalid(tooLarge("BatchMeterUsage", total).violations)
      : { record, productCode, bytes, deadline, violations: undefined }
  }

  return (input) => {
    try {
      return takeItem(input)
    } catch {
      // only what is not plain data can throw when it is read
      return {
        record: input as UsageRecord,
        productCode: options.productCode,
        bytes: 0,
        deadline: Number.NaN,
        violations: notReadable
      }
    }
  }
}

const isItem = (input: Input): input is Item =>
  typeof input === "object" && input !== null && "record" in input

const noProduct: Violations = [
  {
    field: "licenseArn",
    rule: "productCodeOrLicense",
    expected: "a licenseArn, or else a productCode to submit it for"
  }
]

const beyondCalendar: Violations = [
  {
    field: "timestamp",
    rule: "type",
    expected: "a time that a calendar has: at most 8640000000000000 milliseconds from 1970"
  }
]

const notReadable: Violations = [
  { field: "value", rule: "type", expected: "an object whose fields can be read" }
]
