/** The path of the built-in registration page, which replaces the seller's page. */
export const builtInLanding = "/_sandbox/built-in/landing"
