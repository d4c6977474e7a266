/** The time until which the service accepts a record. */
import { millisPerHour, startOfNextMonth } from "./hour.js"

const maxAge = 24 * millisPerHour
const monthEndGrace = 6 * millisPerHour
const closingGrace = millisPerHour

/**
 * Returns the first instant at which the service rejects a record as too late, in epoch milliseconds. It is the earliest of: 24 hours
 * after its timestamp, 06:00 UTC on the first day of the next month, and one hour after the end of its subscription.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 */
export const deadlineOf = (timestamp: number, closingAt: number | undefined): number =>
  Math.min(
    timestamp + maxAge,
    startOfNextMonth(timestamp) + monthEndGrace,
    closingAt === undefined ? Number.POSITIVE_INFINITY : closingAt + closingGrace
  )
