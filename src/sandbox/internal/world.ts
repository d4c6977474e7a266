/** What the state machine looks things up in. */
import { constTrue } from "effect/Function"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Agreement, Caller, Customer, Product, Scenario } from "../Scenario.js"
import { hour, hourOf } from "./window.js"

export interface World {
  readonly region: string
  readonly products: HashMap.HashMap<string, Product>
  /** By account. */
  readonly customers: HashMap.HashMap<string, Customer>
  /** Accounts by legacy identifier. */
  readonly accounts: HashMap.HashMap<string, string>
  /** Accounts by the ARN of a licence of theirs. */
  readonly licences: HashMap.HashMap<string, string>
  readonly caller: Caller
}

/** The world of a scenario that is consistent in itself. */
export const worldOf = ({ caller, customers, products, region }: Scenario): World => {
  const [first] = customers
  const empty: World = {
    region,
    products: HashMap.fromIterable(products.map((product) => [product.code, product])),
    customers: HashMap.empty(),
    accounts: HashMap.empty(),
    licences: HashMap.empty(),
    caller: caller ?? {
      customerAWSAccountId: first?.customerAWSAccountId ?? "",
      instanceId: "i-0123456789abcdef0"
    }
  }
  return customers.reduce(withCustomer, empty)
}

/** The world in which this customer is as told. What it was before is forgotten. */
export const withCustomer = (world: World, customer: Customer): World => {
  const { agreements, customerAWSAccountId, customerIdentifier } = customer
  const arns = agreements.flatMap(({ licenseArn }) => licenseArn ?? [])
  const before = lookUp(world.customers, customerAWSAccountId)?.customerIdentifier
  const others = before === undefined ? world.accounts : HashMap.remove(world.accounts, before)
  return {
    ...world,
    customers: HashMap.set(world.customers, customerAWSAccountId, customer),
    accounts:
      customerIdentifier === undefined
        ? others
        : HashMap.set(others, customerIdentifier, customerAWSAccountId),
    licences: arns.reduce(
      (licences, arn) => HashMap.set(licences, arn, customerAWSAccountId),
      world.licences
    )
  }
}

const lookUp = <Value>(map: HashMap.HashMap<string, Value>, key: string | undefined) =>
  key === undefined ? undefined : Option.getOrUndefined(HashMap.get(map, key))

export const productOf = (world: World, code: string): Product | undefined =>
  lookUp(world.products, code)

export const isInRegion = ({ region }: Pick<World, "region">, product: Product): boolean =>
  product.region === undefined || product.region === region

/** A customer by either of its identities. */
export interface Identity {
  readonly customerAWSAccountId?: string | undefined
  readonly customerIdentifier?: string | undefined
}

export const customerOf = (
  world: World,
  { customerAWSAccountId, customerIdentifier }: Identity
): Customer | undefined =>
  lookUp(world.customers, customerAWSAccountId ?? lookUp(world.accounts, customerIdentifier))

/** A licence's agreement, and whose it is. */
export const licenceOf = (
  world: World,
  arn: string | undefined
): { readonly customer: Customer; readonly agreement: Agreement } | undefined => {
  const customer = lookUp(world.customers, lookUp(world.licences, arn))
  const agreement = customer?.agreements.find(({ licenseArn }) => licenseArn === arn)
  return customer && agreement && { customer, agreement }
}

/** True if an agreement ends before it begins. */
export const isReversed = ({ endsAt, startsAt }: Pick<Agreement, "startsAt" | "endsAt">): boolean =>
  startsAt !== undefined && endsAt !== undefined && endsAt.epochMillis < startsAt.epochMillis

/** After a cancellation, the last usage is taken for so long. */
const lastUsage = hour

/** Where an agreement stands in its life. */
export const stageOf = (
  { cancelledAt, endsAt, startsAt }: Agreement,
  now: number
): "pending" | "active" | "cancelled" | "ended" => {
  if (endsAt !== undefined && endsAt.epochMillis <= now) return "ended"
  if (cancelledAt !== undefined && cancelledAt.epochMillis <= now) {
    const neverBegan = startsAt !== undefined && cancelledAt.epochMillis < startsAt.epochMillis
    return neverBegan || now >= cancelledAt.epochMillis + lastUsage ? "ended" : "cancelled"
  }
  return startsAt !== undefined && startsAt.epochMillis > now ? "pending" : "active"
}

/** Whether usage is taken under an agreement now. */
export const takesUsage = (agreement: Agreement, now: number): boolean => {
  const stage = stageOf(agreement, now)
  return stage === "active" || stage === "cancelled"
}

/** True if an agreement holds at the time of usage, or, by the hour, in a part of its hour. */
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

/** True if a customer may use a product now. */
export const isSubscribed = (
  customer: Customer | undefined,
  productCode: string,
  now: number,
  isMeant: (agreement: Agreement) => boolean = constTrue
): boolean =>
  customer !== undefined &&
  customer.suspended !== true &&
  customer.agreements.some(
    (agreement) =>
      agreement.productCode === productCode && takesUsage(agreement, now) && isMeant(agreement)
  )
