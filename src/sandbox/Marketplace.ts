/**
 * Inputs and results of the actions of buyers on AWS Marketplace, which a test performs in a sandbox.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  AgreementId,
  CustomerAWSAccountId,
  CustomerIdentifier,
  HttpUrl,
  LicenseArn,
  NonEmptyText,
  OfferId,
  ProductCode,
  ProductId,
  Time
} from "./internal/scenario/scenarioFields.js"
import { Agreement, Entitlement, Product, Renewal } from "./Scenario.js"

const identity = {
  customerAWSAccountId: Schema.optional(NonEmptyText),
  customerIdentifier: Schema.optional(NonEmptyText)
}

/**
 * Selects a customer.
 *
 * - `customerAWSAccountId`, `customerIdentifier`: the customer. Defaults to the first customer of the scenario that has an
 *   agreement.
 *
 * @since 0.1.0
 * @category models
 */
export const CustomerSelector = Schema.Struct(identity)

/**
 * @since 0.1.0
 * @category models
 */
export interface CustomerSelector extends Schema.Schema.Type<typeof CustomerSelector> {}

/**
 * Selects agreements of a customer.
 *
 * - `customerAWSAccountId`, `customerIdentifier`: the customer. Defaults to the first customer of the scenario that has
 *   such an agreement.
 * - `agreementId`, `productCode`, `licenseArn`: the id, product or license of the agreements. Defaults to all agreements.
 *
 * @since 0.1.0
 * @category models
 */
export const AgreementSelector = Schema.Struct({
  ...identity,
  agreementId: Schema.optional(NonEmptyText),
  productCode: Schema.optional(NonEmptyText),
  licenseArn: Schema.optional(NonEmptyText)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface AgreementSelector extends Schema.Schema.Type<typeof AgreementSelector> {}

/**
 * A customer to add. A known customer gets the new agreements.
 *
 * - `customerAWSAccountId`: the buyer's AWS account
 * - `customerIdentifier`: the legacy identifier, for products listed before June 2026. Defaults to none.
 * - `agreements`: the agreements to add. Defaults to none.
 *
 * @since 0.1.0
 * @category models
 */
export const NewCustomer = Schema.Struct({
  customerAWSAccountId: CustomerAWSAccountId,
  customerIdentifier: Schema.optional(CustomerIdentifier),
  agreements: Schema.optional(Schema.Array(Agreement))
})

/**
 * @since 0.1.0
 * @category models
 */
export interface NewCustomer extends Schema.Schema.Type<typeof NewCustomer> {}

/**
 * A customer's subscription to a product.
 *
 * - `customerAWSAccountId`, `customerIdentifier`: the customer. Defaults to the first customer of the scenario that has an
 *   agreement.
 * - `productCode`: a product of the scenario
 * - `licenseArn`: the license, or `null` for a product listed before June 2026. Defaults to a new license.
 * - `startsAt`: the start. Defaults to now.
 * - `endsAt`: the end. Defaults to no limit.
 * - `entitlements`: the entitlements of a contract. Defaults to none.
 *
 * @since 0.1.0
 * @category models
 */
export const Subscription = Schema.Struct({
  ...identity,
  productCode: NonEmptyText,
  licenseArn: Schema.optional(Schema.NullOr(LicenseArn)),
  startsAt: Schema.optional(Time),
  endsAt: Schema.optional(Time),
  entitlements: Schema.optional(Schema.Array(Entitlement))
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Subscription extends Schema.Schema.Type<typeof Subscription> {}

/**
 * A product of the sandbox, with its id.
 *
 * @since 0.1.0
 * @category models
 */
export const ProductDetails = Schema.Struct({ ...Product.fields, productId: ProductId })

/**
 * @since 0.1.0
 * @category models
 */
export interface ProductDetails extends Schema.Schema.Type<typeof ProductDetails> {}

/**
 * An operation on one agreement. `MarketplaceActions` has a method of the same name for each, and `SandboxApi` an
 * endpoint.
 *
 * - `amend`: changes the agreement
 * - `renew`: ends the agreement, and makes a renewal of it with a new license
 * - `replace`: ends the agreement, and makes a replacement of it with a new offer and a new license
 * - `cancel`: ends the agreement on behalf of the buyer. Usage is accepted for one more hour.
 * - `expire`: ends the agreement as if its end were now. Usage before the end is accepted for one more hour.
 * - `terminate`: ends the agreement on behalf of the seller or AWS. Usage is accepted for one more hour.
 * - `issueAdvisory`: sends an advisory about the license
 * - `resolveAdvisory`: sends the resolution of the advisory
 * - `failPayment`: ends the agreement before its start, because the buyer cannot pay
 *
 * @since 0.1.0
 * @category models
 */
export const Operation = Schema.Literal(
  "amend",
  "renew",
  "replace",
  "cancel",
  "expire",
  "terminate",
  "issueAdvisory",
  "resolveAdvisory",
  "failPayment"
)

/**
 * @since 0.1.0
 * @category models
 */
export type Operation = typeof Operation.Type

/**
 * An agreement in its current state.
 *
 * - `customerAWSAccountId`, `customerIdentifier`: the buyer
 * - `agreementId`, `offerId`: the ids in events
 * - `state`: `pending` before the start, `active`, `ending` in the last hour of usage, `ended`, or `failed` because the
 *   buyer could not pay
 * - `status`: the status in the service's events
 * - `registered`: true after ResolveCustomer has resolved a registration token of the agreement
 * - `operations`: the operations that are possible now
 *
 * @since 0.1.0
 * @category models
 */
export const AgreementDetails = Schema.Struct({
  customerAWSAccountId: CustomerAWSAccountId,
  customerIdentifier: Schema.optional(CustomerIdentifier),
  ...Agreement.fields,
  agreementId: AgreementId,
  offerId: OfferId,
  state: Schema.Literal("pending", "active", "ending", "ended", "failed"),
  status: Schema.Literal(
    "ACTIVE",
    "CANCELLED",
    "EXPIRED",
    "TERMINATED",
    "RENEWED",
    "REPLACED",
    "FAILED"
  ),
  registered: Schema.Boolean,
  operations: Schema.Array(Operation)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface AgreementDetails extends Schema.Schema.Type<typeof AgreementDetails> {}

/**
 * Amends an agreement.
 *
 * - the fields of `AgreementSelector`: select the first agreement that can be amended
 * - `endsAt`: the new end, or `null` for no end. Defaults to the current end.
 * - `entitlements`: the new entitlements. Default to the current entitlements.
 *
 * @since 0.1.0
 * @category models
 */
export const Amendment = Schema.Struct({
  ...AgreementSelector.fields,
  endsAt: Schema.optional(Schema.NullOr(Time)),
  entitlements: Schema.optional(Schema.Array(Entitlement))
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Amendment extends Schema.Schema.Type<typeof Amendment> {}

/**
 * Renews or replaces an agreement by a new agreement for the same product and customer.
 *
 * - the fields of `AgreementSelector`: select the first agreement that can be renewed or replaced
 * - `endsAt`: the end of the new agreement. Defaults to no limit.
 * - `offerId`: the offer of a replacement. Defaults to a new offer. A renewal keeps the offer of the old agreement.
 *
 * @since 0.1.0
 * @category models
 */
export const Succession = Schema.Struct({
  ...AgreementSelector.fields,
  endsAt: Schema.optional(Time),
  offerId: Schema.optional(OfferId)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Succession extends Schema.Schema.Type<typeof Succession> {}

/**
 * A purchase on AWS Marketplace, after which the buyer is sent to the seller's page.
 *
 * - `customerAWSAccountId`: the buyer's AWS account. An unknown account is added as a customer.
 * - `customerIdentifier`: the legacy identifier of a new customer. SNS messages are sent only for customers with a legacy
 *   identifier. Defaults to none.
 * - `productCode`: a product of the scenario
 * - `licenseArn`: the license, or `null` for a product listed before June 2026. Defaults to a new license.
 * - `offerId`: the offer. Defaults to a new id.
 * - `freeTrial`, `privateOffer`: the kind of offer. Default to false.
 * - `reseller`: the AWS account of a channel partner that makes the offer. Defaults to none, for an offer of the seller.
 * - `startsAt`: the start, which may lie in the future. Defaults to now.
 * - `endsAt`: the end. Defaults to no limit.
 * - `entitlements`: the entitlements of a contract. Defaults to none.
 * - `renewal`: the terms of an automatic renewal. Defaults to none.
 * - `paymentFails`: true for a buyer who cannot pay, so that the agreement fails. Defaults to false.
 * - `landingUrl`: the seller's page. Defaults to the `landingUrl` of the product.
 *
 * @since 0.1.0
 * @category models
 */
export const Purchase = Schema.Struct({
  customerAWSAccountId: CustomerAWSAccountId,
  customerIdentifier: Schema.optional(CustomerIdentifier),
  productCode: ProductCode,
  licenseArn: Schema.optional(Schema.NullOr(LicenseArn)),
  offerId: Schema.optional(OfferId),
  freeTrial: Schema.optional(Schema.Boolean),
  privateOffer: Schema.optional(Schema.Boolean),
  reseller: Schema.optional(CustomerAWSAccountId),
  startsAt: Schema.optional(Time),
  endsAt: Schema.optional(Time),
  entitlements: Schema.optional(Schema.Array(Entitlement)),
  renewal: Schema.optional(Renewal),
  paymentFails: Schema.optional(Schema.Boolean),
  landingUrl: Schema.optional(HttpUrl)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Purchase extends Schema.Schema.Type<typeof Purchase> {}

/**
 * The form that the buyer's browser posts from AWS Marketplace to the seller's page.
 *
 * - `agreement`: the agreement that was bought
 * - `landingUrl`: the seller's page. Absent if neither the purchase nor the product has one.
 * - `fields`: the fields of the form by name. `landingFields` of the scenario's rules selects them. The form is posted as
 *   `application/x-www-form-urlencoded`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-product-customer-setup.html
 * @since 0.1.0
 * @category models
 */
export const Landing = Schema.Struct({
  agreement: AgreementDetails.annotations({ identifier: "AgreementDetails" }),
  landingUrl: Schema.optional(HttpUrl),
  fields: Schema.Record({ key: Schema.String, value: Schema.Redacted(Schema.String) })
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Landing extends Schema.Schema.Type<typeof Landing> {}
