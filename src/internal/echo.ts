/** What makes a record of a response that of a record which was sent. */
import type { UsageRecord } from "../UsageRecord.js"
import { lacksField } from "./codec.js"

const hour = 3_600_000

/** The hour that a record is metered in, counted from 1970. */
export const hourOf = ({ timestamp }: UsageRecord): number =>
  Math.floor(timestamp.epochMillis / hour)

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
