/** The fields that events about an agreement have in common. */
import * as DateTime from "effect/DateTime"
import type { Product } from "../scenario/models.js"
import { agreementIdOf, idText, type LocatedAgreement, offerIdOf } from "./agreement.js"
import { keyOf, uuidOf } from "./hash.js"
import { productIdOf } from "./product.js"

export interface EventContext {
  readonly seller: string
  readonly product: Product
  readonly located: LocatedAgreement
  /** Epoch milliseconds of the sandbox's clock. */
  readonly at: number
  /** Unique within the sandbox. */
  readonly number: number
}

/** The id depends on the time, so that an event after a reset does not have the id of an event before it. */
const idOf = ({ at, located, number }: EventContext): string =>
  uuidOf(keyOf("event", agreementIdOf(located), number, at))

/** Returns `undefined` for a customer without a legacy identifier, because SNS messages identify the customer by it. */
export const snsFields = (context: EventContext) => {
  const { customerIdentifier } = context.located.customer
  return (
    customerIdentifier && {
      id: idOf(context),
      time: DateTime.unsafeMake(context.at),
      customerIdentifier,
      productCode: context.product.code
    }
  )
}

export const subscriptionFields = (context: EventContext) => {
  const fields = snsFields(context)
  return (
    fields && {
      ...fields,
      offerIdentifier: offerIdOf(context.located),
      isFreeTrialTermPresent: context.located.agreement.freeTrial === true
    }
  )
}

export const envelopeFields = (context: EventContext) => ({
  id: idOf(context),
  time: DateTime.unsafeMake(context.at),
  account: context.seller,
  region: "us-east-1",
  resources: [`arn:aws:aws-marketplace::aws:agreement:${agreementIdOf(context.located)}`]
})

export const detailFields = (context: EventContext) => {
  const { located, seller } = context
  return {
    requestId: uuidOf(keyOf("request", idOf(context))),
    catalog: "AWSMarketplace",
    acceptor: { accountId: located.customer.customerAWSAccountId },
    proposer: { accountId: located.agreement.reseller ?? seller }
  }
}

/** The seller's role. In an offer of a channel partner, the partner is the proposer and the seller is the manufacturer. */
export const roleOf = ({ located }: EventContext) =>
  located.agreement.reseller === undefined ? "Proposer" : "Manufacturer"

export const resaleAuthorizationOf = ({ located, product }: EventContext) => {
  const { reseller } = located.agreement
  return {
    id: reseller === undefined ? null : `resaleauthz-${idText(13, reseller, product.code)}`
  }
}

/** The `endTime` of an agreement without an end, as observed. */
const endOfTime = DateTime.unsafeMake("9999-01-01T00:00:00Z")

export const termsOf = ({ at, located }: EventContext) => {
  const { acceptedAt, endsAt = endOfTime, startsAt = DateTime.unsafeMake(at) } = located.agreement
  return {
    // the acceptance is never after the event, because an offer is accepted before its agreement starts
    acceptanceTime: DateTime.min(acceptedAt ?? startsAt, DateTime.unsafeMake(at)),
    startTime: DateTime.min(startsAt, endOfTime),
    endTime: DateTime.min(endsAt, endOfTime)
  }
}

export const licenseFields = (context: EventContext) => {
  const { located, product } = context
  const { licenseArn } = located.agreement
  return (
    licenseArn && {
      ...envelopeFields(context),
      ...detailFields(context),
      role: "Manufacturer" as const,
      agreement: { id: agreementIdOf(located) },
      product: { code: product.code, id: productIdOf(product) },
      license: { arn: licenseArn },
      offer: { id: offerIdOf(located) }
    }
  )
}
