/**
 * The events of AWS Marketplace for a seller, over Amazon SNS and Amazon EventBridge, as one union.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import {
  Json,
  Offer,
  OpenText,
  optional,
  otherFields,
  Party,
  Product,
  Text,
  Time
} from "./internal/fields.js"

/**
 * The part of the seller in an agreement. A direct sale sends agreement events to the proposer only; with a channel
 * partner the partner is the proposer, and the manufacturer gets events of its own. License events are sent to the
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
 * The status of an agreement. `RENEWED` and `REPLACED` end an agreement that another one follows: they are no
 * cancellation. AWS may add others.
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
  id: Schema.optional(Text),
  time: Schema.optional(Time),
  customerIdentifier: Schema.propertySignature(Text).pipe(Schema.fromKey("customer-identifier")),
  productCode: Schema.propertySignature(Text).pipe(Schema.fromKey("product-code"))
}

const subscriptionFields = {
  ...snsFields,
  offerIdentifier: optional(Schema.String).pipe(Schema.fromKey("offer-identifier")),
  isFreeTrialTermPresent: optional(Schema.Union(Schema.BooleanFromString, Schema.Boolean))
}

/**
 * The SNS action `subscribe-success`: the subscription is active, and usage is accepted.
 *
 * The message of an SNS action has neither id nor time. `id` is the message id of SNS, and `time` the `Timestamp` of its
 * envelope; with raw delivery both are those of the queue, or absent. `offerIdentifier` is present for private offers,
 * and for all offers made since January 2024.
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
 * The SNS action `unsubscribe-pending`: the buyer is leaving. Usage is accepted for one more hour.
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

/** The fields around `detail` in an event of EventBridge. */
const envelopeFields = {
  id: Text,
  time: Time,
  account: Schema.String,
  region: Schema.String,
  resources: Schema.Array(Schema.String)
}

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
 * `account` is the seller's. `acceptor` is the buyer. `resaleAuthorization.id` is `null` in a direct sale. A renewal has
 * `agreement.previousAgreementId`. An agreement without an end has an `endTime` in the year 9999. The event names no
 * license: the license event of the same `agreement.id` does.
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
 * `Purchase Agreement Ended`: an agreement was cancelled, expired, terminated, renewed or replaced, by its `status`.
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
 * `License Updated`: a license was provisioned or changed, and usage for it is accepted. Compare `license.arn` by
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
 * The detail types of events that only inform: they change neither an agreement nor a license.
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
 * An event of EventBridge that only informs, such as an advisory about a buyer's account, for a person to decide on.
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
  detail: Schema.Struct({ agreement: Schema.Struct({ id: Text }, otherFields) }, otherFields)
}) {}

/**
 * An event of another kind: a new one of AWS Marketplace, of a buyer (`- Acceptor`), or of another sender.
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
 * An event, as a schema to store it: its encoded form is JSON with a `_tag`. `encode` makes the form of AWS.
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

/** The actions of SNS, by tag. */
const actions = {
  SubscribeSuccess: "subscribe-success",
  SubscribeFail: "subscribe-fail",
  UnsubscribePending: "unsubscribe-pending",
  UnsubscribeSuccess: "unsubscribe-success",
  EntitlementUpdated: "entitlement-updated"
} as const

/** The detail types of EventBridge, by tag and without the role. */
const detailTypes = {
  AgreementCreated: "Purchase Agreement Created",
  AgreementAmended: "Purchase Agreement Amended",
  AgreementEnded: "Purchase Agreement Ended",
  LicenseUpdated: "License Updated",
  LicenseDeprovisioned: "License Deprovisioned"
} as const

const eventSource = "aws.agreement-marketplace"

const encodeFields = Schema.encodeSync(MarketplaceEvent)

/** A JSON object. */
type JsonObject = Readonly<Record<string, unknown>>

/**
 * Encodes an event as AWS sends it, without an envelope: the message of an SNS action, an event of EventBridge, or the
 * `raw` value of an `Unknown` event.
 *
 * Its JSON text is the body of an SQS message with raw delivery, the body that EventBridge sends to an SQS queue or an API
 * destination, and the `Message` of an SNS notification.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { MarketplaceEvent } from "effect-marketplace-metering/lifecycle"
 *
 * const body = MarketplaceEvent.encode(
 *   new MarketplaceEvent.LicenseUpdated({
 *     id: "6b1f2c1e-0000-4000-8000-000000000001",
 *     time: DateTime.unsafeMake("2026-11-25T10:00:00Z"),
 *     account: "111122223333",
 *     region: "us-east-1",
 *     resources: ["arn:aws:aws-marketplace::aws:agreement:agmt-1234"],
 *     role: "Manufacturer",
 *     agreement: { id: "agmt-1234" },
 *     product: { code: "4v9hm1u3i5p7l3c0" },
 *     license: { arn: "arn:aws:license-manager::123456789012:license:l-0123456789abcdef0123456789abcdef" },
 *     acceptor: { accountId: "444455556666" },
 *     proposer: { accountId: "111122223333" }
 *   })
 * )
 * ```
 *
 * @since 0.1.0
 * @category encoding
 */
export const encode = (event: MarketplaceEvent): unknown => {
  const encoded = encodeFields(event)
  switch (encoded._tag) {
    case "Unknown":
      return encoded.raw
    case "SubscribeSuccess":
    case "SubscribeFail":
    case "UnsubscribePending":
    case "UnsubscribeSuccess":
    case "EntitlementUpdated": {
      const { _tag, id, time, ...fields } = encoded
      return { action: actions[_tag], ...fields }
    }
    case "AgreementNotice": {
      const { _tag, detailType, detail, ...envelope } = encoded
      return eventBridgeEvent(envelope, detailType, detail)
    }
    default: {
      const { _tag, role, id, time, account, region, resources, ...detail } = encoded
      const envelope = { id, time, account, region, resources }
      return eventBridgeEvent(envelope, `${detailTypes[_tag]} - ${role}`, detail)
    }
  }
}

const eventBridgeEvent = (
  { id, time, account, region, resources }: Schema.Struct.Encoded<typeof envelopeFields>,
  detailType: string,
  detail: JsonObject
): JsonObject => ({
  version: "0",
  id,
  "detail-type": detailType,
  source: eventSource,
  account,
  time,
  region,
  resources,
  detail
})

/**
 * The values of an SNS notification beside its message.
 *
 * @since 0.1.0
 * @category encoding
 */
export interface SnsOptions {
  /** The topic, such as `arn:aws:sns:us-east-1:287250355862:aws-mp-subscription-notification-4v9hm1u3i5p7l3c0`. */
  readonly topicArn: string
  /** The message id. The `id` of an SNS action is decoded from it. */
  readonly messageId: string
  /** The time of publication, to the millisecond. The `time` of an SNS action is decoded from it. */
  readonly timestamp: DateTime.Utc
}

/**
 * Encodes an event as an SNS notification without a signature: the body of an SQS message that SNS sends, and of an HTTP
 * request once it is signed.
 *
 * @see https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
 * @since 0.1.0
 * @category encoding
 */
export const encodeSns = (
  event: MarketplaceEvent,
  { topicArn, messageId, timestamp }: SnsOptions
) => ({
  Type: "Notification" as const,
  MessageId: messageId,
  TopicArn: topicArn,
  Message: JSON.stringify(encode(event)),
  Timestamp: DateTime.formatIso(timestamp)
})
