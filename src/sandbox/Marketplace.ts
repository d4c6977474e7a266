/**
 * What buyers do on AWS Marketplace, as a sandbox lets a test do it in their place.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  CustomerAWSAccountId,
  CustomerIdentifier,
  LicenseArn,
  NonEmptyText,
  Time
} from "./internal/scenario/scenarioFields.js"
import { Agreement } from "./Scenario.js"

const identity = {
  customerAWSAccountId: Schema.optional(NonEmptyText),
  customerIdentifier: Schema.optional(NonEmptyText)
}

/**
 * A customer by either of its identities. The first of the scenario that has an agreement, when both are left
 * out.
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
 * A customer, and which of its agreements: of this product, or with this licence. Where neither is said, all
 * that it has.
 *
 * @since 0.1.0
 * @category models
 */
export const AgreementSelector = Schema.Struct({
  ...identity,
  productCode: Schema.optional(NonEmptyText),
  licenseArn: Schema.optional(NonEmptyText)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface AgreementSelector extends Schema.Schema.Type<typeof AgreementSelector> {}

/**
 * A customer that AWS Marketplace does not know yet. One that is known gets what is new of its agreements.
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
 * A customer's subscribing to a product. A licence is issued unless one is given, or `null` where there is
 * to be none, as for a product listed before June 2026. It begins at once and does not end, unless told otherwise.
 *
 * @since 0.1.0
 * @category models
 */
export const Subscription = Schema.Struct({
  ...identity,
  productCode: NonEmptyText,
  licenseArn: Schema.optional(Schema.NullOr(LicenseArn)),
  startsAt: Schema.optional(Time),
  endsAt: Schema.optional(Time)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Subscription extends Schema.Schema.Type<typeof Subscription> {}
