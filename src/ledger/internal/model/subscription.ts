/** The hours that subscriptions cover, and the subscription that an hour belongs to. */
import { hourOf, startOf } from "./hour.js"
import type { SubscriptionRow } from "./rows.js"

/** Returns the end of a subscription, exclusive, in epoch milliseconds. `Infinity` if it has none. */
export const endOf = ({ closingAt, until }: SubscriptionRow): number =>
  Math.min(closingAt ?? Number.POSITIVE_INFINITY, until ?? Number.POSITIVE_INFINITY)

/** True if the subscription covers a part of the hour. */
export const covers = (subscription: SubscriptionRow, hour: number): boolean =>
  subscription.from < startOf(hour + 1) && endOf(subscription) > startOf(hour)

/**
 * Returns the subscription of a lineage that the record of an hour belongs to: the latest that covers the hour, or else the latest
 * that began before the end of the hour, or else the first.
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

/** Returns the timestamp of an hour's record: the start of the hour, or the start of the subscription if that is within the hour. */
export const timestampOf = ({ from }: SubscriptionRow, hour: number): number =>
  hourOf(from) === hour ? Math.max(startOf(hour), from) : startOf(hour)
