/** Schemas of the events. Their encoded forms have AWS's field names, and differ from what AWS sends only in the envelope. */
import * as Schema from "effect/Schema"
import {
  BooleanText,
  envelopeFields,
  Json,
  Offer,
  OpenText,
  optional,
  otherFields,
  Party,
  Product,
  Text,
  Time,
  uncopied
} from "./fields.js"

/**
 * The role of the seller in an agreement. In a direct sale, AWS sends agreement events to the proposer only. In a sale by a
 * channel partner, the partner is the proposer, and the manufacturer receives its own events. License events are sent to the
 * manufacturer.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-eventbridge-integration.html
 * @since 0.1.0
 * @category models
 */
export const Role = Schema.Literal("Proposer", "Manufacturer")

/**
 * @since 0.1.0
 * @category models
 */
export type Role = typeof Role.Type

/**
 * The reason why an agreement was created or amended. AWS may add others.
 *
 * @since 0.1.0
 * @category models
 */
export type Intent = "NEW" | "RENEW" | "REPLACE" | "AMEND" | (string & {})

/**
 * The status of an agreement. `RENEWED` and `REPLACED` mean that another agreement follows, and are not cancellations. AWS may
 * add others.
 *
 * @since 0.1.0
 * @category models
 */
export type AgreementStatus =
  | "ACTIVE"
  | "CANCELLED"
  | "EXPIRED"
  | "TERMINATED"
  | "RENEWED"
  | "REPLACED"
  | (string & {})

const snsFields = {
  id: optional(Text),
  time: optional(Time),
  customerIdentifier: Schema.propertySignature(Text).pipe(Schema.fromKey("customer-identifier")),
  productCode: Schema.propertySignature(Text).pipe(Schema.fromKey("product-code"))
}

const subscriptionFields = {
  ...snsFields,
  offerIdentifier: optional(Schema.String).pipe(Schema.fromKey("offer-identifier")),
  isFreeTrialTermPresent: optional(BooleanText)
}

/**
 * The SNS action `subscribe-success`: the subscription is active, and usage is accepted.
 *
 * The message of an SNS action has neither id nor time. `id` is the message id of the SNS envelope, and `time` its
 * `Timestamp`. With raw message delivery, both come from the SQS message, or are absent. `offerIdentifier` is present for
 * private offers, and for all offers made since January 2024.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category SNS
 */
export class SubscribeSuccess extends Schema.TaggedClass<SubscribeSuccess>(
  "effect-marketplace-metering/SubscribeSuccess"
)("SubscribeSuccess", subscriptionFields) {}

/**
 * The SNS action `subscribe-fail`: the payment of the buyer failed, and the subscription never becomes active.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category SNS
 */
export class SubscribeFail extends Schema.TaggedClass<SubscribeFail>(
  "effect-marketplace-metering/SubscribeFail"
)("SubscribeFail", subscriptionFields) {}

/**
 * The SNS action `unsubscribe-pending`: the subscription is ending. Usage is accepted for one more hour.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category SNS
 */
export class UnsubscribePending extends Schema.TaggedClass<UnsubscribePending>(
  "effect-marketplace-metering/UnsubscribePending"
)("UnsubscribePending", subscriptionFields) {}

/**
 * The SNS action `unsubscribe-success`: the subscription has ended. No more usage is accepted.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category SNS
 */
export class UnsubscribeSuccess extends Schema.TaggedClass<UnsubscribeSuccess>(
  "effect-marketplace-metering/UnsubscribeSuccess"
)("UnsubscribeSuccess", subscriptionFields) {}

/**
 * The SNS action `entitlement-updated`: a contract was made, upgraded, renewed, or has expired. GetEntitlements returns
 * its current state.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category SNS
 */
export class EntitlementUpdated extends Schema.TaggedClass<EntitlementUpdated>(
  "effect-marketplace-metering/EntitlementUpdated"
)("EntitlementUpdated", snsFields) {}

const detailFields = {
  ...envelopeFields,
  role: Role,
  requestId: optional(Schema.String),
  catalog: optional(Schema.String),
  acceptor: Party,
  proposer: Party,
  offer: optional(Offer),
  product: optional(Product)
}

const agreementFields = {
  ...detailFields,
  agreement: Schema.Struct({
    id: Text,
    intent: optional(OpenText<Intent>()),
    status: optional(OpenText<AgreementStatus>()),
    acceptanceTime: optional(Time),
    startTime: optional(Time),
    endTime: optional(Time),
    previousAgreementId: optional(Schema.String),
    autoRenewalEnabled: optional(Schema.Boolean)
  }),
  resaleAuthorization: optional(Schema.Struct({ id: Schema.NullOr(Schema.String) })),
  renewalSummary: optional(
    Schema.Struct({
      lockoutStartTime: Schema.NullOr(Time),
      disabledBy: Schema.NullOr(OpenText<"ACCEPTOR" | "PROPOSER">())
    })
  )
}

/**
 * `Purchase Agreement Created`: a buyer accepted an offer, or an agreement was renewed or replaced by this one.
 *
 * `account` is the account of the seller, and `acceptor` is the buyer. `resaleAuthorization.id` is `null` in a direct sale. A
 * renewal has `agreement.previousAgreementId`. An agreement without an end has an `endTime` in the year 9999. The event has no
 * license: it is in the license event with the same `agreement.id`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export class AgreementCreated extends Schema.TaggedClass<AgreementCreated>(
  "effect-marketplace-metering/AgreementCreated"
)("AgreementCreated", agreementFields) {}

/**
 * `Purchase Agreement Amended`: the terms of an agreement changed, such as its end or its renewal.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export class AgreementAmended extends Schema.TaggedClass<AgreementAmended>(
  "effect-marketplace-metering/AgreementAmended"
)("AgreementAmended", agreementFields) {}

/**
 * `Purchase Agreement Ended`: an agreement was cancelled, expired, terminated, renewed or replaced, as its `status` says.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export class AgreementEnded extends Schema.TaggedClass<AgreementEnded>(
  "effect-marketplace-metering/AgreementEnded"
)("AgreementEnded", {
  ...detailFields,
  agreement: Schema.Struct({ id: Text, status: OpenText<AgreementStatus>() }),
  resaleAuthorization: optional(Schema.Struct({ id: Schema.NullOr(Schema.String) }))
}) {}

const licenseFields = {
  ...detailFields,
  agreement: Schema.Struct({ id: Text }),
  license: Schema.Struct({ arn: Text })
}

/**
 * `License Updated`: a license was provisioned or changed, and usage for it is accepted. Compare `license.arn` with
 * `isSameLicense`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export class LicenseUpdated extends Schema.TaggedClass<LicenseUpdated>(
  "effect-marketplace-metering/LicenseUpdated"
)("LicenseUpdated", licenseFields) {}

/**
 * `License Deprovisioned`: a license is being revoked. Usage is accepted for one more hour.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export class LicenseDeprovisioned extends Schema.TaggedClass<LicenseDeprovisioned>(
  "effect-marketplace-metering/LicenseDeprovisioned"
)("LicenseDeprovisioned", licenseFields) {}

/**
 * The detail types of informational events, which change neither an agreement nor a license.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export const NoticeType = Schema.Literal(
  "Purchase Agreement Advisory Issued - Manufacturer",
  "Purchase Agreement Advisory Resolved - Manufacturer",
  "Purchase Agreement Ending - Proposer",
  "Purchase Agreement Renewal Terms Finalized - Proposer",
  "Purchase Agreement Renewal Upcoming - Proposer",
  "Agreement Cancellation Request Pending Approval - Proposer",
  "Agreement Cancellation Request Pending Approval - Manufacturer",
  "Agreement Cancellation Request Approved - Proposer",
  "Agreement Cancellation Request Approved - Manufacturer",
  "Agreement Cancellation Request Rejected - Proposer",
  "Agreement Cancellation Request Rejected - Manufacturer",
  "Agreement Cancellation Request Cancelled - Proposer",
  "Agreement Cancellation Request Cancelled - Manufacturer",
  "Agreement Cancellation Request Validation Failed - Proposer",
  "Purchase Agreement Billing Adjustment Completed - Proposer",
  "Purchase Agreement Billing Adjustment Completed - Manufacturer",
  "Purchase Agreement Billing Adjustment Failed - Proposer"
)

/**
 * @since 0.1.0
 * @category EventBridge
 */
export type NoticeType = typeof NoticeType.Type

/**
 * An informational EventBridge event for a person to act on, such as an advisory about a buyer's account.
 *
 * `detail` is kept as AWS sent it.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category EventBridge
 */
export class AgreementNotice extends Schema.TaggedClass<AgreementNotice>(
  "effect-marketplace-metering/AgreementNotice"
)("AgreementNotice", {
  ...envelopeFields,
  detailType: NoticeType,
  detail: uncopied(
    Schema.Struct({ agreement: Schema.Struct({ id: Text }, otherFields) }, otherFields)
  )
}) {}

/**
 * An event of an unknown kind: a new event of AWS Marketplace, an event for buyers (`- Acceptor`), or an event of another
 * sender.
 *
 * `raw` is its JSON, without the envelopes around it.
 *
 * @since 0.1.0
 * @category models
 */
export class Unknown extends Schema.TaggedClass<Unknown>("effect-marketplace-metering/Unknown")(
  "Unknown",
  { raw: Json }
) {}

/**
 * The schema of an event. Its encoded form, for storage, is JSON with a `_tag`. `encode` returns the form that AWS sends.
 *
 * @since 0.1.0
 * @category models
 */
export const MarketplaceEvent = Schema.Union(
  SubscribeSuccess,
  SubscribeFail,
  UnsubscribePending,
  UnsubscribeSuccess,
  EntitlementUpdated,
  AgreementCreated,
  AgreementAmended,
  AgreementEnded,
  LicenseUpdated,
  LicenseDeprovisioned,
  AgreementNotice,
  Unknown
)

/**
 * @since 0.1.0
 * @category models
 */
export type MarketplaceEvent = typeof MarketplaceEvent.Type
