/**
 * The service's rules for requests, which are checked before anything is sent.
 *
 * Each rule can be skipped by its name: when AWS raises a limit, an application need not wait for a release of this
 * library. Types are not rules and are always checked. Rules between fields are checked after the fields themselves are
 * valid, so that an invalid quantity is not also reported as a sum that does not match.
 *
 * @example
 * ```ts
 * import { MeteringConfig } from "effect-marketplace-metering"
 *
 * const ConfigLive = MeteringConfig.layer({ region: "us-east-1", skipRules: ["recordCount"] })
 * ```
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The name of a preflight rule.
 *
 * - `recordCount`: at most 25 usage records in a call
 * - `requestSize`: a request of less than 1 000 000 bytes
 * - `productCodeOrLicense`: a product code on the call or a license on its records, not both, not neither
 * - `oneCustomerIdentity`: exactly one of `customerIdentifier` and `customerAWSAccountId` on a record, at most one in a
 *   filter of entitlements
 * - `quantity`: a whole number from 0 to 2 147 483 647
 * - `dimension`, `customerIdentifier`, `customerAWSAccountId`, `licenseArn`, `productCode`, `clientToken`, `nonce`,
 *   `publicKeyVersion`: length and format of that field
 * - `registrationToken`: a registration token of 1 to 16 384 characters
 * - `allocationCount`: 1 to 2500 allocations
 * - `allocationSum`: allocated quantities add up to the record's quantity
 * - `allocationTagSets`: no two allocations have the same set of tags
 * - `allocationTagKeys`: at most 5 different tag keys in all allocations of a record
 * - `tagCount`: 1 to 5 tags on an allocation
 * - `tagKey`, `tagValue`: length and format of a tag
 * - `filterValues`: 1 or more values in each field of a filter of entitlements
 * - `maxResults`, `nextToken`: format of that field of a request for entitlements
 *
 * @example
 * ```ts
 * import { Schema } from "effect"
 * import { Preflight } from "effect-marketplace-metering"
 *
 * const rules = Schema.decodeUnknownEither(Schema.Array(Preflight.Rule))(["recordCount"])
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_Operations_AWSMarketplace_Metering.html
 * @since 0.1.0
 * @category models
 */
export const Rule = Schema.Literal(
  "recordCount",
  "requestSize",
  "productCodeOrLicense",
  "oneCustomerIdentity",
  "quantity",
  "dimension",
  "customerIdentifier",
  "customerAWSAccountId",
  "licenseArn",
  "productCode",
  "clientToken",
  "nonce",
  "publicKeyVersion",
  "registrationToken",
  "allocationCount",
  "allocationSum",
  "allocationTagSets",
  "allocationTagKeys",
  "tagCount",
  "tagKey",
  "tagValue",
  "filterValues",
  "maxResults",
  "nextToken"
)

/**
 * The name of a preflight rule.
 *
 * @since 0.1.0
 * @category models
 */
export type Rule = typeof Rule.Type
