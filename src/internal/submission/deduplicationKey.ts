/** The key by which the service deduplicates records. */
import type { UsageRecord } from "../../UsageRecord.js"
import { licenseKey } from "../license.js"
import { hourOf } from "../protocol/echoedRecord.js"

/**
 * Returns product or license, customer, dimension and hour as one text. Lengths precede the parts, so that different keys
 * never have the same text. A license is represented by its id, because its ARN has several forms. The two identities of one
 * customer have two keys, because only the service knows that they belong to one customer.
 */
export const deduplicationKey = (record: UsageRecord, productCode: string | undefined): string => {
  const { customerAWSAccountId, customerIdentifier = "", dimension, licenseArn } = record
  const customer =
    customerAWSAccountId === undefined ? `i${customerIdentifier}` : `a${customerAWSAccountId}`
  const product = licenseArn === undefined ? `p${productCode ?? ""}` : `l${licenseKey(licenseArn)}`
  return `${hourOf(record)} ${customer.length} ${customer} ${product.length} ${product} ${dimension}`
}
