/**
 * The entitlement client over the official SDK.
 *
 * @since 0.1.0
 */

/**
 * The tag `EntitlementClient` over `@aws-sdk/client-marketplace-entitlement-service`.
 *
 * @since 0.1.0
 */
export * as AwsSdkEntitlementClient from "./AwsSdkEntitlementClient.js"
