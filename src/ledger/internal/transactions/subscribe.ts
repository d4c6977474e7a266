/** Adds and ends subscriptions. */
import * as Effect from "effect/Effect"
import { isSameLicense, licenseKey } from "../../../internal/license.js"
import {
  InvalidEvent,
  type LedgerUnavailable,
  SubscriptionConflict,
  UnknownSubscription
} from "../../LedgerError.js"
import type { Service as Store } from "../../UsageLedgerStore.js"
import type { Subscription } from "../contract.js"
import { groupBy } from "../model/groupBy.js"
import { hourOf, startOf } from "../model/hour.js"
import type { ProductRow, SubscriptionRow } from "../model/rows.js"
import { endOf, subscriptionOf } from "../model/subscription.js"
import { idViolation, isText } from "../recording/prepareEvent.js"
import { millisOf } from "../recording/request.js"
import type { StoreEffect, Tables } from "../tables.js"
import { keysOf, lockProduct } from "./initialize.js"

/** Adds a subscription. Repeating the same call changes nothing. */
export const subscribe = (
  store: Store,
  subscription: Subscription,
  now: number
): Effect.Effect<
  void,
  InvalidEvent | UnknownSubscription | SubscriptionConflict | LedgerUnavailable
> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      // no dimension may be added to the product at the same time
      yield* lockProduct(tables, subscription.product)
      const product = (yield* tables.products).find(
        ({ product }) => product === subscription.product
      )
      const invalid = violationOf(subscription, product)
      if (invalid !== undefined) return yield* invalid
      if (product === undefined) return
      const customer = subscription.customerAWSAccountId ?? subscription.customerIdentifier ?? ""
      yield* lockCustomer(tables, customer)
      const license =
        subscription.licenseArn === undefined ? undefined : licenseKey(subscription.licenseArn)
      if (license !== undefined) yield* tables.lock(`license/${license}`)
      const [stored] = yield* tables.subscriptions({ ids: [subscription.id] })
      const followed =
        subscription.follows === undefined || !isText(subscription.follows)
          ? undefined
          : (yield* tables.subscriptions({ ids: [subscription.follows] }))[0]
      if (subscription.follows !== undefined && followed === undefined) {
        return yield* new UnknownSubscription({
          subscription: subscription.follows,
          reason: "missing"
        })
      }
      const row = rowOf(
        subscription,
        product,
        followed?.lineage ?? subscription.id,
        stored?.from ?? now
      )
      if (stored !== undefined) {
        const lineage = yield* tables.subscriptions({ lineages: [stored.lineage] })
        const isSame =
          sameFields.every((name) => stored[name] === row[name]) && haveOneLicense(stored, row)
        if (isSame && (stored.until === row.until || isFollowed(stored, row, lineage))) {
          yield* tables.addKeys(keysOf(product, stored.lineage))
          return
        }
        return yield* new SubscriptionConflict({
          subscription: row.id,
          other: row.id,
          detail:
            "it is stored with other contents. Renew it under another id that follows this one"
        })
      }
      if (followed !== undefined) {
        const differs = (["product", "accountId", "customerId"] as const).find(
          (name) => followed[name] !== row[name]
        )
        if (differs !== undefined || followed.from >= row.from) {
          return yield* new SubscriptionConflict({
            subscription: row.id,
            other: followed.id,
            detail:
              differs === undefined
                ? "it begins before the one that it follows"
                : "only a subscription of the same product and customer can follow it"
          })
        }
        // the followed subscription ends when this one begins
        if (endOf(followed) > row.from)
          yield* tables.putSubscription({ ...followed, until: row.from })
      }
      const others = [
        ...(yield* tables.subscriptions({ customer })),
        // one customer can have an account id and a customer identifier, so the license is compared too
        ...(license === undefined ? [] : yield* tables.subscriptions({ license }))
      ]
      const other = others.find((one) => isBilledTwice(one, row))
      if (other !== undefined) {
        return yield* new SubscriptionConflict({
          subscription: row.id,
          other: other.id,
          detail: isSameCustomer(other, row)
            ? "both are of one product and customer in one hour. Let one follow the other"
            : "both are of one license in one hour. Close the one whose customer is wrong"
        })
      }
      const used = yield* findUsed(tables, others, row, now)
      if (used !== undefined) {
        return yield* new SubscriptionConflict({
          subscription: row.id,
          other: used.subscription.id,
          detail: `usage of the other is recorded after its end, in an hour of this one. ${
            isSameCustomer(used.subscription, row) ? "Let this follow it, or begin" : "Begin"
          } at ${new Date(startOf(used.hour + 1)).toISOString()}`
        })
      }
      yield* tables.putSubscription(row)
      yield* tables.addKeys(keysOf(product, row.lineage))
    })
  )

/** The fields that another `subscribe` of the same id may not change. The license is compared by `haveOneLicense`. */
const sameFields = ["lineage", "product", "productCode", "accountId", "customerId", "from"] as const

/** True if the stored end was set because another subscription follows at that time. */
const isFollowed = (
  stored: SubscriptionRow,
  row: SubscriptionRow,
  lineage: ReadonlyArray<SubscriptionRow>
): boolean =>
  stored.until !== undefined &&
  (row.until ?? Number.POSITIVE_INFINITY) > stored.until &&
  lineage.some(({ from, id }) => id !== stored.id && from === stored.until)

const rowOf = (
  subscription: Subscription,
  product: ProductRow,
  lineage: string,
  from: number
): SubscriptionRow => ({
  id: subscription.id,
  lineage,
  region: product.region,
  product: product.product,
  productCode: subscription.licenseArn === undefined ? product.productCode : undefined,
  licenseArn: subscription.licenseArn,
  accountId: subscription.customerAWSAccountId,
  customerId: subscription.customerIdentifier,
  from: millisOf(subscription.from) ?? from,
  until: millisOf(subscription.until),
  closingAt: undefined
})

/** True if both have the same license, or none. */
const haveOneLicense = (one: SubscriptionRow, other: SubscriptionRow): boolean =>
  one.licenseArn === undefined || other.licenseArn === undefined
    ? one.licenseArn === other.licenseArn
    : isSameLicense(one.licenseArn, other.licenseArn)

/** True if both have a license, and the licenses differ. The service bills these separately. */
const haveTwoLicenses = (one: SubscriptionRow, other: SubscriptionRow): boolean =>
  one.licenseArn !== undefined && other.licenseArn !== undefined && !haveOneLicense(one, other)

/** Compares names, codes and licenses, because the service does not know the names of this ledger's products. */
const isSameProduct = (one: SubscriptionRow, other: SubscriptionRow): boolean =>
  one.region === other.region &&
  (one.product === other.product ||
    (one.productCode !== undefined && one.productCode === other.productCode) ||
    (one.licenseArn !== undefined && haveOneLicense(one, other)))

const isBilledTwice = (one: SubscriptionRow, other: SubscriptionRow): boolean =>
  isSameProduct(one, other) &&
  (one.lineage === other.lineage
    ? one.from < endOf(other) && other.from < endOf(one)
    : !haveTwoLicenses(one, other) && haveCommonHour(one, other))

const isSameCustomer = (one: SubscriptionRow, other: SubscriptionRow): boolean =>
  one.accountId === other.accountId && one.customerId === other.customerId

/** How many past hours are searched: the service accepts records for 24 hours, and the clocks may differ. */
const reportedHours = 26

/**
 * Finds the last hour of `row` with usage that is billed to another subscription of the same product and customer or license. Such
 * usage exists if it was recorded before the other subscription was closed as of an earlier time. The service would treat the
 * records of both subscriptions as the same record.
 */
const findUsed = (
  tables: Tables,
  others: ReadonlyArray<SubscriptionRow>,
  row: SubscriptionRow,
  now: number
): StoreEffect<{ readonly subscription: SubscriptionRow; readonly hour: number } | undefined> =>
  Effect.gen(function* () {
    const rivals = new Map(
      others
        .filter(
          (one) =>
            one.lineage !== row.lineage && isSameProduct(one, row) && !haveTwoLicenses(one, row)
        )
        .map((one) => [one.id, one])
    )
    if (rivals.size === 0) return undefined
    const lineages = [...new Set([...rivals.values()].map(({ lineage }) => lineage))]
    const members = groupBy(yield* tables.subscriptions({ lineages }), ({ lineage }) => lineage)
    const views = yield* tables.entryPage(
      {
        lineages,
        fromHour: Math.max(hourOf(row.from), hourOf(now) - reportedHours),
        untilHour: row.until === undefined ? undefined : hourOf(row.until - 1) + 1
      },
      undefined,
      Number.MAX_SAFE_INTEGER
    )
    for (const { entry, key, record } of [...views].reverse()) {
      // an hour with less than one unit is not reported
      if (entry.isSealed && record === undefined) continue
      const lineage = members.get(key.lineage) ?? []
      const subscription = rivals.get(
        record?.subscription ?? subscriptionOf(lineage, entry.hour)?.id ?? ""
      )
      if (subscription !== undefined) return { subscription, hour: entry.hour }
    }
    return undefined
  })

/** True if both cover a part of the same hour. The service keeps one record per customer, dimension and hour. */
const haveCommonHour = (one: SubscriptionRow, other: SubscriptionRow): boolean =>
  startOfHour(one.from) < endOf(other) && startOfHour(other.from) < endOf(one)

const startOfHour = (millis: number) => startOf(hourOf(millis))

/** The service's pattern of a license ARN, with or without a Region. */
const licensePattern =
  /^arn:aws[a-z-]*:license-manager:[a-z0-9-]*:\d{1,20}:license:l-[a-zA-Z0-9]{1,64}$/

const violationOf = (
  subscription: Subscription,
  product: ProductRow | undefined
): InvalidEvent | undefined => {
  const { customerAWSAccountId, customerIdentifier, from, licenseArn, until } = subscription
  const invalid = (field: string, expected: string) => new InvalidEvent({ field, expected })
  const id = idViolation(subscription.id)
  if (id !== undefined) return id
  if (subscription.follows !== undefined) {
    const violation = idViolation(subscription.follows, "follows")
    if (violation !== undefined) return violation
  }
  if (product === undefined) return invalid("product", "one of the ledger's products")
  if ((customerAWSAccountId === undefined) === (customerIdentifier === undefined)) {
    return invalid(
      "customerAWSAccountId",
      "a customerAWSAccountId or a customerIdentifier, one of the two"
    )
  }
  if (customerAWSAccountId !== undefined && !/^\d{1,255}$/.test(customerAWSAccountId)) {
    return invalid("customerAWSAccountId", "1 to 255 digits")
  }
  if (customerIdentifier !== undefined) {
    const violation = idViolation(customerIdentifier, "customerIdentifier")
    if (violation !== undefined) return violation
  }
  if (licenseArn !== undefined && !licensePattern.test(licenseArn)) {
    return invalid(
      "licenseArn",
      "the ARN of a license, such as arn:aws:license-manager::111122223333:license:l-…"
    )
  }
  if (licenseArn === undefined && product.productCode === undefined) {
    return invalid("licenseArn", "a licenseArn, since the product has no productCode")
  }
  const end = millisOf(until)
  const start = millisOf(from)
  return end !== undefined && start !== undefined && end <= start
    ? invalid("until", "a time after from")
    : undefined
}

/** Serializes changes of one customer's subscriptions. */
const lockCustomer = (tables: Tables, customer: string) => tables.lock(`customer/${customer}`)

/** Ends a subscription. If it has ended already, keeps the first end. */
export const close = (
  store: Store,
  id: string,
  at: number,
  now: number
): Effect.Effect<void, UnknownSubscription | LedgerUnavailable> =>
  store.transaction((tables) =>
    Effect.gen(function* () {
      const [found] = isText(id) ? yield* tables.subscriptions({ ids: [id] }) : []
      if (found === undefined) {
        return yield* new UnknownSubscription({ subscription: id, reason: "missing" })
      }
      yield* lockCustomer(tables, found.accountId ?? found.customerId ?? "")
      const [stored = found] = yield* tables.subscriptions({ ids: [id] })
      if (stored.closingAt !== undefined) return
      yield* tables.putSubscription({ ...stored, closingAt: Math.min(at, now) })
    })
  )
