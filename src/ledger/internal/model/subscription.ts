/** The hours of subscriptions, and the one that an hour belongs to. */
import { hourOf, startOf } from "./hour.js"
import type { SubscriptionRow } from "./rows.js"

/** The end of a subscription, exclusive, in epoch milliseconds. Infinity if it has none. */
export const endOf = ({ closingAt, until }: SubscriptionRow): number =>
  Math.min(closingAt ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY)

/** True if the subscription covers a part of the hour. */
export const covers = (subscription: SubscriptionRow, hour: number): boolean =>
  subscription.from < startOf(hour + 1) && endOf(subscription) > startOf(hour)

/**
 * The subscription that an hour's record belongs to, among those of one lineage: the later one that covers it, else the last
 * that began before its end, else the first.
 */
export const subscriptionOf = (
  lineage: ReadonlyArray<SubscriptionRow>,
  hour: number
): SubscriptionRow | undefined => {
  const later = [...lineage].sort((left, right) => right.from - left.from)
  return (
    later.find((one) => covers(one, hour)) ??
    later.find(({ from }) => from < startOf(hour + 1)) ??
    later.at(-1)
  )
}

/** True if no subscription of the lineage covers a later hour. */
export const isLastHour = (lineage: ReadonlyArray<SubscriptionRow>, hour: number): boolean =>
  lineage.every((subscription) => endOf(subscription) <= startOf(hour + 1))

/** The timestamp of an hour's record: the start of the hour, or that of the subscription within it. */
export const timestampOf = ({ from }: SubscriptionRow, hour: number): number =>
  hourOf(from) === hour ? Math.max(startOf(hour), from) : startOf(hour)
