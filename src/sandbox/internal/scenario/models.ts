/** The schemas of a scenario: its products, customers, callers and settings. */
import * as Schema from "effect/Schema"
import { OperationName } from "../../../MeteringError.js"
import { DeliveryFaults, Target } from "../../EventDelivery.js"
import { Faults } from "../../Fault.js"
import { forEachName } from "../model/operations.js"
import { Entitlement } from "./entitlements.js"
import {
  AccessKeyId,
  AgreementId,
  CustomerAWSAccountId,
  CustomerIdentifier,
  Days,
  Dimension,
  DurationInput,
  field,
  HttpUrl,
  LicenseArn,
  NonEmptyText,
  OfferId,
  optionalField,
  PositiveInt,
  ProductCode,
  ProductId,
  Time
} from "./scenarioFields.js"

/**
 * A version of a product's public key.
 *
 * - `version`: a whole number from 1
 * - `rotationTimestamp`: the time at which the version expired. RegisterUsage returns it from then on. Defaults to none.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category models
 */
export const PublicKeyVersion = Schema.Struct({
  version: field(PositiveInt, "A whole number from 1."),
  rotationTimestamp: optionalField(
    Time,
    "The time at which this version expired. RegisterUsage returns it from then on."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface PublicKeyVersion extends Schema.Schema.Type<typeof PublicKeyVersion> {}

/**
 * A product of the seller.
 *
 * - `code`: the product code
 * - `dimensions`: the dimensions it is metered in, case-sensitive
 * - `contractDimensions`: dimensions that are bought by contract only, and in which no usage is metered. Defaults to none.
 * - `region`: the only Region it is metered in. Defaults to the Region of the sandbox.
 * - `metering`: the rules of MeterUsage. `hourly` accepts one request per hour, dimension and instance. `agentCore`
 *   behaves as on Bedrock AgentCore: timestamps are not rounded, and only the client token identifies a retry.
 *   Defaults to `hourly`.
 * - `publicKeyVersions`: the key versions that RegisterUsage accepts. Defaults to version 1, not rotated.
 * - `productId`: the product id in EventBridge events. Defaults to an id that is derived from the code.
 * - `landingUrl`: the seller's registration page, to which AWS Marketplace posts a buyer. Defaults to none.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category models
 */
export const Product = Schema.Struct({
  code: field(ProductCode, "The product code that requests name."),
  dimensions: field(
    Schema.Array(Dimension),
    "The dimensions that the product is metered in, case-sensitive."
  ),
  contractDimensions: optionalField(
    Schema.Array(Dimension),
    "Dimensions that are bought by contract only, case-sensitive. Defaults to none."
  ),
  region: optionalField(
    NonEmptyText,
    "The only Region that the product is metered in. Defaults to the Region of the sandbox."
  ),
  metering: optionalField(
    Schema.Literal("hourly", "agentCore"),
    "The rules of MeterUsage. hourly: one request per hour, dimension and instance. agentCore: as on Bedrock AgentCore, where only the client token identifies a retry. Defaults to hourly."
  ),
  publicKeyVersions: optionalField(
    Schema.Array(PublicKeyVersion),
    "The key versions that RegisterUsage accepts. Defaults to version 1, not rotated."
  ),
  productId: optionalField(
    ProductId,
    "The product id in EventBridge events. Defaults to one made from the code."
  ),
  landingUrl: optionalField(
    HttpUrl,
    "The seller's registration page, to which AWS Marketplace posts a buyer."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Product extends Schema.Schema.Type<typeof Product> {}

/**
 * The terms of the automatic renewal of an agreement. Events notify the seller of them. The sandbox does not renew agreements
 * automatically: use the operation `renew`.
 *
 * - `lockoutDays`: the days before the end from which the renewal cannot be turned off. `Purchase Agreement Renewal Upcoming`
 *   is sent then. Defaults to no lockout and no such event.
 * - `termsFinalizedDays`: the days before the end at which the price is final. `Purchase Agreement Renewal Terms Finalized` is
 *   sent then. Defaults to no such event.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/notifications-eventbridge.html
 * @since 0.1.0
 * @category models
 */
export const Renewal = Schema.Struct({
  lockoutDays: optionalField(
    Days,
    "The days before the end from which the renewal cannot be turned off. Defaults to no lockout."
  ),
  termsFinalizedDays: optionalField(
    Days,
    "The days before the end at which the price is final. Defaults to no event of that."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Renewal extends Schema.Schema.Type<typeof Renewal> {}

/**
 * A customer's agreement for a product.
 *
 * Products listed since June 2026 always issue a license. An older product may issue one as well, beside the
 * customer's legacy identifier.
 *
 * - `productCode`: a product of the scenario
 * - `licenseArn`: the license. Defaults to none.
 * - `startsAt`: the start. Until then the agreement is pending, and earlier usage is rejected. Defaults to no limit.
 * - `cancelledAt`: the time of cancellation. Usage is accepted for one more hour. Defaults to none.
 * - `endsAt`: the end. Usage before it is accepted for one more hour, and usage of that time or later is rejected. Defaults
 *   to no limit.
 * - `entitlements`: the entitlements of a contract, for GetEntitlements. Defaults to none.
 * - `agreementId`, `offerId`: the ids in events. Default to ids that are derived from account, product and position.
 * - `intent`: the reason for the agreement: `NEW`, `RENEW` or `REPLACE`. Defaults to `NEW`.
 * - `previousAgreementId`: the agreement that this one renews or replaces. Defaults to none.
 * - `acceptedAt`: the time at which the buyer accepted the offer. Defaults to `startsAt`.
 * - `freeTrial`: true for a free trial. Defaults to false.
 * - `privateOffer`: true for a private offer. Defaults to false.
 * - `reseller`: the AWS account of the channel partner that made the offer (CPPO). Defaults to none, for an offer of
 *   the seller.
 * - `renewal`: the terms of the agreement's automatic renewal. Defaults to none.
 * - `endReason`: the reason for the end at `cancelledAt`. Defaults to `CANCELLED`. An end at `endsAt` is `EXPIRED`.
 * - `deprovisionedAt`: the start of the last hour of usage, if `finalHourStartsAt` of the rules is `deprovisioned`. Defaults to
 *   the end.
 * - `failedAt`: the time at which the buyer's payment failed. From then on no usage is accepted. Defaults to none.
 * - `advisory`: true between an advisory and its resolution. Defaults to false.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/saas-notification.html
 * @since 0.1.0
 * @category models
 */
export const Agreement = Schema.Struct({
  productCode: field(ProductCode, "A product of the scenario."),
  licenseArn: optionalField(
    LicenseArn,
    "The license. Absent for most products listed before June 2026."
  ),
  startsAt: optionalField(Time, "The start. Until then the agreement is pending."),
  cancelledAt: optionalField(Time, "The cancellation. Usage is accepted for one more hour."),
  endsAt: optionalField(Time, "The end. Usage before it is accepted for one more hour."),
  entitlements: optionalField(
    Schema.Array(Entitlement),
    "The entitlements of a contract, for GetEntitlements. Defaults to none."
  ),
  agreementId: optionalField(
    AgreementId,
    "The id in events. Defaults to one made from account, product and position."
  ),
  offerId: optionalField(
    OfferId,
    "The offer's id in events. Defaults to one made from account, product and position."
  ),
  intent: optionalField(
    Schema.Literal("NEW", "RENEW", "REPLACE"),
    "The reason for the agreement. Defaults to NEW."
  ),
  previousAgreementId: optionalField(
    AgreementId,
    "The agreement that this one renews or replaces."
  ),
  acceptedAt: optionalField(Time, "The acceptance of the offer. Defaults to startsAt."),
  freeTrial: optionalField(Schema.Boolean, "True for a free trial. Defaults to false."),
  privateOffer: optionalField(Schema.Boolean, "True for a private offer. Defaults to false."),
  reseller: optionalField(
    CustomerAWSAccountId,
    "The AWS account of the channel partner that made the offer. Defaults to the seller's own offer."
  ),
  renewal: optionalField(
    Renewal,
    "The terms of an automatic renewal, of which events notify the seller. Defaults to none."
  ),
  endReason: optionalField(
    Schema.Literal("CANCELLED", "TERMINATED", "RENEWED", "REPLACED"),
    "The reason for the end at cancelledAt. Defaults to CANCELLED."
  ),
  deprovisionedAt: optionalField(
    Time,
    "The start of the last hour of usage, where it is not the end. Defaults to the end."
  ),
  failedAt: optionalField(Time, "The failure of the payment. From then on no usage is accepted."),
  advisory: optionalField(
    Schema.Boolean,
    "True between an advisory and its resolution. Defaults to false."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Agreement extends Schema.Schema.Type<typeof Agreement> {}

/**
 * A customer and its agreements.
 *
 * - `customerAWSAccountId`: the buyer's AWS account
 * - `customerIdentifier`: the legacy identifier, for products listed before June 2026. Defaults to none.
 * - `suspended`: true rejects all usage of the AWS account. Defaults to false.
 * - `agreements`: the agreements. A customer without agreements is known but not subscribed.
 *
 * @since 0.1.0
 * @category models
 */
export const Customer = Schema.Struct({
  customerAWSAccountId: field(CustomerAWSAccountId, "The buyer's AWS account."),
  customerIdentifier: optionalField(
    CustomerIdentifier,
    "The legacy identifier, for products listed before June 2026."
  ),
  suspended: optionalField(
    Schema.Boolean,
    "True rejects all usage of the AWS account. Defaults to false."
  ),
  agreements: field(
    Schema.Array(Agreement),
    "The customer's agreements. Without one, the customer is known but not subscribed."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Customer extends Schema.Schema.Type<typeof Customer> {}

/**
 * The caller of MeterUsage and RegisterUsage. The service derives it from the credentials.
 *
 * - `customerAWSAccountId`: the account of a customer of the scenario
 * - `instanceId`: any name of the instance, task or pod in this account
 * - `supportedPlatform`: false makes RegisterUsage fail with `PlatformNotSupportedException`. Defaults to true.
 *
 * @since 0.1.0
 * @category models
 */
export const Caller = Schema.Struct({
  customerAWSAccountId: field(
    CustomerAWSAccountId,
    "The account of one of the scenario's customers."
  ),
  instanceId: field(NonEmptyText, "Any name of the instance, task or pod in this account."),
  supportedPlatform: optionalField(
    Schema.Boolean,
    "False makes RegisterUsage fail with PlatformNotSupportedException. Defaults to true."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Caller extends Schema.Schema.Type<typeof Caller> {}

/**
 * An access key that may sign requests to the sandbox's server.
 *
 * - `accessKeyId`: 1 to 128 characters, without spaces, commas and slashes
 * - `secretAccessKey`: the secret
 * - `sessionToken`: the session token that requests must carry. Defaults to none.
 * - `expiration`: the time from which requests fail with `ExpiredTokenException`. Defaults to none.
 * - `allow`: the only operations that the key may call. Defaults to all.
 * - `caller`: the caller of MeterUsage and RegisterUsage. Defaults to the scenario's caller.
 *
 * @since 0.1.0
 * @category models
 */
export const AccessKey = Schema.Struct({
  accessKeyId: field(AccessKeyId, "The AWS access key id."),
  secretAccessKey: field(Schema.Redacted(NonEmptyText), "The AWS secret access key."),
  sessionToken: optionalField(
    Schema.Redacted(NonEmptyText),
    "The session token that requests must carry."
  ),
  expiration: optionalField(Time, "The time from which requests fail as expired."),
  allow: optionalField(
    Schema.Array(OperationName),
    "The only operations that the key may call. Defaults to all."
  ),
  caller: optionalField(
    Caller,
    "The caller of MeterUsage and RegisterUsage. Defaults to the scenario's caller."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface AccessKey extends Schema.Schema.Type<typeof AccessKey> {}

const quota = optionalField(
  Schema.Positive.annotations({ identifier: "Rate", title: "Rate" }),
  "Calls per second, with a burst of the same size. Defaults to no limit."
)

/**
 * The rate limit of each operation, in calls per second with a burst of the same size. Defaults to no limit.
 *
 * @since 0.1.0
 * @category models
 */
export const Quotas = Schema.Struct(forEachName(() => quota))

/**
 * @since 0.1.0
 * @category models
 */
export interface Quotas extends Schema.Schema.Type<typeof Quotas> {}

/**
 * Behavior of the service that AWS does not document, or documents in two ways. A program that bills correctly
 * with every choice is safe with the real service.
 *
 * - `registrationTokenLifetime`: the time for which a registration token can be resolved. Sources say one hour and
 *   four hours. Defaults to "4 hours".
 * - `futureTolerance`: how far usage may lie ahead of the service's clock. Documented is only that usage in the
 *   future is rejected. Defaults to "5 minutes".
 * - `windowBoundary`: the end of the window of accepted usage, 24 hours (MeterUsage: 6). `exact` measures it from now,
 *   `hour` from the start of the current hour, up to an hour more. With `hour`, usage also counts from the
 *   start of the hour in which its agreement starts. Documented is that usage of 24 hours ago or more is rejected;
 *   observed was `timestamp >= startOfHour(now) - window`. Defaults to `exact`.
 * - `mixedProducts`: the exception for a BatchMeterUsage call with licenses of two products. Documented is that a
 *   request is for only one product. Defaults to `InvalidLicenseException`.
 * - `unknownCustomer`: the result for an unknown customer: the status `CustomerNotSubscribed`, or
 *   `InvalidCustomerIdentifierException` for the whole call. Both are documented; the exception is certain only for
 *   an identifier of invalid form. Defaults to `CustomerNotSubscribed`.
 * - `otherAllocations`: the result for usage with the same quantity and other allocations: `duplicate`, or `same`.
 *   Documented is only the result for another quantity. Defaults to `duplicate`.
 * - `emptyTagValue`: the result for an empty tag value: `accepted`, or `rejected` with `InvalidTagException`.
 *   AWS's text allows it, its pattern does not. Defaults to `accepted`.
 * - `dryRun`: the response to a successful dry run: the error `DryRunOperation`, as documented (`error`), or a 200
 *   with that text as record id, as observed (`response`). Defaults to `error`.
 * - `idempotencyConflictStatus`: the HTTP status of `IdempotencyConflictException`, 400 or 409. One SDK has 409.
 *   Defaults to 400.
 * - `requestSizeLimit`: the smallest size of a rejected request, in bytes. Documented is "1 MB". Defaults to
 *   1 000 000.
 * - `emptyEntitlementPages`: true makes every other page of GetEntitlements, including the first, empty with a `NextToken`.
 *   AWS documents that such pages can occur. Defaults to false.
 * - `landingFields`: the fields of the form that a buyer posts to the seller's page: `documented`, the token and the
 *   type of a free trial, or `observed`, also agreement id, product id and fulfillment URL. Defaults to `documented`.
 * - `licenseEventDelay`: the time from `Purchase Agreement Created` to `License Updated`. Defaults to 61 seconds, as
 *   observed.
 * - `deprovisionedEventDelay`: the time from `Purchase Agreement Ended` to `License Deprovisioned`. AWS documents both no
 *   delay and one hour. Defaults to 31 seconds, as observed.
 * - `finalHourStartsAt`: the event with which the last hour of usage starts after an end: `ended` for `Purchase Agreement
 *   Ended`, `deprovisioned` for `License Deprovisioned`. Versions of AWS's page say both, so a program should report its last
 *   usage within an hour of the earlier event. Agreements without a license have only `Purchase Agreement Ended`. Defaults to
 *   `ended`.
 *
 * @since 0.1.0
 * @category models
 */
export const ServiceBehavior = Schema.Struct({
  registrationTokenLifetime: optionalField(
    DurationInput,
    'The time for which a registration token can be resolved. Defaults to "4 hours".'
  ),
  futureTolerance: optionalField(
    DurationInput,
    'How far usage may lie ahead of the clock. Defaults to "5 minutes".'
  ),
  windowBoundary: optionalField(
    Schema.Literal("exact", "hour"),
    "The window of accepted usage reaches back from now (exact) or from the start of the hour (hour). Defaults to exact."
  ),
  mixedProducts: optionalField(
    Schema.Literal("InvalidLicenseException", "InvalidProductCodeException"),
    "The exception for licenses of two products in one call of BatchMeterUsage. Defaults to InvalidLicenseException."
  ),
  unknownCustomer: optionalField(
    Schema.Literal("CustomerNotSubscribed", "InvalidCustomerIdentifierException"),
    "The result for an unknown customer: a status for the record, or an exception for the call. Defaults to CustomerNotSubscribed."
  ),
  otherAllocations: optionalField(
    Schema.Literal("duplicate", "same"),
    "The result for usage with the same quantity and other allocations. Defaults to duplicate."
  ),
  emptyTagValue: optionalField(
    Schema.Literal("accepted", "rejected"),
    "The result for an empty tag value. Defaults to accepted."
  ),
  dryRun: optionalField(
    Schema.Literal("error", "response"),
    "The response to a successful dry run: the error DryRunOperation, or HTTP 200. Defaults to error."
  ),
  idempotencyConflictStatus: optionalField(
    Schema.Literal(400, 409),
    "The HTTP status of IdempotencyConflictException. Defaults to 400."
  ),
  requestSizeLimit: optionalField(
    PositiveInt,
    "The smallest size of a rejected request, in bytes. Defaults to 1000000."
  ),
  emptyEntitlementPages: optionalField(
    Schema.Boolean,
    "True makes every other page of GetEntitlements empty, with a NextToken. Defaults to false."
  ),
  landingFields: optionalField(
    Schema.Literal("documented", "observed"),
    "The fields of the form that a buyer posts to the seller's page. Defaults to documented."
  ),
  licenseEventDelay: optionalField(
    DurationInput,
    "The time from Purchase Agreement Created to License Updated. Defaults to 61 seconds."
  ),
  deprovisionedEventDelay: optionalField(
    DurationInput,
    "The time from Purchase Agreement Ended to License Deprovisioned. Defaults to 31 seconds."
  ),
  finalHourStartsAt: optionalField(
    Schema.Literal("ended", "deprovisioned"),
    "The event with which the last hour of usage starts: Purchase Agreement Ended (ended) or License Deprovisioned (deprovisioned). Defaults to ended."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface ServiceBehavior extends Schema.Schema.Type<typeof ServiceBehavior> {}

/**
 * The initial state of a sandbox.
 *
 * - `region`: the Region of the sandbox's endpoint
 * - `products`: the seller's products
 * - `customers`: the buyers, with their agreements
 * - `caller`: the caller of MeterUsage and RegisterUsage. Defaults to the first customer.
 * - `credentials`: the access keys that may sign requests. Defaults to `sandbox` / `sandbox`.
 * - `rules`: behavior that AWS does not document. Defaults to `defaultServiceBehavior`.
 * - `quotas`: rate limits of the operations. Defaults to no limits.
 * - `faults`: faults to inject. Defaults to none.
 * - `sellerAccount`: the seller's AWS account in EventBridge events. Defaults to 999988887777.
 * - `targets`: the receivers of events. `SandboxServer.layer` delivers events to them. Defaults to none.
 * - `deliveryFaults`: faults of delivery. Defaults to none.
 * - `now`: the initial time of the sandbox's clock, which applies to usage, agreements and tokens. Signatures and the `Date`
 *   header use the machine's clock, so that clients with a correct clock can sign. Defaults to the machine's time.
 *
 * @example
 * ```ts
 * import type { Scenario } from "effect-marketplace-metering/sandbox"
 *
 * const scenario: Scenario.Scenario = {
 *   region: "eu-west-1",
 *   products: [{ code: "my-product", dimensions: ["requests"] }],
 *   customers: [
 *     { customerAWSAccountId: "111122223333", agreements: [{ productCode: "my-product" }] }
 *   ],
 *   rules: { windowBoundary: "hour" }
 * }
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export const Scenario = Schema.Struct({
  region: field(NonEmptyText, "The Region of the sandbox's endpoint."),
  products: field(Schema.Array(Product), "The seller's products."),
  customers: field(Schema.Array(Customer), "The buyers, with their agreements."),
  caller: optionalField(
    Caller,
    "The caller of MeterUsage and RegisterUsage. Defaults to the first customer."
  ),
  credentials: optionalField(
    Schema.NonEmptyArray(AccessKey),
    "The access keys that may sign requests. Defaults to sandbox / sandbox."
  ),
  rules: optionalField(ServiceBehavior, "Behavior of the service that AWS does not document."),
  quotas: optionalField(Quotas, "The rate limits of the operations. Defaults to no limits."),
  faults: optionalField(Faults, "The faults to inject. Defaults to none."),
  sellerAccount: optionalField(
    CustomerAWSAccountId,
    "The seller's AWS account in EventBridge events. Defaults to 999988887777."
  ),
  targets: optionalField(Schema.Array(Target), "The receivers of events. Defaults to none."),
  deliveryFaults: optionalField(DeliveryFaults, "The faults of delivery. Defaults to none."),
  now: optionalField(
    Time,
    "The start of the sandbox's clock, from which it runs on. Defaults to the machine's time."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Scenario extends Schema.Schema.Type<typeof Scenario> {}
