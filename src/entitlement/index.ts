/**
 * Entitlements of customers by contract, from the AWS Marketplace Entitlement Service.
 *
 * @since 0.1.0
 */

/**
 * The names of the Haskell package `amazonka-marketplace-entitlement`.
 *
 * @since 0.1.0
 */
export * as Accessors from "./Accessors.js"

/**
 * A customer's entitlement to one dimension of a product, and its value.
 *
 * @since 0.1.0
 */
export * as Entitlement from "./Entitlement.js"

/**
 * The client of the service.
 *
 * @since 0.1.0
 */
export * as EntitlementClient from "./EntitlementClient.js"

/**
 * Configuration of the client: Region, endpoint, request timeout and skipped preflight rules.
 *
 * @since 0.1.0
 */
export * as EntitlementConfig from "./EntitlementConfig.js"

/**
 * The errors that only calls of this service have.
 *
 * @since 0.1.0
 */
export * as EntitlementError from "./EntitlementError.js"

/**
 * The operation GetEntitlements: its request, its response and its errors.
 *
 * @since 0.1.0
 */
export * as GetEntitlements from "./GetEntitlements.js"
