/** Finds the subscription of usage by its customer. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { isSameLicense } from "../../internal/license.js"
import type { LedgerError } from "../../ledger/index.js"
import type { ProductRow, SubscriptionRow } from "../../ledger/internal/model/rows.js"
import type { Service as Store } from "../../ledger/UsageLedgerStore.js"
import type { EventItem } from "../input/eventRows.js"

interface Subscriptions {
  readonly products: ReadonlyArray<ProductRow>
  readonly byCustomer: ReadonlyMap<string, ReadonlyArray<SubscriptionRow>>
}

/** Reads the subscriptions of all customers whose items have no subscription id. */
export const read = (
  store: Store,
  items: ReadonlyArray<EventItem>
): Effect.Effect<Subscriptions, LedgerError.LedgerUnavailable> => {
  const customers = new Set(
    items.flatMap(({ customer, subscription }) =>
      subscription === undefined && customer !== undefined ? [customer] : []
    )
  )
  return customers.size === 0
    ? Effect.succeed({ products: [], byCustomer: new Map() })
    : store.snapshot((tables) =>
        Effect.all({
          products: tables.products,
          byCustomer: Effect.map(
            Effect.forEach(customers, (customer) =>
              Effect.map(tables.subscriptions({ customer }), (rows) => [customer, rows] as const)
            ),
            (entries) => new Map(entries)
          )
        })
      )
}

/** Returns the id of the subscription, or the reason why it cannot be determined. */
export const find = (
  { byCustomer, products }: Subscriptions,
  { at, customer = "", dimension, licenseArn, productCode, subscription }: EventItem
): Either.Either<string, string> => {
  if (subscription !== undefined) {
    return licenseArn === undefined && productCode === undefined
      ? Either.right(subscription)
      : Either.left("subscription: give it, or licenseArn and productCode with a customer")
  }
  const time = DateTime.toEpochMillis(at)
  const hasDimension = (row: SubscriptionRow) =>
    products.find(({ product }) => product === row.product)?.dimensions[dimension] !== undefined
  const matching = (byCustomer.get(customer) ?? []).filter(
    (row) =>
      (licenseArn === undefined ||
        (row.licenseArn !== undefined && isSameLicense(row.licenseArn, licenseArn))) &&
      (productCode === undefined || row.productCode === productCode) &&
      hasDimension(row)
  )
  const lineages = (rows: ReadonlyArray<SubscriptionRow>) =>
    new Set(rows.map(({ lineage }) => lineage)).size
  const active = matching.filter(
    (row) => row.from <= time && time < Math.min(row.closingAt ?? Infinity, row.until ?? Infinity)
  )
  // if none is active at the time, the ledger rejects the usage with the reason
  const [found, ...others] = active.length > 0 ? active : matching
  if (found === undefined) {
    return Either.left(
      `the customer ${customer} has no subscription with ${dimension}${productCode === undefined && licenseArn === undefined ? "" : " of this product or license"}: add it by ledger subscribe`
    )
  }
  return lineages([found, ...others]) === 1
    ? Either.right(found.id)
    : Either.left(
        `the customer ${customer} has several subscriptions with ${dimension}: name one in a column subscription, licenseArn or productCode`
      )
}
