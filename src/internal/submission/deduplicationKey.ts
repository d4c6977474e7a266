/** The key by which the service deduplicates records. */
import type { UsageRecord } from "../../UsageRecord.js"
import { licenseKey } from "../license.js"
import { hourOf } from "../protocol/echoedRecord.js"

/**
 * Product or license, customer, dimension and hour. Lengths precede the texts, so that different keys never have the same
 * text. A license is its id, so that two forms of its ARN have one key. The two identities of one customer give two keys, because only
 * the service knows that they are one customer.
 */
export const deduplicationKey = (record: UsageRecord, productCode: string | undefined): string => {
  const { customerAWSAccountId, customerIdentifier = "", dimension, licenseArn } = record
  const customer =
    customerAWSAccountId === undefined ? `i${customerIdentifier}` : `a${customerAWSAccountId}`
  const product = licenseArn === undefined ? `p${productCode ?? ""}` : `l${licenseKey(licenseArn)}`
  return `${hourOf(record)} ${customer.length} ${customer} ${product.length} ${product} ${dimension}`
}
