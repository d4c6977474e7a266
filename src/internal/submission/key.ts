/** What makes two records claims to the same hour, and what makes an echo that of a record. */
import type { UsageRecord } from "../../UsageRecord.js"

const hour = 3_600_000

const hourOf = ({ timestamp }: UsageRecord): number => Math.floor(timestamp.epochMillis / hour)

/**
 * What the service deduplicates by: product or licence, customer, dimension and hour. Lengths stand before the
 * texts, so that no two keys have the same text.
 *
 * A customer's two identities make two keys: only the service knows that they are one.
 */
export const keyOf = (record: UsageRecord, productCode: string | undefined): string => {
  const { customerAWSAccountId, customerIdentifier = "", dimension, licenseArn } = record
  const customer =
    customerAWSAccountId === undefined ? `i${customerIdentifier}` : `a${customerAWSAccountId}`
  const product = licenseArn === undefined ? `p${productCode ?? ""}` : `l${licenseArn}`
  return `${hourOf(record)} ${customer.length} ${customer} ${product.length} ${product} ${dimension}`
}

const identities = ["customerAWSAccountId", "customerIdentifier", "licenseArn"] as const

/**
 * Whether an echo can be that of a record: hour and dimension are the same, at least one identity is, and
 * nothing in it is another. A quantity that an echo lacks is read as 0.
 */
export const isEchoOf = (echo: UsageRecord, record: UsageRecord): boolean => {
  if (hourOf(echo) !== hourOf(record) || echo.dimension !== record.dimension) return false
  if (echo.quantity !== 0 && echo.quantity !== record.quantity) return false
  let shared = false
  for (const name of identities) {
    const theirs = echo[name]
    const ours = record[name]
    if (theirs === undefined || ours === undefined) continue
    if (theirs !== ours) return false
    shared = true
  }
  return shared
}
