/** The pages to which a buyer is sent. */

/** The page of this server that stands in for the seller's. */
export const builtInLanding = "/_sandbox/built-in/landing"
