/** The schemas of the entitlements in a scenario. */
import * as Schema from "effect/Schema"
import { Dimension, field, optionalField, Time } from "./scenarioFields.js"

const Integer = Schema.Int.annotations({
  identifier: "Integer",
  title: "Integer",
  description: "a whole number"
})

const Double = Schema.Finite.annotations({
  identifier: "Double",
  title: "Double",
  description: "a finite number"
})

/**
 * The value of an entitlement: one of `integerValue`, `doubleValue`, `booleanValue` and `stringValue`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_EntitlementValue.html
 * @since 0.1.0
 * @category models
 */
export const EntitlementValue = Schema.Union(
  Schema.Struct({ integerValue: field(Integer, "A whole number, such as a number of seats.") }),
  Schema.Struct({ doubleValue: field(Double, "A number.") }),
  Schema.Struct({ booleanValue: field(Schema.Boolean, "True for a feature that was bought.") }),
  Schema.Struct({ stringValue: field(Schema.String, "A text.") })
)

/**
 * @since 0.1.0
 * @category models
 */
export type EntitlementValue = typeof EntitlementValue.Type

/**
 * An entitlement that an agreement grants, from the start of the agreement until it ends or is cancelled.
 *
 * - `dimension`: a dimension of the product, of its usage or of its contracts
 * - `value`: the capacity
 * - `expirationDate`: the expiration date in responses of GetEntitlements. Defaults to the end of the agreement.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_Entitlement.html
 * @since 0.1.0
 * @category models
 */
export const Entitlement = Schema.Struct({
  dimension: field(Dimension, "A dimension of the product, of its usage or of its contracts."),
  value: field(EntitlementValue, "The capacity."),
  expirationDate: optionalField(
    Time,
    "The expiration date in responses. Defaults to the end of the agreement."
  )
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Entitlement extends Schema.Schema.Type<typeof Entitlement> {}
