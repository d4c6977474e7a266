/** What makes two records claims to the same hour, and what makes an echo that of a record. */
import type { UsageRecord } from "../../UsageRecord.js"
import { lacksField } from "../codec.js"

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

/** An absent quantity is not 0: of such an echo nothing is known but that it has none. */
const quantityOf = (echo: UsageRecord): number | undefined =>
  lacksField(echo) ? undefined : echo.quantity

/** Whether an echo says all that identifies a record, and nothing else. */
export const isFullEchoOf = (echo: UsageRecord, record: UsageRecord): boolean =>
  isSameHour(echo, record) &&
  quantityOf(echo) === record.quantity &&
  identities.every((name) => echo[name] === record[name])

/** Whether nothing that an echo says contradicts a record. It may be another's all the same. */
export const mayBeEchoOf = (echo: UsageRecord, record: UsageRecord): boolean => {
  const quantity = quantityOf(echo)
  return (
    isSameHour(echo, record) &&
    (quantity === undefined || quantity === record.quantity) &&
    identities.every(
      (name) =>
        echo[name] === undefined || record[name] === undefined || echo[name] === record[name]
    )
  )
}

/** Whether an echo names the customer or the license as the record does. */
export const sharesIdentity = (echo: UsageRecord, record: UsageRecord): boolean =>
  identities.some((name) => echo[name] !== undefined && echo[name] === record[name])

const isSameHour = (echo: UsageRecord, record: UsageRecord): boolean =>
  hourOf(echo) === hourOf(record) && echo.dimension === record.dimension
