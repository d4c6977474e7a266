/** The events that AWS Marketplace sends to the seller about an agreement. */
import * as DateTime from "effect/DateTime"
import { hasProperty } from "effect/Predicate"
import {
  AgreementAmended,
  AgreementCreated,
  AgreementEnded,
  AgreementNotice,
  EntitlementUpdated,
  encode,
  LicenseDeprovisioned,
  LicenseUpdated,
  type MarketplaceEvent,
  SubscribeFail,
  SubscribeSuccess,
  UnsubscribePending,
  UnsubscribeSuccess
} from "../../../lifecycle/MarketplaceEvent.js"

import type { Product } from "../scenario/models.js"
import {
  agreementIdOf,
  idText,
  type LocatedAgreement,
  offerIdOf,
  serviceStatusOf
} from "./agreement.js"
import { keyOf, uuidOf } from "./hash.js"
import { productIdOf } from "./product.js"

/** The kinds of events, by the channel that carries them. */
export const channels = {
  SubscribeSuccess: "sns",
  SubscribeFail: "sns",
  UnsubscribePending: "sns",
  UnsubscribeSuccess: "sns",
  EntitlementUpdated: "sns",
  AgreementCreated: "eventBridge",
  AgreementAmended: "eventBridge",
  AgreementEnded: "eventBridge",
  LicenseUpdated: "eventBridge",
  LicenseDeprovisioned: "eventBridge",
  AdvisoryIssued: "eventBridge",
  AdvisoryResolved: "eventBridge"
} as const

export type EventKind = keyof typeof channels

export interface EventContext {
  readonly seller: string
  readonly product: Product
  readonly located: LocatedAgreement
  /** Epoch milliseconds of the sandbox's clock. */
  readonly at: number
  /** Unique within the sandbox. */
  readonly number: number
}

/** An event, or undefined if AWS Marketplace does not send one of this kind about such an agreement. */
export const makeEvent = (kind: EventKind, context: EventContext): MarketplaceEvent | undefined =>
  context.at > lastTime ? undefined : builders[kind](context)

/** The end of the sandbox's clock. Later times have no common ISO 8601 form. */
const lastTime = Date.parse("9999-12-31T23:59:59.999Z")

/** The action of an SNS message, or the detail type of an EventBridge event. */
export const nameOf = (event: MarketplaceEvent): string => {
  const encoded = encode(event)
  if (hasProperty(encoded, "action")) return String(encoded.action)
  return hasProperty(encoded, "detail-type") ? String(encoded["detail-type"]) : event._tag
}

/** The id contains the time, so that an event after a reset is not a repetition of one before. */
const idOf = ({ at, located, number }: EventContext): string =>
  uuidOf(keyOf("event", agreementIdOf(located), number, at))

/** SNS names a customer by its legacy identifier, which customers of newer products do not have. */
const snsFields = (context: EventContext) => {
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

const subscriptionFields = (context: EventContext) => {
  const fields = snsFields(context)
  return (
    fields && {
      ...fields,
      offerIdentifier: offerIdOf(context.located),
      isFreeTrialTermPresent: context.located.agreement.freeTrial === true
    }
  )
}

const envelopeFields = (context: EventContext) => ({
  id: idOf(context),
  time: DateTime.unsafeMake(context.at),
  account: context.seller,
  region: "us-east-1",
  resources: [`arn:aws:aws-marketplace::aws:agreement:${agreementIdOf(context.located)}`]
})

const detailFields = (context: EventContext) => {
  const { located, seller } = context
  return {
    requestId: uuidOf(keyOf("request", idOf(context))),
    catalog: "AWSMarketplace",
    acceptor: { accountId: located.customer.customerAWSAccountId },
    proposer: { accountId: located.agreement.reseller ?? seller }
  }
}

/** The channel partner is the proposer of its offers, and the seller the manufacturer. */
const roleOf = ({ located }: EventContext) =>
  located.agreement.reseller === undefined ? "Proposer" : "Manufacturer"

const resaleAuthorizationOf = ({ located, product }: EventContext) => {
  const { reseller } = located.agreement
  return {
    id: reseller === undefined ? null : `resaleauthz-${idText(13, reseller, product.code)}`
  }
}

/** The end of an agreement without one, as seen. */
const endOfTime = DateTime.unsafeMake("9999-01-01T00:00:00Z")

const termsOf = ({ at, located }: EventContext) => {
  const { acceptedAt, endsAt = endOfTime, startsAt = DateTime.unsafeMake(at) } = located.agreement
  return {
    // an offer is accepted before its agreement starts
    acceptanceTime: DateTime.min(acceptedAt ?? startsAt, DateTime.unsafeMake(at)),
    startTime: DateTime.min(startsAt, endOfTime),
    endTime: DateTime.min(endsAt, endOfTime)
  }
}

const licenseFields = (context: EventContext) => {
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

const advisory = (state: "Issued" | "Resolved", context: EventContext) => {
  const time = DateTime.formatIso(DateTime.unsafeMake(context.at)).replace(".000Z", "Z")
  return new AgreementNotice({
    ...envelopeFields(context),
    detailType: `Purchase Agreement Advisory ${state} - Manufacturer`,
    detail: {
      ...detailFields(context),
      agreement: { id: agreementIdOf(context.located) },
      product: { id: productIdOf(context.product) },
      advisory: state === "Issued" ? { issuedAt: time } : { resolvedAt: time },
      offer: { id: offerIdOf(context.located) }
    }
  })
}

/** Makes an event of fields that are absent where AWS Marketplace sends no such event. */
const from =
  <Fields>(
    fieldsOf: (context: EventContext) => Fields | "" | undefined,
    make: (fields: Fields) => MarketplaceEvent
  ) =>
  (context: EventContext): MarketplaceEvent | undefined => {
    const fields = fieldsOf(context)
    return fields === undefined || fields === "" ? undefined : make(fields)
  }

const builders: {
  readonly [Kind in EventKind]: (context: EventContext) => MarketplaceEvent | undefined
} = {
  SubscribeSuccess: from(subscriptionFields, (fields) => new SubscribeSuccess(fields)),
  SubscribeFail: from(subscriptionFields, (fields) => new SubscribeFail(fields)),
  UnsubscribePending: from(subscriptionFields, (fields) => new UnsubscribePending(fields)),
  UnsubscribeSuccess: from(subscriptionFields, (fields) => new UnsubscribeSuccess(fields)),
  EntitlementUpdated: from(snsFields, (fields) => new EntitlementUpdated(fields)),
  AgreementCreated: (context) => {
    const { agreement } = context.located
    const { intent = "NEW", previousAgreementId } = agreement
    // documented for proposers only
    const isLinked = intent === "RENEW" && roleOf(context) === "Proposer"
    return new AgreementCreated({
      ...envelopeFields(context),
      ...detailFields(context),
      role: roleOf(context),
      agreement: {
        id: agreementIdOf(context.located),
        intent,
        status: "ACTIVE",
        ...termsOf(context),
        ...(isLinked && previousAgreementId !== undefined && { previousAgreementId })
      },
      resaleAuthorization: resaleAuthorizationOf(context),
      offer: { id: offerIdOf(context.located) },
      ...(isLinked && { product: { id: productIdOf(context.product) } })
    })
  },
  AgreementAmended: (context) =>
    new AgreementAmended({
      ...envelopeFields(context),
      ...detailFields(context),
      role: roleOf(context),
      agreement: {
        id: agreementIdOf(context.located),
        intent: "AMEND",
        status: "ACTIVE",
        ...termsOf(context)
      },
      resaleAuthorization: resaleAuthorizationOf(context),
      offer: { id: offerIdOf(context.located) }
    }),
  // without the offer, which the documents have, but no event that was seen
  AgreementEnded: (context) =>
    new AgreementEnded({
      ...envelopeFields(context),
      ...detailFields(context),
      role: roleOf(context),
      agreement: { id: agreementIdOf(context.located), status: endStatusOf(context) },
      resaleAuthorization: resaleAuthorizationOf(context)
    }),
  LicenseUpdated: from(licenseFields, (fields) => new LicenseUpdated(fields)),
  LicenseDeprovisioned: from(licenseFields, (fields) => new LicenseDeprovisioned(fields)),
  AdvisoryIssued: (context) => advisory("Issued", context),
  AdvisoryResolved: (context) => advisory("Resolved", context)
}

/** AWS documents no status for a failed payment. */
const endStatusOf = ({ at, located }: EventContext): string => {
  const status = serviceStatusOf(located.agreement, at)
  return status === "FAILED" ? "CANCELLED" : status
}
