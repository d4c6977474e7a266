/** A seller with one product, its customers, and their usage. */
import { DateTime } from "effect"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import type { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import type { Usage } from "./usage.js"

export const region = "us-east-1"

/** Their records of three hours fit into one call. */
export const customers = ["201845637190", "318274650923", "427709183564", "539061842771"]

const dimensions = ["api-calls", "documents"]

/** The ledger's owner. A ledger for a sandbox is never used for AWS. */
export const seller = { seller: "acme", target: "sandbox" } as const

export const products: NonNullable<UsageLedger.Options["products"]> = {
  search: { region, productCode: "atlas-search", dimensions: { "api-calls": {}, documents: {} } }
}

const agreementOf = (customer: string) => `agreement-${customer}`

export const customerOf = (subscription: string) => subscription.slice("agreement-".length)

export const subscriptions = (from: DateTime.Utc): ReadonlyArray<UsageLedger.Subscription> =>
  customers.map((customerAWSAccountId) => ({
    id: agreementOf(customerAWSAccountId),
    product: "search",
    customerAWSAccountId,
    from
  }))

/** A service that knows the product, its customers and their agreements. */
export const scenario: MeteringSandbox.Options = {
  region,
  products: [{ code: "atlas-search", dimensions }],
  customers: customers.map((customerAWSAccountId) => ({
    customerAWSAccountId,
    agreements: [{ productCode: "atlas-search" }]
  }))
}

/** Usage of all customers and dimensions, in the hour of `last` and the two before it. The ids begin with a name. */
export const makeUsage = (name: string, last: DateTime.Utc, count: number): ReadonlyArray<Usage> =>
  Array.from({ length: count }, (_, i) => ({
    id: `${name}-${i}`,
    subscription: agreementOf(customers[i % 4] ?? ""),
    dimension: dimensions[Math.floor(i / 4) % 2] ?? "",
    quantity: 1 + (i % 7),
    at: DateTime.subtract(last, { hours: i % 3 })
  }))
