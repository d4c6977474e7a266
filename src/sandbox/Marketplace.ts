/**
 * Inputs of the actions of buyers on AWS Marketplace, which a test performs in a sandbox.
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
import { Agreement, Entitlement } from "./Scenario.js"

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
 * - `productCode`, `licenseArn`: the product or the license of the agreements. Defaults to all agreements.
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
