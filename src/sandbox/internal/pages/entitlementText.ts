import type { Entitlement } from "../../Scenario.js"

/** Describes the entitlements of an agreement, such as `seats 25`. */
export const entitlementText = (entitlements: ReadonlyArray<typeof Entitlement.Encoded> = []) =>
  entitlements
    .map(({ dimension, value }) => `${dimension} ${Object.values(value).join()}`)
    .join(", ") || "none"
