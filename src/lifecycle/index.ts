/**
 * The lifecycle of subscriptions: what AWS Marketplace reports to a seller. For Node.js, Bun and Deno.
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
 * Evidence that a message comes from AWS.
 *
 * @since 0.1.0
 */
export * as Trust from "./Trust.js"
