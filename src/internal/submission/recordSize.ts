/** The size of records in a request body, in bytes. */
import { UsageRecord } from "../../UsageRecord.js"
import { jsonEncoder } from "../schema/jsonEncoder.js"
import { shapeOf } from "../schema/shape.js"

const encodeRecord = jsonEncoder(shapeOf(UsageRecord))
const textEncoder = new TextEncoder()

/**
 * Maximum length of the texts of a short record, in characters. 25 short records without allocations are far below the size
 * limit, even if every character is escaped.
 */
const maxShortText = 1_000

/** The bytes of an escaped control character, the longest form of a character. */
const bytesPerCharacter = 6

/** An upper limit of the bytes of a record's JSON without its texts, with the comma after it. */
const recordOverhead = 200

/** Returns the bytes of a record. For a short record, returns an upper limit, which is faster to compute. */
export const recordBytes = (record: UsageRecord): number => {
  const { customerAWSAccountId = "", customerIdentifier = "", dimension, licenseArn = "" } = record
  const characters =
    dimension.length + customerAWSAccountId.length + customerIdentifier.length + licenseArn.length
  return record.usageAllocations === undefined && characters <= maxShortText
    ? recordOverhead + characters * bytesPerCharacter
    : textEncoder.encode(JSON.stringify(encodeRecord(record))).length + 1
}

/** Returns an upper limit of the bytes of a body without its records. */
export const envelopeBytes = (productCode = ""): number =>
  emptyBodyBytes + productCode.length * bytesPerCharacter

const emptyBodyBytes = JSON.stringify({ UsageRecords: [], ProductCode: "" }).length
