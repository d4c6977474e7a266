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
  type NoticeType,
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
  lockoutOf,
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
  AdvisoryResolved: "eventBridge",
  Ending180: "eventBridge",
  Ending120: "eventBridge",
  Ending90: "eventBridge",
  Ending60: "eventBridge",
  Ending30: "eventBridge",
  RenewalTermsFinalized: "eventBridge",
  RenewalUpcoming: "eventBridge"
} as const

export type EventKind = keyof typeof channels

/** The events that announce an end, by the days before it. */
export const endingDays = {
  Ending180: 180,
  Ending120: 120,
  Ending90: 90,
  Ending60: 60,
  Ending30: 30
} as const

/** The events that announce an end or a renewal. */
export type NoticeKind = keyof typeof endingDays | "RenewalTermsFinalized" | "RenewalUpcoming"

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

const notice = (
  context: EventContext,
  detailType: NoticeType,
  { agreement, ...detail }: { readonly agreement?: object; readonly [name: string]: unknown }
) =>
  new AgreementNotice({
    ...envelopeFields(context),
    detailType,
    detail: {
      ...detailFields(context),
      agreement: { id: agreementIdOf(context.located), ...agreement },
      product: { id: productIdOf(context.product) },
      ...detail
    }
  })

/** As in the documents, without a fraction of zero. */
const timeText = (time: DateTime.Utc): string => DateTime.formatIso(time).replace(".000Z", "Z")

const advisory = (state: "Issued" | "Resolved", context: EventContext) => {
  const time = timeText(DateTime.unsafeMake(context.at))
  return notice(context, `Purchase Agreement Advisory ${state} - Manufacturer`, {
    advisory: state === "Issued" ? { issuedAt: time } : { resolvedAt: time },
    offer: { id: offerIdOf(context.located) }
  })
}

const periodOf = (context: EventContext) => {
  const { endTime, startTime } = termsOf(context)
  return { startTime: timeText(startTime), endTime: timeText(endTime) }
}

const ending = (daysBeforeEndTime: number) => (context: EventContext) =>
  notice(context, "Purchase Agreement Ending - Proposer", {
    agreement: {
      ...periodOf(context),
      status: "ACTIVE",
      daysBeforeEndTime,
      autoRenewalEnabled: context.located.agreement.renewal !== undefined
    },
    renewalSummary: { lockoutStartTime: lockoutText(context), disabledBy: null },
    offer: { id: offerIdOf(context.located) }
  })

const lockoutText = ({ located }: EventContext): string | null => {
  const lockout = lockoutOf(located.agreement)
  return lockout === undefined ? null : timeText(lockout)
}

/** A sandbox has no prices. */
const contractValue = { tcv: "0.00", currency: "USD" }

const renewalTermsFinalized = (context: EventContext) => {
  const { at, located } = context
  const lockout = lockoutOf(located.agreement)
  return notice(context, "Purchase Agreement Renewal Terms Finalized - Proposer", {
    agreement: periodOf(context),
    renewalSummary: {
      ...contractValue,
      termsFinalizedTime: timeText(DateTime.unsafeMake(at)),
      lockoutReached: lockout === undefined ? null : lockout.epochMillis <= at,
      lockoutStartTime: lockoutText(context)
    }
  })
}

const renewalUpcoming = (context: EventContext) =>
  notice(context, "Purchase Agreement Renewal Upcoming - Proposer", {
    agreement: periodOf(context),
    renewalSummary: { lockoutReached: true, ...contractValue }
  })

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
  AgreementAmended: (context) => {
    const { agreement } = context.located
    const isProposer = roleOf(context) === "Proposer"
    return new AgreementAmended({
      ...envelopeFields(context),
      ...detailFields(context),
      role: roleOf(context),
      agreement: {
        id: agreementIdOf(context.located),
        intent: "AMEND",
        status: "ACTIVE",
        ...termsOf(context),
        ...(isProposer && { autoRenewalEnabled: agreement.renewal !== undefined })
      },
      resaleAuthorization: resaleAuthorizationOf(context),
      offer: { id: offerIdOf(context.located) },
      ...(isProposer && {
        product: { id: productIdOf(context.product) },
        renewalSummary: { lockoutStartTime: lockoutOf(agreement) ?? null, disabledBy: null }
      })
    })
  },
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
  AdvisoryResolved: (context) => advisory("Resolved", context),
  Ending180: ending(endingDays.Ending180),
  Ending120: ending(endingDays.Ending120),
  Ending90: ending(endingDays.Ending90),
  Ending60: ending(endingDays.Ending60),
  Ending30: ending(endingDays.Ending30),
  RenewalTermsFinalized: renewalTermsFinalized,
  RenewalUpcoming: renewalUpcoming
}

/** AWS documents no status for a failed payment. */
const endStatusOf = ({ at, located }: EventContext): string => {
  const status = serviceStatusOf(located.agreement, at)
  return status === "FAILED" ? "CANCELLED" : status
}
