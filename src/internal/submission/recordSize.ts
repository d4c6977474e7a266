/** How many bytes records take in the body of a call. */
import { UsageRecord } from "../../UsageRecord.js"
import { encoder } from "../schema/encode.js"
import { shapeOf } from "../schema/shape.js"

const project = encoder(shapeOf(UsageRecord))
const textEncoder = new TextEncoder()

/** 25 records without allocations and with no more text than this are far from the limit, however escaped. */
const maxShortText = 1_000

/** The most that one character of text comes to: a control character, escaped. */
const bytesPerCharacter = 6

/** All of a record's JSON that is not text of its own, and the comma after it. */
const recordOverhead = 200

/** Bytes of a record in a body. For a short record it is the most that they can be, which costs less to know. */
export const recordBytes = (record: UsageRecord): number => {
  const { customerAWSAccountId = "", customerIdentifier = "", dimension, licenseArn = "" } = record
  const characters =
    dimension.length + customerAWSAccountId.length + customerIdentifier.length + licenseArn.length
  return record.usageAllocations === undefined && characters <= maxShortText
    ? recordOverhead + characters * bytesPerCharacter
    : textEncoder.encode(JSON.stringify(project(record))).length + 1
}

/** The most bytes of a body around its records. */
export const envelopeBytes = (productCode = ""): number =>
  emptyBodyBytes + productCode.length * bytesPerCharacter

const emptyBodyBytes = JSON.stringify({ UsageRecords: [], ProductCode: "" }).length
