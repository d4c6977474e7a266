/** Marks accepted rows that repeat an earlier row, because the service bills them once. */
import { createHash } from "node:crypto"
import { deduplicationKey } from "../../internal/submission/deduplicationKey.js"
import { UsageRecord } from "../../UsageRecord.js"
import type { RowResult } from "./submitRows.js"

/** Hashes a text to 12 characters, to save memory. */
export const digest = (text: string): string =>
  createHash("sha256").update(text).digest().toString("latin1", 0, 12)

/** Returns a hash of the customer, product or license, dimension and hour of an accepted row. */
export const acceptedKey = (
  { record, row, outcome }: RowResult,
  productCode: string | undefined
): string | undefined => {
  if (outcome.status !== "Accepted" || !(record instanceof UsageRecord)) return undefined
  const content = row.content._tag === "Right" ? row.content.right : undefined
  return digest(deduplicationKey(record, content?.productCode ?? productCode))
}

/**
 * Makes a function that marks rows whose key or metering record id was accepted before. Only the metering record id shows that
 * two customer identifiers belong to one customer.
 */
export const makeMark = (productCode: string | undefined) => {
  const seen = new Set<string>()
  return (result: RowResult): RowResult => {
    const key = acceptedKey(result, productCode)
    if (key === undefined) return result
    const { meteringRecordId } = result.outcome
    const recordIdKey = meteringRecordId === undefined ? key : digest(meteringRecordId)
    const isRepeated = seen.has(key) || seen.has(recordIdKey)
    seen.add(key)
    seen.add(recordIdKey)
    return isRepeated ? { ...result, isRepeated } : result
  }
}
