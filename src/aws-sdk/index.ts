/**
 * The client over the official SDK.
 *
 * @since 0.1.0
 */

/**
 * The tag `MeteringClient` over `@aws-sdk/client-marketplace-metering`.
 *
 * @since 0.1.0
 */
export * as AwsSdkClient from "./AwsSdkClient.js"
