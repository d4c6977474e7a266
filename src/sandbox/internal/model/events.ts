/** The events that AWS Marketplace sends to the seller about an agreement. */
import { hasProperty } from "effect/Predicate"
import {
  AgreementAmended,
  AgreementCreated,
  AgreementEnded,
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
import { agreementIdOf, lockoutOf, offerIdOf, serviceStatusOf } from "./agreement.js"
import {
  detailFields,
  type EventContext,
  envelopeFields,
  licenseFields,
  resaleAuthorizationOf,
  roleOf,
  snsFields,
  subscriptionFields,
  termsOf
} from "./eventFields.js"
import * as notices from "./notices.js"
import { productIdOf } from "./product.js"

/** The channel of each kind of event. */
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

/** Makes an event. Returns `undefined` if AWS Marketplace sends no event of this kind about the agreement. */
export const makeEvent = (kind: EventKind, context: EventContext): MarketplaceEvent | undefined =>
  context.at > lastTime ? undefined : builders[kind](context)

/** The last time of the sandbox's clock, because later times have no common ISO 8601 form. */
const lastTime = Date.parse("9999-12-31T23:59:59.999Z")

/** Returns the action of an SNS message, or the detail type of an EventBridge event. */
export const nameOf = (event: MarketplaceEvent): string => {
  const encoded = encode(event)
  if (hasProperty(encoded, "action")) return String(encoded.action)
  return hasProperty(encoded, "detail-type") ? String(encoded["detail-type"]) : event._tag
}

/** Makes an event of its fields. `fieldsOf` returns no fields if AWS Marketplace sends no such event about the agreement. */
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
    // the link to the previous agreement is documented for proposers only
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
  // omits the offer, which is documented but missing in all observed events
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
  AdvisoryIssued: (context) => notices.advisory("Issued", context),
  AdvisoryResolved: (context) => notices.advisory("Resolved", context),
  Ending180: notices.ending(notices.endingDays.Ending180),
  Ending120: notices.ending(notices.endingDays.Ending120),
  Ending90: notices.ending(notices.endingDays.Ending90),
  Ending60: notices.ending(notices.endingDays.Ending60),
  Ending30: notices.ending(notices.endingDays.Ending30),
  RenewalTermsFinalized: notices.renewalTermsFinalized,
  RenewalUpcoming: notices.renewalUpcoming
}

/** Returns `CANCELLED` for a failed payment, because AWS documents no status for it. */
const endStatusOf = ({ at, located }: EventContext): string => {
  const status = serviceStatusOf(located.agreement, at)
  return status === "FAILED" ? "CANCELLED" : status
}
