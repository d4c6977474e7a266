/**
 * A customer's entitlement to one dimension of a product, and its value.
 *
 * The signed entitlement of a container, in the response to RegisterUsage, is verified by the module `Entitlement` of
 * `effect-marketplace-metering` itself.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { optionalField, Timestamp } from "../internal/schema/fields.js"

/**
 * The value of an entitlement, as the service returns it: one of `integerValue`, `doubleValue`, `booleanValue` and
 * `stringValue`, by the type of the dimension. `valueOf` reads the one that is present.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_EntitlementValue.html
 * @since 0.1.0
 * @category models
 */
export class EntitlementValue extends Schema.Class<EntitlementValue>(
  "effect-marketplace-metering/entitlement/EntitlementValue"
)({
  integerValue: optionalField("IntegerValue", Schema.Number),
  doubleValue: optionalField("DoubleValue", Schema.Number),
  booleanValue: optionalField("BooleanValue", Schema.Boolean),
  stringValue: optionalField("StringValue", Schema.String)
}) {}

/**
 * Capacity in a product that a customer has bought, such as a number of seats. The service may leave out any field.
 *
 * - `productCode`, `dimension`: the product and the dimension, as in the listing
 * - `customerAWSAccountId`: the buyer's AWS account
 * - `customerIdentifier`: the buyer's identifier in older listings
 * - `licenseArn`: the license of the agreement. One customer can have several agreements for a product.
 * - `value`: the capacity. Read it by `valueOf`.
 * - `expirationDate`: the end of the current contract, UTC. The entitlement is valid at least until then, and longer if
 *   the contract is renewed.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_Entitlement.html
 * @since 0.1.0
 * @category models
 */
export class Entitlement extends Schema.Class<Entitlement>(
  "effect-marketplace-metering/entitlement/Entitlement"
)({
  productCode: optionalField("ProductCode", Schema.String),
  dimension: optionalField("Dimension", Schema.String),
  customerIdentifier: optionalField("CustomerIdentifier", Schema.String),
  customerAWSAccountId: optionalField("CustomerAWSAccountId", Schema.String),
  value: optionalField("Value", EntitlementValue),
  expirationDate: optionalField("ExpirationDate", Timestamp),
  licenseArn: optionalField("LicenseArn", Schema.String)
}) {}

/**
 * The value of an entitlement with its type. `None` is an entitlement without a value, or with one of a type that this
 * version does not know.
 *
 * @since 0.1.0
 * @category models
 */
export type Value =
  | { readonly _tag: "Integer"; readonly value: number }
  | { readonly _tag: "Double"; readonly value: number }
  | { readonly _tag: "Boolean"; readonly value: boolean }
  | { readonly _tag: "String"; readonly value: string }
  | { readonly _tag: "None" }

/**
 * Reads the value of an entitlement.
 *
 * @example
 * ```ts
 * import { Match } from "effect"
 * import { Entitlement } from "effect-marketplace-metering/entitlement"
 *
 * const seats = Match.type<Entitlement.Value>().pipe(
 *   Match.tag("Integer", "Double", ({ value }) => value),
 *   Match.orElse(() => 0)
 * )
 * const entitlement = new Entitlement.Entitlement({
 *   dimension: "seats",
 *   value: new Entitlement.EntitlementValue({ integerValue: 25 })
 * })
 *
 * seats(Entitlement.valueOf(entitlement)) // 25
 * ```
 *
 * @since 0.1.0
 * @category getters
 */
export const valueOf = ({ value }: Entitlement): Value => {
  if (value?.integerValue !== undefined) return { _tag: "Integer", value: value.integerValue }
  if (value?.doubleValue !== undefined) return { _tag: "Double", value: value.doubleValue }
  if (value?.booleanValue !== undefined) return { _tag: "Boolean", value: value.booleanValue }
  if (value?.stringValue !== undefined) return { _tag: "String", value: value.stringValue }
  return { _tag: "None" }
}
