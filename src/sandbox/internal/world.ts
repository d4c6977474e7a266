/** What the state machine looks things up in. */
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import type { Agreement, Caller, Customer, Product, Scenario } from "../Scenario.js"

/** A licence: one customer's agreement for one product. */
export interface Licence {
  readonly customerAWSAccountId: string
  readonly productCode: string
}

export interface World {
  readonly region: string
  readonly products: HashMap.HashMap<string, Product>
  /** By account. */
  readonly customers: HashMap.HashMap<string, Customer>
  /** Accounts by legacy identifier. */
  readonly accounts: HashMap.HashMap<string, string>
  /** By ARN. */
  readonly licences: HashMap.HashMap<string, Licence>
  readonly caller: Caller
}

/** The world of a scenario. What is inconsistent in it is said by `faultOf`. */
export const worldOf = (scenario: Scenario): World => {
  const { caller, customers, products, region } = scenario
  const [first] = customers
  return {
    region,
    products: HashMap.fromIterable(products.map((product) => [product.code, product])),
    customers: HashMap.fromIterable(
      customers.map((customer) => [customer.customerAWSAccountId, customer])
    ),
    accounts: HashMap.fromIterable(
      customers.flatMap(({ customerAWSAccountId, customerIdentifier }) =>
        customerIdentifier === undefined
          ? []
          : [[customerIdentifier, customerAWSAccountId] as const]
      )
    ),
    licences: HashMap.fromIterable(licencesOf(customers)),
    caller: caller ?? {
      customerAWSAccountId: first?.customerAWSAccountId ?? "",
      instanceId: "i-0123456789abcdef0"
    }
  }
}

const licencesOf = (
  customers: ReadonlyArray<Customer>
): ReadonlyArray<readonly [string, Licence]> =>
  customers.flatMap(({ agreements, customerAWSAccountId }) =>
    agreements.flatMap(({ licenseArn, productCode }) =>
      licenseArn === undefined ? [] : [[licenseArn, { customerAWSAccountId, productCode }] as const]
    )
  )

/** The first inconsistency of a scenario, if it has one. */
export const faultOf = ({ caller, customers, products }: Scenario): string | undefined => {
  const codes = products.map(({ code }) => code)
  const accounts = customers.map((customer) => customer.customerAWSAccountId)
  const identifiers = customers.flatMap((customer) => customer.customerIdentifier ?? [])
  const arns = licencesOf(customers).map(([arn]) => arn)
  const unique = [
    ["product", codes],
    ["customer account", accounts],
    ["customer identifier", identifiers],
    ["licence", arns]
  ] as const
  for (const [what, names] of unique) {
    const seen = new Set<string>()
    const twice = names.find((name) => seen.size === seen.add(name).size)
    if (twice !== undefined) return `The scenario has the ${what} ${twice} twice.`
  }
  for (const { agreements, customerAWSAccountId } of customers) {
    const unknown = agreements.find(({ productCode }) => !codes.includes(productCode))
    if (unknown !== undefined) {
      return `Customer ${customerAWSAccountId} has an agreement for ${unknown.productCode}, which is not a product of the scenario.`
    }
  }
  return caller === undefined || accounts.includes(caller.customerAWSAccountId)
    ? undefined
    : `The caller ${caller.customerAWSAccountId} is not a customer of the scenario.`
}

export const productOf = (world: World, code: string): Product | undefined =>
  Option.getOrUndefined(HashMap.get(world.products, code))

export const isInRegion = (world: World, product: Product): boolean =>
  product.region === undefined || product.region === world.region

/** Who is meant by the one identity that a record carries. */
export const customerOf = (
  world: World,
  identity: {
    readonly customerAWSAccountId?: string | undefined
    readonly customerIdentifier?: string | undefined
  }
): Customer | undefined => {
  const account =
    identity.customerAWSAccountId ??
    (identity.customerIdentifier === undefined
      ? undefined
      : Option.getOrUndefined(HashMap.get(world.accounts, identity.customerIdentifier)))
  return account === undefined
    ? undefined
    : Option.getOrUndefined(HashMap.get(world.customers, account))
}

export const agreementOf = (
  customer: Customer | undefined,
  productCode: string
): Agreement | undefined =>
  customer?.agreements.find((agreement) => agreement.productCode === productCode)

export const licenceOf = (world: World, arn: string | undefined): Licence | undefined =>
  arn === undefined ? undefined : Option.getOrUndefined(HashMap.get(world.licences, arn))
