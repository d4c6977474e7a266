/** What a buyer's doings make of a state. Each is a new state, or why there is none. */

import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import type * as Marketplace from "../Marketplace.js"
import { Agreement, type Customer } from "../Scenario.js"
import { sha256Hex } from "./hash.js"
import { keyOf } from "./metered.js"
import { customers } from "./report.js"
import { change, fullness, type State } from "./state.js"
import { customerOf, isReversed, productOf, stageOf } from "./world.js"

type Outcome<A> = Either.Either<readonly [A, State], string>

/** A token as the marketplace would hand it to a buyer. */
export const mintToken = (state: State, which: Marketplace.Which, now: number): Outcome<string> =>
  Either.gen(function* () {
    const full = fullness(state)
    if (full !== undefined) return yield* Either.left(full)
    const customer = yield* find(state, which)
    const meant = customer.agreements.filter(isMeant(which))
    const agreement = meant.find((one) => stageOf(one, now) !== "ended") ?? meant[0]
    if (agreement === undefined) return yield* Either.left(noAgreement(customer, which))
    const { customerAWSAccountId, customerIdentifier } = customer
    const { licenseArn, productCode } = agreement
    const count = HashMap.size(state.tokens)
    const key = `sandbox-${sha256Hex(keyOf(count, customerAWSAccountId, productCode))}`
    const token = {
      mintedAt: now,
      customerAWSAccountId,
      customerIdentifier,
      productCode,
      licenseArn
    }
    return [key, change(state, { _tag: "Token", key, token })] as const
  })

export const addCustomer = (state: State, customer: Marketplace.NewCustomer): Outcome<Customer> => {
  const { agreements = [], customerAWSAccountId, customerIdentifier } = customer
  const known = customerOf(state.world, { customerAWSAccountId })
  const namesake = customerOf(state.world, { customerIdentifier })
  if (namesake !== undefined && namesake !== known) {
    return Either.left(
      `The customer identifier ${customerIdentifier} is ${namesake.customerAWSAccountId}'s.`
    )
  }
  const before = known?.customerIdentifier
  if (before !== undefined && customerIdentifier !== undefined && before !== customerIdentifier) {
    return Either.left(`Customer ${customerAWSAccountId} has the customer identifier ${before}.`)
  }
  const held = known?.agreements ?? []
  const added = agreements.filter((agreement) => !held.some((one) => isSame(one, agreement)))
  const backwards = added.find(isReversed)
  if (backwards !== undefined) return Either.left(reversed(backwards.productCode))
  const stranger = added.find(({ productCode }) => !productOf(state.world, productCode))
  if (stranger !== undefined) return Either.left(noProduct(stranger.productCode))
  const taken = added.find(
    ({ licenseArn }, index) =>
      hasLicence(state, licenseArn) ||
      (licenseArn !== undefined &&
        added.findIndex((other) => other.licenseArn === licenseArn) < index)
  )
  if (taken !== undefined) return Either.left(`The licence ${taken.licenseArn} is taken.`)
  return become(state, {
    ...known,
    customerAWSAccountId,
    ...(customerIdentifier !== undefined && { customerIdentifier }),
    agreements: [...held, ...added]
  })
}

const isSame = Schema.equivalence(Agreement)

export const subscribe = (
  state: State,
  subscription: Marketplace.Subscription,
  now: number
): Outcome<Agreement> =>
  Either.gen(function* () {
    const { customerAWSAccountId, customerIdentifier, endsAt, productCode } = subscription
    const { startsAt = DateTime.unsafeMake(now) } = subscription
    if (isReversed({ startsAt, endsAt })) return yield* Either.left(reversed(productCode))
    const customer = yield* find(state, { customerAWSAccountId, customerIdentifier })
    if (productOf(state.world, productCode) === undefined) {
      return yield* Either.left(noProduct(productCode))
    }
    const { agreements, customerAWSAccountId: account } = customer
    const { licenseArn = licenceFor(account, productCode, agreements.length) } = subscription
    if (licenseArn !== null && hasLicence(state, licenseArn)) {
      return yield* Either.left(`The licence ${licenseArn} is taken.`)
    }
    const agreement: Agreement = {
      productCode,
      ...(licenseArn !== null && { licenseArn }),
      startsAt,
      ...(endsAt !== undefined && { endsAt })
    }
    const [, next] = yield* become(state, { ...customer, agreements: [...agreements, agreement] })
    return [agreement, next] as const
  })

/** From now on, only the last usage is taken, for an hour. */
export const cancel = (state: State, which: Marketplace.Which, now: number): Outcome<Customer> =>
  Either.gen(function* () {
    const customer = yield* find(state, which)
    const isLive = (agreement: Agreement) =>
      isMeant(which)(agreement) &&
      agreement.cancelledAt === undefined &&
      stageOf(agreement, now) !== "ended"
    if (!customer.agreements.some(isLive)) return yield* Either.left(noAgreement(customer, which))
    const cancelledAt = DateTime.unsafeMake(now)
    return yield* become(state, {
      ...customer,
      agreements: customer.agreements.map((agreement) =>
        isLive(agreement) ? { ...agreement, cancelledAt } : agreement
      )
    })
  })

export const suspend = (
  state: State,
  who: Marketplace.Who,
  suspended: boolean
): Outcome<Customer> =>
  Either.flatMap(find(state, who), (customer) => become(state, { ...customer, suspended }))

const become = (state: State, customer: Customer): Either.Either<readonly [Customer, State]> =>
  Either.right([customer, change(state, { _tag: "Customer", customer })])

/** The first with such an agreement, unless there is a name; those of the scenario come before the others. */
const find = (state: State, who: Marketplace.Which): Either.Either<Customer, string> => {
  const { customerAWSAccountId, customerIdentifier } = who
  const name = customerAWSAccountId ?? customerIdentifier
  if (
    customerAWSAccountId !== undefined &&
    customerIdentifier !== undefined &&
    customerOf(state.world, { customerIdentifier })?.customerAWSAccountId !== customerAWSAccountId
  ) {
    return Either.left(
      `There is no customer ${customerAWSAccountId} with the identifier ${customerIdentifier} in the sandbox.`
    )
  }
  const customer =
    name !== undefined
      ? customerOf(state.world, who)
      : [...state.origin.scenario.customers, ...customers(state)]
          .map(({ customerAWSAccountId }) => customerOf(state.world, { customerAWSAccountId }))
          .find((customer) => customer?.agreements.some(isMeant(who)))
  return customer === undefined
    ? Either.left(`There is no customer ${name ?? "with such an agreement"} in the sandbox.`)
    : Either.right(customer)
}

const isMeant =
  ({ licenseArn, productCode }: Marketplace.Which) =>
  (agreement: Agreement): boolean =>
    (licenseArn === undefined || agreement.licenseArn === licenseArn) &&
    (productCode === undefined || agreement.productCode === productCode)

const hasLicence = (state: State, licenseArn: string | undefined): boolean =>
  licenseArn !== undefined && HashMap.has(state.world.licences, licenseArn)

const licenceFor = (account: string, productCode: string, count: number): string =>
  `arn:aws:license-manager::${account}:license:l-${sha256Hex(keyOf(account, productCode, count)).slice(0, 32)}`

const reversed = (productCode: string) =>
  `The agreement for ${productCode} ends before it begins: endsAt must be later than startsAt, which is now unless given.`

const noProduct = (productCode: string) => `There is no product ${productCode} in the sandbox.`

const noAgreement = ({ customerAWSAccountId }: Customer, which: Marketplace.Which) =>
  `Customer ${customerAWSAccountId} has no agreement for ${which.licenseArn ?? which.productCode ?? "any product"}.`
