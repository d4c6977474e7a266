/** The time until which the service accepts a record. */
import { millisPerHour, startOfNextMonth } from "./hour.js"

const maxAge = 24 * millisPerHour
const monthEndGrace = 6 * millisPerHour
const closingGrace = millisPerHour

/**
 * The first instant at which a record is too late: 24 hours after its timestamp, 06:00 UTC on the first for a timestamp of
 * last month, one hour after the end of its subscription. Epoch milliseconds.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 */
export const deadlineOf = (timestamp: number, closingAt: number | undefined): number =>
  Math.min(
    timestamp + maxAge,
    startOfNextMonth(timestamp) + monthEndGrace,
    closingAt === undefined ? Number.POSITIVE_INFINITY : closingAt + closingGrace
  )
