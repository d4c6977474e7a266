/** What makes two records claims to the same hour. */
import type { UsageRecord } from "../../UsageRecord.js"
import { hourOf } from "../protocol/echoedRecord.js"

/**
 * What the service deduplicates by: product or licence, customer, dimension and hour. Lengths stand before the
 * texts, so that no two keys have the same text.
 *
 * A customer's two identities make two keys: only the service knows that they are one.
 */
export const deduplicationKey = (record: UsageRecord, productCode: string | undefined): string => {
  const { customerAWSAccountId, customerIdentifier = "", dimension, licenseArn } = record
  const customer =
    customerAWSAccountId === undefined ? `i${customerIdentifier}` : `a${customerAWSAccountId}`
  const product = licenseArn === undefined ? `p${productCode ?? ""}` : `l${licenseArn}`
  return `${hourOf(record)} ${customer.length} ${customer} ${product.length} ${product} ${dimension}`
}
