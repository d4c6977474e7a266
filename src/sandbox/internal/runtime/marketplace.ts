/** The actions of buyers on AWS Marketplace. Each returns a result and the next state, or an error message. */

import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import * as HashMap from "effect/HashMap"
import { isNotUndefined } from "effect/Predicate"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import type * as Marketplace from "../../Marketplace.js"
import { Agreement, type Customer } from "../../Scenario.js"
import {
  agreementIdOf,
  agreementsOf,
  isPossible,
  type LocatedAgreement
} from "../model/agreement.js"
import * as agreementEvents from "../model/agreementEvents.js"
import { findCustomer, isInverted, statusOf } from "../model/catalog.js"
import { keyOf, sha256HexSync } from "../model/hash.js"
import { agreementTime } from "../model/milestones.js"
import { capacityError, change, type State } from "../model/state.js"
import { licenseArnOf } from "../scenario/licenseArn.js"
import { unknownDimensionsOf } from "../scenario/validateScenario.js"
import { customers } from "./report.js"
import { findByCode, findBySelector, matchesSelector, noAgreementMessage } from "./selection.js"

/** The result of an action and the next state, or an error message. */
export type UpdateResult<A> = Either.Either<readonly [A, State], string>

/** A registration token, and the agreement that it is for. */
export interface MintedToken {
  readonly token: string
  readonly located: LocatedAgreement
}

/** Mints a token for the first selected agreement that is active or pending, or else in its last hour, or else in any state. */
export const mintToken = (
  state: State,
  selector: Marketplace.AgreementSelector,
  now: number
): UpdateResult<MintedToken> =>
  Either.gen(function* () {
    const capacityReached = capacityError(state)
    if (capacityReached !== undefined) return yield* Either.left(capacityReached)
    const customer = yield* findBySelector(state, selector)
    const matching = agreementsOf(customer).filter(matchesSelector(selector))
    const findIn = (...states: ReadonlyArray<ReturnType<typeof statusOf>>) =>
      matching.find((located) =>
        states.includes(statusOf(located.agreement, agreementTime(state.announced, located, now)))
      )
    const located = findIn("active", "pending") ?? findIn("ending") ?? matching[0]
    if (located === undefined) return yield* Either.left(noAgreementMessage(customer, selector))
    const { customerAWSAccountId, customerIdentifier } = customer
    const { licenseArn, productCode } = located.agreement
    const count = HashMap.size(state.tokens)
    const token = `sandbox-${sha256HexSync(keyOf(count, customerAWSAccountId, productCode))}`
    const issued = {
      mintedAt: now,
      customerAWSAccountId,
      customerIdentifier,
      productCode,
      licenseArn,
      agreementId: agreementIdOf(located)
    }
    const next = change(state, { _tag: "Token", key: token, token: issued })
    return [{ token, located }, next] as const
  })

/** Adds a customer. Schedules only future events, because its agreements count as made in the past. */
export const addCustomer = (
  state: State,
  customer: Marketplace.NewCustomer,
  now: number
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
  const known = Either.all(added.map(({ productCode }) => findByCode(state, productCode)))
  if (Either.isLeft(known)) return Either.left(known.left)
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
  const knownIds = new Set(customers(state).flatMap(agreementsOf).map(agreementIdOf))
  const duplicateId = added.find(
    ({ agreementId }, index) =>
      agreementId !== undefined &&
      (knownIds.has(agreementId) ||
        added.findIndex((other) => other.agreementId === agreementId) < index)
  )
  if (duplicateId !== undefined) {
    return Either.left(`The agreement id ${duplicateId.agreementId} is taken.`)
  }
  return Either.map(
    updateCustomer(state, {
      ...existing,
      customerAWSAccountId,
      ...(customerIdentifier !== undefined && { customerIdentifier }),
      agreements: [...currentAgreements, ...added]
    }),
    ([updated, next]) => [
      updated,
      agreementsOf(updated)
        .slice(currentAgreements.length)
        .reduce((state, located) => agreementEvents.scheduleMilestones(state, located, now), next)
    ]
  )
}

const isSameAgreement = Schema.equivalence(Agreement)

export const subscribe = (
  state: State,
  { customerAWSAccountId, customerIdentifier, ...terms }: Marketplace.Subscription,
  now: number
): UpdateResult<Agreement> =>
  Either.gen(function* () {
    const customer = yield* findBySelector(state, { customerAWSAccountId, customerIdentifier })
    const [located, next] = yield* addAgreement(state, customer, terms, now)
    return [located.agreement, next] as const
  })

/** The terms of a new agreement. `licenseArn` is `null` for none. Defaults to a new license. */
export interface Terms extends Omit<Agreement, "licenseArn"> {
  readonly licenseArn?: string | null | undefined
}

/** Adds an agreement. `startsAt` defaults to now. */
export const addAgreement = (
  state: State,
  customer: Customer,
  { licenseArn: givenLicense, startsAt: givenStart, ...terms }: Terms,
  now: number
): UpdateResult<LocatedAgreement> =>
  Either.gen(function* () {
    const { endsAt, productCode } = terms
    const startsAt = givenStart ?? DateTime.unsafeMake(now)
    if (isInverted({ startsAt, endsAt })) {
      return yield* Either.left(invertedPeriodMessage(productCode))
    }
    const product = yield* findByCode(state, productCode)
    const [unknownDimension] = unknownDimensionsOf(terms, [product])
    if (unknownDimension !== undefined) {
      return yield* Either.left(unknownDimensionMessage(unknownDimension, productCode))
    }
    const licenseArn =
      givenLicense === undefined ? newLicenseArn(customer, productCode, now) : givenLicense
    if (licenseArn !== null && hasLicense(state, licenseArn)) {
      return yield* Either.left(`The license ${licenseArn} is taken.`)
    }
    const agreement: Agreement = {
      productCode,
      ...(licenseArn !== null && { licenseArn }),
      startsAt,
      // the cast is safe, because only undefined is removed
      ...(Record.filter<string, unknown>({ ...terms }, isNotUndefined) as Partial<Agreement>)
    }
    const [updated, next] = yield* updateCustomer(state, {
      ...customer,
      agreements: [...customer.agreements, agreement]
    })
    const located = { customer: updated, index: customer.agreements.length, agreement }
    return [located, agreementEvents.created(next, located, now)] as const
  })

/** Cancels the selected agreements that can be cancelled. Fails if there are none. */
export const cancel = (
  state: State,
  selector: Marketplace.AgreementSelector,
  now: number
): UpdateResult<Customer> =>
  Either.gen(function* () {
    const customer = yield* findBySelector(state, selector)
    const timeOf = (located: LocatedAgreement) => agreementTime(state.announced, located, now)
    const selected = agreementsOf(customer).filter(matchesSelector(selector))
    const cancelled = selected.filter((located) =>
      isPossible("cancel", located.agreement, timeOf(located))
    )
    if (cancelled.length === 0) return yield* Either.left(noAgreementMessage(customer, selector))
    const [updated, next] = yield* updateCustomer(state, {
      ...customer,
      agreements: customer.agreements.map((agreement, index) => {
        const located = cancelled.find((one) => one.index === index)
        return located === undefined
          ? agreement
          : { ...agreement, cancelledAt: DateTime.unsafeMake(timeOf(located)) }
      })
    })
    const all = agreementsOf(updated)
    const emitted = cancelled.reduce(
      (state, before) =>
        // the update has kept the index of each agreement
        agreementEvents.ended(state, all[before.index] ?? before, timeOf(before)),
      next
    )
    return [findCustomer(emitted.catalog, updated) ?? updated, emitted] as const
  })

export const suspend = (
  state: State,
  selector: Marketplace.CustomerSelector,
  suspended: boolean
): UpdateResult<Customer> =>
  Either.flatMap(findBySelector(state, selector), (customer) =>
    updateCustomer(state, { ...customer, suspended })
  )

export const updateCustomer = (
  state: State,
  customer: Customer
): Either.Either<readonly [Customer, State]> =>
  Either.right([customer, change(state, { _tag: "Customer", customer })])

const hasLicense = (state: State, licenseArn: string | undefined): boolean =>
  licenseArn !== undefined && HashMap.has(state.catalog.licenses, licenseArn)

/** Makes the ARN of a new license for the next agreement of a customer. Depends on `now`, so that it differs after a reset. */
export const newLicenseArn = (
  { agreements, customerAWSAccountId }: Customer,
  productCode: string,
  now: number
): string =>
  licenseArnOf(
    sha256HexSync(keyOf(customerAWSAccountId, productCode, agreements.length, now)).slice(0, 32)
  )

export const invertedPeriodMessage = (productCode: string) =>
  `The agreement for ${productCode} ends before it begins: endsAt must be later than startsAt, which defaults to now.`

export const unknownDimensionMessage = (dimension: string, productCode: string) =>
  `${dimension} is not a dimension of ${productCode}: entitlements are to one of its dimensions or contractDimensions.`
