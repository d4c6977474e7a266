/** Finds the customers and agreements that a request selects. */
import * as Either from "effect/Either"
import type * as Marketplace from "../../Marketplace.js"
import type { Customer, Product } from "../../Scenario.js"
import {
  agreementIdOf,
  agreementsOf,
  isPossible,
  type LocatedAgreement
} from "../model/agreement.js"
import { findCustomer, findProduct, statusOf } from "../model/catalog.js"
import { agreementTime } from "../model/milestones.js"
import type { State } from "../model/state.js"
import { customers } from "./report.js"

/** Finds a customer by identity. Defaults to the first customer with a matching agreement, beginning with those of the scenario. */
export const findBySelector = (
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
          .find(
            (customer) =>
              customer !== undefined && agreementsOf(customer).some(matchesSelector(selector))
          )
  return customer === undefined
    ? Either.left(`There is no customer ${identity ?? "with such an agreement"} in the sandbox.`)
    : Either.right(customer)
}

export const findByCode = (state: State, productCode: string): Either.Either<Product, string> =>
  Either.fromNullable(
    findProduct(state.catalog, productCode),
    () => `There is no product ${productCode} in the sandbox.`
  )

export const matchesSelector =
  ({ agreementId, licenseArn, productCode }: Marketplace.AgreementSelector) =>
  (located: LocatedAgreement): boolean => {
    const { agreement } = located
    return (
      (agreementId === undefined || agreementIdOf(located) === agreementId) &&
      (licenseArn === undefined || agreement.licenseArn === licenseArn) &&
      (productCode === undefined || agreement.productCode === productCode)
    )
  }

export const noAgreementMessage = (
  { customerAWSAccountId }: Customer,
  selector: Marketplace.AgreementSelector
) =>
  `Customer ${customerAWSAccountId} has no agreement for ${selector.agreementId ?? selector.licenseArn ?? selector.productCode ?? "any product"}.`

/** Finds the first selected agreement on which an operation is possible. The error describes the first selected agreement. */
export const findForOperation = (
  state: State,
  selector: Marketplace.AgreementSelector,
  operation: Marketplace.Operation,
  now: number
): Either.Either<LocatedAgreement, string> =>
  Either.flatMap(findBySelector(state, selector), (customer) => {
    const selected = agreementsOf(customer).filter(matchesSelector(selector))
    const [first] = selected
    if (first === undefined) return Either.left(noAgreementMessage(customer, selector))
    const timeOf = (located: LocatedAgreement) => agreementTime(state.announced, located, now)
    const found = selected.find((located) =>
      isPossible(operation, located.agreement, timeOf(located))
    )
    return found === undefined
      ? Either.left(impossibleMessage(first, operation, timeOf(first)))
      : Either.right(found)
  })

const impossibleMessage = (
  located: LocatedAgreement,
  operation: Marketplace.Operation,
  now: number
): string => {
  const { agreement } = located
  const state = statusOf(agreement, now)
  const condition =
    agreement.cancelledAt !== undefined && state === "active"
      ? "its end is already set by cancelledAt"
      : operation === "issueAdvisory" && state === "active"
        ? "it already has an advisory"
        : operation === "resolveAdvisory" && state === "active"
          ? "it has no advisory"
          : `it is ${state}`
  return `The operation ${operation} is not possible on ${agreementIdOf(located)}: ${condition}. GET /_sandbox/agreements lists the possible operations.`
}
