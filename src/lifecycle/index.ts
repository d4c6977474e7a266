/**
 * Receives the events that AWS Marketplace sends to a seller about subscriptions, agreements and licenses. For Node.js, Bun and
 * Deno.
 *
 * @since 0.1.0
 */

/**
 * The events of AWS Marketplace.
 *
 * @since 0.1.0
 */
export * as MarketplaceEvent from "./MarketplaceEvent.js"
/**
 * An HTTP endpoint for an SNS subscription.
 *
 * @since 0.1.0
 */
export * as SnsEndpoint from "./SnsEndpoint.js"

/**
 * The errors of messages that SNS sends over HTTP.
 *
 * @since 0.1.0
 */
export * as SnsError from "./SnsError.js"
/**
 * Messages that SNS sends over HTTP.
 *
 * @since 0.1.0
 */
export * as SnsMessage from "./SnsMessage.js"
/**
 * Evidence that a message comes from AWS.
 *
 * @since 0.1.0
 */
export * as Trust from "./Trust.js"
