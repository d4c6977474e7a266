/** The actions of buyers on AWS Marketplace: each gives a result and the next state, or a message. */

import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import * as Schema from "effect/Schema"
import type * as Marketplace from "../../Marketplace.js"
import { Agreement, type Customer } from "../../Scenario.js"
import { findCustomer, findProduct, isInverted, statusOf } from "../model/catalog.js"
import { sha256HexSync } from "../model/hash.js"
import { capacityError, change, type State } from "../model/state.js"
import { keyOf } from "../operations/recordUsage.js"
import { unknownDimensionsOf } from "../scenario/validateScenario.js"
import { customers } from "./report.js"

type UpdateResult<A> = Either.Either<readonly [A, State], string>

/** Mints a registration token for an agreement, preferably one that has not ended. */
export const mintToken = (
  state: State,
  selector: Marketplace.AgreementSelector,
  now: number
): UpdateResult<string> =>
  Either.gen(function* () {
    const capacityReached = capacityError(state)
    if (capacityReached !== undefined) return yield* Either.left(capacityReached)
    const customer = yield* findBySelector(state, selector)
    const matching = customer.agreements.filter(matchesSelector(selector))
    const agreement = matching.find((one) => statusOf(one, now) !== "ended") ?? matching[0]
    if (agreement === undefined) return yield* Either.left(noAgreementMessage(customer, selector))
    const { customerAWSAccountId, customerIdentifier } = customer
    const { licenseArn, productCode } = agreement
    const count = HashMap.size(state.tokens)
    const key = `sandbox-${sha256HexSync(keyOf(count, customerAWSAccountId, productCode))}`
    const token = {
      mintedAt: now,
      customerAWSAccountId,
      customerIdentifier,
      productCode,
      licenseArn
    }
    return [key, change(state, { _tag: "Token", key, token })] as const
  })

export const addCustomer = (
  state: State,
  customer: Marketplace.NewCustomer
): UpdateResult<Customer> => {
  const { agreements = [], customerAWSAccountId, customerIdentifier } = customer
  const existing = findCustomer(state.catalog, { customerAWSAccountId })
  const identifierOwner = findCustomer(state.catalog, { customerIdentifier })
  if (identifierOwner !== undefined && identifierOwner !== existing) {
    return Either.left(
      `The customer identifier ${customerIdentifier} is ${identifierOwner.customerAWSAccountId}'s.`
    )
  }
  const currentIdentifier = existing?.customerIdentifier
  if (
    currentIdentifier !== undefined &&
    customerIdentifier !== undefined &&
    currentIdentifier !== customerIdentifier
  ) {
    return Either.left(
      `Customer ${customerAWSAccountId} has the customer identifier ${currentIdentifier}.`
    )
  }
  const currentAgreements = existing?.agreements ?? []
  const added = agreements.filter(
    (agreement) => !currentAgreements.some((one) => isSameAgreement(one, agreement))
  )
  const inverted = added.find(isInverted)
  if (inverted !== undefined) return Either.left(invertedPeriodMessage(inverted.productCode))
  const unknown = added.find(({ productCode }) => !findProduct(state.catalog, productCode))
  if (unknown !== undefined) return Either.left(unknownProductMessage(unknown.productCode))
  const products = [...HashMap.values(state.catalog.products)]
  for (const agreement of added) {
    const [dimension] = unknownDimensionsOf(agreement, products)
    if (dimension !== undefined) {
      return Either.left(unknownDimensionMessage(dimension, agreement.productCode))
    }
  }
  const duplicate = added.find(
    ({ licenseArn }, index) =>
      hasLicense(state, licenseArn) ||
      (licenseArn !== undefined &&
        added.findIndex((other) => other.licenseArn === licenseArn) < index)
  )
  if (duplicate !== undefined) return Either.left(`The license ${duplicate.licenseArn} is taken.`)
  return updateCustomer(state, {
    ...existing,
    customerAWSAccountId,
    ...(customerIdentifier !== undefined && { customerIdentifier }),
    agreements: [...currentAgreements, ...added]
  })
}

const isSameAgreement = Schema.equivalence(Agreement)

export const subscribe = (
  state: State,
  subscription: Marketplace.Subscription,
  now: number
): UpdateResult<Agreement> =>
  Either.gen(function* () {
    const { customerAWSAccountId, customerIdentifier, endsAt, entitlements, productCode } =
      subscription
    const { startsAt = DateTime.unsafeMake(now) } = subscription
    if (isInverted({ startsAt, endsAt }))
      return yield* Either.left(invertedPeriodMessage(productCode))
    const customer = yield* findBySelector(state, { customerAWSAccountId, customerIdentifier })
    const product = findProduct(state.catalog, productCode)
    if (product === undefined) return yield* Either.left(unknownProductMessage(productCode))
    const [unknownDimension] = unknownDimensionsOf({ entitlements, productCode }, [product])
    if (unknownDimension !== undefined) {
      return yield* Either.left(unknownDimensionMessage(unknownDimension, productCode))
    }
    const { agreements, customerAWSAccountId: account } = customer
    const { licenseArn = licenseArnFor(account, productCode, agreements.length) } = subscription
    if (licenseArn !== null && hasLicense(state, licenseArn)) {
      return yield* Either.left(`The license ${licenseArn} is taken.`)
    }
    const agreement: Agreement = {
      productCode,
      ...(licenseArn !== null && { licenseArn }),
      startsAt,
      ...(endsAt !== undefined && { endsAt }),
      ...(entitlements !== undefined && { entitlements })
    }
    const [, next] = yield* updateCustomer(state, {
      ...customer,
      agreements: [...agreements, agreement]
    })
    return [agreement, next] as const
  })

/** Cancels agreements. Usage is accepted for 1 more hour. */
export const cancel = (
  state: State,
  selector: Marketplace.AgreementSelector,
  now: number
): UpdateResult<Customer> =>
  Either.gen(function* () {
    const customer = yield* findBySelector(state, selector)
    const isCancellable = (agreement: Agreement) =>
      matchesSelector(selector)(agreement) &&
      agreement.cancelledAt === undefined &&
      statusOf(agreement, now) !== "ended"
    if (!customer.agreements.some(isCancellable))
      return yield* Either.left(noAgreementMessage(customer, selector))
    const cancelledAt = DateTime.unsafeMake(now)
    return yield* updateCustomer(state, {
      ...customer,
      agreements: customer.agreements.map((agreement) =>
        isCancellable(agreement) ? { ...agreement, cancelledAt } : agreement
      )
    })
  })

export const suspend = (
  state: State,
  selector: Marketplace.CustomerSelector,
  suspended: boolean
): UpdateResult<Customer> =>
  Either.flatMap(findBySelector(state, selector), (customer) =>
    updateCustomer(state, { ...customer, suspended })
  )

const updateCustomer = (
  state: State,
  customer: Customer
): Either.Either<readonly [Customer, State]> =>
  Either.right([customer, change(state, { _tag: "Customer", customer })])

/** Finds a customer by identity, or else the first with a matching agreement, those of the scenario before others. */
const findBySelector = (
  state: State,
  selector: Marketplace.AgreementSelector
): Either.Either<Customer, string> => {
  const { customerAWSAccountId, customerIdentifier } = selector
  const identity = customerAWSAccountId ?? customerIdentifier
  if (
    customerAWSAccountId !== undefined &&
    customerIdentifier !== undefined &&
    findCustomer(state.catalog, { customerIdentifier })?.customerAWSAccountId !==
      customerAWSAccountId
  ) {
    return Either.left(
      `There is no customer ${customerAWSAccountId} with the identifier ${customerIdentifier} in the sandbox.`
    )
  }
  const customer =
    identity !== undefined
      ? findCustomer(state.catalog, selector)
      : [...state.origin.scenario.customers, ...customers(state)]
          .map(({ customerAWSAccountId }) => findCustomer(state.catalog, { customerAWSAccountId }))
          .find((customer) => customer?.agreements.some(matchesSelector(selector)))
  return customer === undefined
    ? Either.left(`There is no customer ${identity ?? "with such an agreement"} in the sandbox.`)
    : Either.right(customer)
}

const matchesSelector =
  ({ licenseArn, productCode }: Marketplace.AgreementSelector) =>
  (agreement: Agreement): boolean =>
    (licenseArn === undefined || agreement.licenseArn === licenseArn) &&
    (productCode === undefined || agreement.productCode === productCode)

const hasLicense = (state: State, licenseArn: string | undefined): boolean =>
  licenseArn !== undefined && HashMap.has(state.catalog.licenses, licenseArn)

const licenseArnFor = (account: string, productCode: string, count: number): string =>
  `arn:aws:license-manager::${account}:license:l-${sha256HexSync(keyOf(account, productCode, count)).slice(0, 32)}`

const invertedPeriodMessage = (productCode: string) =>
  `The agreement for ${productCode} ends before it begins: endsAt must be later than startsAt, which defaults to now.`

const unknownProductMessage = (productCode: string) =>
  `There is no product ${productCode} in the sandbox.`

const unknownDimensionMessage = (dimension: string, productCode: string) =>
  `${dimension} is not a dimension of ${productCode}: entitlements are to one of its dimensions or contractDimensions.`

const noAgreementMessage = (
  { customerAWSAccountId }: Customer,
  selector: Marketplace.AgreementSelector
) =>
  `Customer ${customerAWSAccountId} has no agreement for ${selector.licenseArn ?? selector.productCode ?? "any product"}.`
