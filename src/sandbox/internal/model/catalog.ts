/** Products, customers and licenses, indexed for lookup. */
import { constTrue } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Agreement, Caller, Customer, Product, Scenario } from "../scenario/models.js"
import { hourOf, millisPerHour } from "./acceptanceWindow.js"

export interface Catalog {
  readonly region: string
  readonly products: HashMap.HashMap<string, Product>
  /** By AWS account. */
  readonly customers: HashMap.HashMap<string, Customer>
  /** Accounts by customer identifier. */
  readonly accounts: HashMap.HashMap<string, string>
  /** Accounts by license ARN. */
  readonly licenses: HashMap.HashMap<string, string>
  readonly caller: Caller
}

/** Makes the catalog of a scenario, which must be valid. */
export const catalogOf = ({ caller, customers, products, region }: Scenario): Catalog => {
  const [first] = customers
  const empty: Catalog = {
    region,
    products: HashMap.fromIterable(products.map((product) => [product.code, product])),
    customers: HashMap.empty(),
    accounts: HashMap.empty(),
    licenses: HashMap.empty(),
    caller: caller ?? {
      customerAWSAccountId: first?.customerAWSAccountId ?? "",
      instanceId: "i-0123456789abcdef0"
    }
  }
  return customers.reduce(withCustomer, empty)
}

/** Adds a customer, or replaces the customer with the same account. */
export const withCustomer = (catalog: Catalog, customer: Customer): Catalog => {
  const { agreements, customerAWSAccountId, customerIdentifier } = customer
  const arns = agreements.flatMap(({ licenseArn }) => licenseArn ?? [])
  const previousIdentifier = lookUp(catalog.customers, customerAWSAccountId)?.customerIdentifier
  const others =
    previousIdentifier === undefined
      ? catalog.accounts
      : HashMap.remove(catalog.accounts, previousIdentifier)
  return {
    ...catalog,
    customers: HashMap.set(catalog.customers, customerAWSAccountId, customer),
    accounts:
      customerIdentifier === undefined
        ? others
        : HashMap.set(others, customerIdentifier, customerAWSAccountId),
    licenses: arns.reduce(
      (licenses, arn) => HashMap.set(licenses, arn, customerAWSAccountId),
      catalog.licenses
    )
  }
}

const lookUp = <Value>(map: HashMap.HashMap<string, Value>, key: string | undefined) =>
  key === undefined ? undefined : Option.getOrUndefined(HashMap.get(map, key))

export const findProduct = (catalog: Catalog, code: string): Product | undefined =>
  lookUp(catalog.products, code)

export const isInRegion = ({ region }: Pick<Catalog, "region">, product: Product): boolean =>
  product.region === undefined || product.region === region

/** Identifies a customer by account or by legacy identifier. `findCustomer` prefers the account. */
export interface Identity {
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
}

export const findCustomer = (
  catalog: Catalog,
  { customerAWSAccountId, customerIdentifier }: Identity
): Customer | undefined =>
  lookUp(catalog.customers, customerAWSAccountId ?? lookUp(catalog.accounts, customerIdentifier))

/** Returns the agreement and the customer of a license ARN, or `undefined`. */
export const findLicense = (
  catalog: Catalog,
  arn: string | undefined
): { readonly customer: Customer; readonly agreement: Agreement } | undefined => {
  const customer = lookUp(catalog.customers, lookUp(catalog.licenses, arn))
  const agreement = customer?.agreements.find(({ licenseArn }) => licenseArn === arn)
  return customer && agreement && { customer, agreement }
}

/** Returns true if an agreement ends before it starts. */
export const isInverted = ({ endsAt, startsAt }: Pick<Agreement, "startsAt" | "endsAt">): boolean =>
  startsAt !== undefined && endsAt !== undefined && endsAt.epochMillis < startsAt.epochMillis

/** Time in milliseconds that usage is accepted after the end or the deprovisioning of an agreement. */
const gracePeriod = millisPerHour

export const statusOf = (
  { cancelledAt, deprovisionedAt, endsAt, failedAt, startsAt }: Agreement,
  now: number
): "pending" | "active" | "ending" | "ended" | "failed" => {
  if (failedAt !== undefined && failedAt.epochMillis <= now) return "failed"
  const endedAt = Math.min(
    cancelledAt?.epochMillis ?? Number.POSITIVE_INFINITY,
    endsAt?.epochMillis ?? Number.POSITIVE_INFINITY
  )
  if (endedAt <= now) {
    const neverBegan = startsAt !== undefined && endedAt < startsAt.epochMillis
    const finalHour = Math.max(endedAt, deprovisionedAt?.epochMillis ?? endedAt)
    return neverBegan || now >= finalHour + gracePeriod ? "ended" : "ending"
  }
  return startsAt !== undefined && startsAt.epochMillis > now ? "pending" : "active"
}

export const acceptsUsage = (agreement: Agreement, now: number): boolean => {
  const status = statusOf(agreement, now)
  return status === "active" || status === "ending"
}

/** Returns true if an agreement covers usage at `timestamp`. `hour` rounds the start of the agreement down to the hour. */
export const covers = (
  { endsAt, startsAt }: Agreement,
  timestamp: number,
  boundary: "exact" | "hour"
): boolean => {
  const from = startsAt?.epochMillis ?? Number.NEGATIVE_INFINITY
  return (
    timestamp >= (boundary === "hour" ? hourOf(from) : from) &&
    timestamp < (endsAt?.epochMillis ?? Number.POSITIVE_INFINITY)
  )
}

/** Returns true if a customer is not suspended and has an agreement for the product that accepts usage now and `matches`. */
export const isSubscribed = (
  customer: Customer | undefined,
  productCode: string,
  now: number,
  matches: (agreement: Agreement) => boolean = constTrue
): boolean =>
  customer !== undefined &&
  customer.suspended !== true &&
  customer.agreements.some(
    (agreement) =>
      agreement.productCode === productCode && acceptsUsage(agreement, now) && matches(agreement)
  )
