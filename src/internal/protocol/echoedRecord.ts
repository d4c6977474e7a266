/** What makes a record of a response that of a record which was sent. */
import type { UsageRecord } from "../../UsageRecord.js"
import { hasDefaultedField } from "../schema/decodeResponse.js"

const hour = 3_600_000

/** The hour that a record is metered in, counted from 1970. */
export const hourOf = ({ timestamp }: UsageRecord): number =>
  Math.floor(timestamp.epochMillis / hour)

const identityFields = ["customerAWSAccountId", "customerIdentifier", "licenseArn"] as const

/** An absent quantity is not 0: of such an echo nothing is known but that it has none. */
const quantityOf = (echoed: UsageRecord): number | undefined =>
  hasDefaultedField(echoed) ? undefined : echoed.quantity

/** Whether an echo says all that identifies a record, and nothing else. */
export const isExactEcho = (echoed: UsageRecord, record: UsageRecord): boolean =>
  isSameUsage(echoed, record) &&
  quantityOf(echoed) === record.quantity &&
  identityFields.every((name) => echoed[name] === record[name])

/** Whether nothing that an echo says contradicts a record. It may be another's all the same. */
export const isPossibleEcho = (echoed: UsageRecord, record: UsageRecord): boolean => {
  const quantity = quantityOf(echoed)
  return (
    isSameUsage(echoed, record) &&
    (quantity === undefined || quantity === record.quantity) &&
    identityFields.every(
      (name) =>
        echoed[name] === undefined || record[name] === undefined || echoed[name] === record[name]
    )
  )
}

/** Whether an echo names the customer or the license as the record does. */
export const sharesIdentity = (echoed: UsageRecord, record: UsageRecord): boolean =>
  identityFields.some((name) => echoed[name] !== undefined && echoed[name] === record[name])

const isSameUsage = (echoed: UsageRecord, record: UsageRecord): boolean =>
  hourOf(echoed) === hourOf(record) && echoed.dimension === record.dimension
