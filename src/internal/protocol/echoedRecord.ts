/** Compares the records that a response repeats, called echoes, with those that were sent. */
import type { UsageRecord } from "../../UsageRecord.js"
import { hasDefaultedField } from "../schema/decodeResponse.js"

const hour = 3_600_000

/** The hour that a record is metered in, as hours since 1970. */
export const hourOf = ({ timestamp }: UsageRecord): number =>
  Math.floor(timestamp.epochMillis / hour)

const identityFields = ["customerAWSAccountId", "customerIdentifier", "licenseArn"] as const

/** Returns `undefined` if the response has no quantity, because the decoded 0 is then only the default. */
const quantityOf = (echoed: UsageRecord): number | undefined =>
  hasDefaultedField(echoed) ? undefined : echoed.quantity

/** Returns whether an echo has exactly the identity, usage and quantity of a record. */
export const isExactEcho = (echoed: UsageRecord, record: UsageRecord): boolean =>
  isSameUsage(echoed, record) &&
  quantityOf(echoed) === record.quantity &&
  identityFields.every((name) => echoed[name] === record[name])

/** Returns whether an echo does not contradict a record. It may nevertheless belong to another record. */
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

/** Returns whether an echo names the same customer or license as the record. */
export const sharesIdentity = (echoed: UsageRecord, record: UsageRecord): boolean =>
  identityFields.some((name) => echoed[name] !== undefined && echoed[name] === record[name])

const isSameUsage = (echoed: UsageRecord, record: UsageRecord): boolean =>
  hourOf(echoed) === hourOf(record) && echoed.dimension === record.dimension
