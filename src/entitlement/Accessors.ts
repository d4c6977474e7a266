/**
 * The names of the Haskell package `amazonka-marketplace-entitlement`: lenses, matchers and smart constructors.
 *
 * They help to port programs from it, and work like those of `Accessors` in `effect-marketplace-metering`:
 *
 * - Each lens has its names of versions 1.6 and 2.0, such as `eDimension` and `entitlement_dimension`. Both are the same
 *   optic. Fields that AWS added later follow the same pattern.
 * - A `Maybe` is an `Option`. `None` removes the key.
 * - The map of filters is the class `EntitlementFilter`.
 * - A lens does not validate. Sending validates.
 *
 * @example
 * ```ts
 * import { Option, pipe } from "effect"
 * import { Optic } from "effect-marketplace-metering"
 * import { Accessors, EntitlementClient } from "effect-marketplace-metering/entitlement"
 *
 * const firstTen = pipe(
 *   Accessors.getEntitlements("sandbox-analytics"),
 *   Optic.replace(Accessors.geMaxResults, Option.some(10))
 * )
 *
 * const program = EntitlementClient.getEntitlements(firstTen)
 * ```
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import { errorOf, optionalKey, requiredKey } from "../internal/lenses.js"
import type * as Optic from "../Optic.js"
import { Entitlement, EntitlementValue } from "./Entitlement.js"
import {
  type EntitlementFilter,
  type GetEntitlementsError,
  type GetEntitlementsRequest,
  GetEntitlementsResponse,
  make
} from "./GetEntitlements.js"

/**
 * Names, API version, endpoint prefix and signing name of the service.
 *
 * @since 0.1.0
 * @category constants
 */
export { marketplaceEntitlement } from "./internal/serviceModel.js"

/**
 * The product code.
 *
 * @since 0.1.0
 * @category GetEntitlementsRequest
 */
export const geProductCode: Optic.Lens<GetEntitlementsRequest, string> = requiredKey("productCode")

/**
 * The filter. `None` selects all entitlements of the product.
 *
 * @since 0.1.0
 * @category GetEntitlementsRequest
 */
export const geFilter: Optic.Lens<
  GetEntitlementsRequest,
  Option.Option<EntitlementFilter>
> = optionalKey("filter")

/**
 * The `nextToken` of the page before. `None` for the first page.
 *
 * @since 0.1.0
 * @category GetEntitlementsRequest
 */
export const geNextToken: Optic.Lens<GetEntitlementsRequest, Option.Option<string>> = optionalKey(
  "nextToken"
)

/**
 * The maximum number of entitlements on the page, 1 to 25.
 *
 * @since 0.1.0
 * @category GetEntitlementsRequest
 */
export const geMaxResults: Optic.Lens<GetEntitlementsRequest, Option.Option<number>> = optionalKey(
  "maxResults"
)

/**
 * The buyers' AWS accounts.
 *
 * @since 0.1.0
 * @category EntitlementFilter
 */
export const efCustomerAWSAccountId: Optic.Lens<
  EntitlementFilter,
  Option.Option<Arr.NonEmptyReadonlyArray<string>>
> = optionalKey("customerAWSAccountId")

/**
 * The buyers' identifiers in older listings.
 *
 * @since 0.1.0
 * @category EntitlementFilter
 */
export const efCustomerIdentifier: Optic.Lens<
  EntitlementFilter,
  Option.Option<Arr.NonEmptyReadonlyArray<string>>
> = optionalKey("customerIdentifier")

/**
 * The dimensions, as named in the listing. Case-sensitive.
 *
 * @since 0.1.0
 * @category EntitlementFilter
 */
export const efDimension: Optic.Lens<
  EntitlementFilter,
  Option.Option<Arr.NonEmptyReadonlyArray<string>>
> = optionalKey("dimension")

/**
 * The licenses of agreements.
 *
 * @since 0.1.0
 * @category EntitlementFilter
 */
export const efLicenseArn: Optic.Lens<
  EntitlementFilter,
  Option.Option<Arr.NonEmptyReadonlyArray<string>>
> = optionalKey("licenseArn")

/**
 * The entitlements of the page.
 *
 * @since 0.1.0
 * @category GetEntitlementsResponse
 */
export const gersEntitlements: Optic.Lens<
  GetEntitlementsResponse,
  ReadonlyArray<Entitlement>
> = requiredKey("entitlements")

/**
 * The token that leads to the next page. `None` on the last page.
 *
 * @since 0.1.0
 * @category GetEntitlementsResponse
 */
export const gersNextToken: Optic.Lens<
  GetEntitlementsResponse,
  Option.Option<string>
> = optionalKey("nextToken")

/**
 * The HTTP status of the response.
 *
 * @since 0.1.0
 * @category GetEntitlementsResponse
 */
export const gersResponseStatus: Optic.Lens<GetEntitlementsResponse, number> =
  requiredKey("statusCode")

/**
 * The product code.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eProductCode: Optic.Lens<Entitlement, Option.Option<string>> = optionalKey(
  "productCode"
)

/**
 * The dimension, as named in the listing.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eDimension: Optic.Lens<Entitlement, Option.Option<string>> = optionalKey("dimension")

/**
 * The buyer's identifier in older listings.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eCustomerIdentifier: Optic.Lens<Entitlement, Option.Option<string>> = optionalKey(
  "customerIdentifier"
)

/**
 * The buyer's AWS account: 12 digits.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eCustomerAWSAccountId: Optic.Lens<Entitlement, Option.Option<string>> = optionalKey(
  "customerAWSAccountId"
)

/**
 * The license of the agreement.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eLicenseArn: Optic.Lens<Entitlement, Option.Option<string>> = optionalKey("licenseArn")

/**
 * The capacity that the customer is entitled to.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eValue: Optic.Lens<Entitlement, Option.Option<EntitlementValue>> = optionalKey("value")

/**
 * The end of the current contract, UTC.
 *
 * @since 0.1.0
 * @category Entitlement
 */
export const eExpirationDate: Optic.Lens<Entitlement, Option.Option<DateTime.Utc>> = optionalKey(
  "expirationDate"
)

/**
 * The value of an entitlement of the type integer.
 *
 * @since 0.1.0
 * @category EntitlementValue
 */
export const evIntegerValue: Optic.Lens<EntitlementValue, Option.Option<number>> = optionalKey(
  "integerValue"
)

/**
 * The value of an entitlement of the type double.
 *
 * @since 0.1.0
 * @category EntitlementValue
 */
export const evDoubleValue: Optic.Lens<EntitlementValue, Option.Option<number>> = optionalKey(
  "doubleValue"
)

/**
 * The value of an entitlement of the type boolean.
 *
 * @since 0.1.0
 * @category EntitlementValue
 */
export const evBooleanValue: Optic.Lens<EntitlementValue, Option.Option<boolean>> = optionalKey(
  "booleanValue"
)

/**
 * The value of an entitlement of the type string.
 *
 * @since 0.1.0
 * @category EntitlementValue
 */
export const evStringValue: Optic.Lens<EntitlementValue, Option.Option<string>> = optionalKey(
  "stringValue"
)

const exception = errorOf<GetEntitlementsError>()

/**
 * Matches `InvalidParameterException`: a parameter of the request is not valid.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidParameterException = exception("InvalidParameterException")

/**
 * Matches `ThrottlingException`: the calls exceed the rate that the service allows.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _ThrottlingException = exception("ThrottlingException")

/**
 * Matches `InternalServiceErrorException`: the service had an internal error.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InternalServiceErrorException = exception("InternalServiceErrorException")

/**
 * Makes a request for the first page of a product. Throws `InvalidInputError` if the product code is invalid.
 *
 * @since 0.1.0
 * @category constructors
 */
export const getEntitlements = (productCode: string): GetEntitlementsRequest =>
  make({ productCode })

/**
 * Makes an empty page with this HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const getEntitlementsResponse = (statusCode: number): GetEntitlementsResponse =>
  new GetEntitlementsResponse({ statusCode })

/**
 * Makes an entitlement without fields.
 *
 * @since 0.1.0
 * @category constructors
 */
export const entitlement = (): Entitlement => new Entitlement({})

/**
 * Makes a value without fields.
 *
 * @since 0.1.0
 * @category constructors
 */
export const entitlementValue = (): EntitlementValue => new EntitlementValue({})

/**
 * The lens's name in version 2.0 of `amazonka-marketplace-entitlement`: the same optic.
 *
 * @since 0.1.0
 * @category 2.0 names
 */
export {
  eCustomerAWSAccountId as entitlement_customerAWSAccountId,
  eCustomerIdentifier as entitlement_customerIdentifier,
  eDimension as entitlement_dimension,
  eExpirationDate as entitlement_expirationDate,
  efCustomerAWSAccountId as entitlementFilter_customerAWSAccountId,
  efCustomerIdentifier as entitlementFilter_customerIdentifier,
  efDimension as entitlementFilter_dimension,
  efLicenseArn as entitlementFilter_licenseArn,
  eLicenseArn as entitlement_licenseArn,
  eProductCode as entitlement_productCode,
  eValue as entitlement_value,
  evBooleanValue as entitlementValue_booleanValue,
  evDoubleValue as entitlementValue_doubleValue,
  evIntegerValue as entitlementValue_integerValue,
  evStringValue as entitlementValue_stringValue,
  geFilter as getEntitlements_filter,
  geMaxResults as getEntitlements_maxResults,
  geNextToken as getEntitlements_nextToken,
  geProductCode as getEntitlements_productCode,
  gersEntitlements as getEntitlementsResponse_entitlements,
  gersNextToken as getEntitlementsResponse_nextToken,
  gersResponseStatus as getEntitlementsResponse_httpStatus
}
