/**
 * GetEntitlements: the entitlements of a product's customers, page by page.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { type MakeOptions, maker, makerEither } from "../internal/schema/construct.js"
import {
  CustomerAWSAccountId,
  CustomerIdentifier,
  Dimension,
  field,
  LicenseArn,
  noIssues,
  optionalField,
  optionalWithDefault,
  ProductCode,
  rule,
  structRule
} from "../internal/schema/fields.js"
import { responseFields } from "../internal/schema/responseFields.js"
import * as MeteringError from "../MeteringError.js"
import type { Operation } from "../Operation.js"
import { Entitlement } from "./Entitlement.js"
import { InvalidParameterException } from "./EntitlementError.js"
import { marketplaceEntitlement } from "./internal/serviceModel.js"

export { marketplaceEntitlement }

const valuesOf = (value: Schema.Schema<string>) =>
  Schema.NonEmptyArray(value).pipe(
    rule("filterValues", "1 or more values", (values) => values.length > 0)
  )

/**
 * Selects the entitlements that match every field that is present. A field matches by any of its values.
 *
 * - `customerAWSAccountId` or, in older listings, `customerIdentifier`: the buyers, by one of the two
 * - `dimension`: dimensions of the product, case-sensitive
 * - `licenseArn`: licenses of agreements
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_GetEntitlements.html
 * @since 0.1.0
 * @category models
 */
export class EntitlementFilter extends Schema.Class<EntitlementFilter>(
  "effect-marketplace-metering/entitlement/EntitlementFilter"
)(
  Schema.Struct({
    customerAWSAccountId: optionalField("CUSTOMER_AWS_ACCOUNT_ID", valuesOf(CustomerAWSAccountId)),
    customerIdentifier: optionalField("CUSTOMER_IDENTIFIER", valuesOf(CustomerIdentifier)),
    dimension: optionalField("DIMENSION", valuesOf(Dimension)),
    licenseArn: optionalField("LICENSE_ARN", valuesOf(LicenseArn))
  }).pipe(
    structRule(
      "oneCustomerIdentity",
      "customerAWSAccountId or customerIdentifier, not both",
      ({ customerAWSAccountId, customerIdentifier }) =>
        customerAWSAccountId === undefined || customerIdentifier === undefined
          ? noIssues
          : [
              {
                path: ["customerIdentifier"],
                expected: "no customerIdentifier beside a customerAWSAccountId"
              }
            ]
    )
  )
) {}

const nextTokenForm = "the nextToken of the page before"

/**
 * A request for one page of the entitlements of a product.
 *
 * - `productCode`: 1 to 255 characters, a product of the calling seller
 * - `filter`: the entitlements to return. Defaults to all of the product.
 * - `maxResults`: the maximum number of entitlements on the page, 1 to 25. The service defaults to a number that AWS
 *   does not document.
 * - `nextToken`: the `nextToken` of the page before. All other fields must be the same. Defaults to the first page.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_GetEntitlements.html
 * @since 0.1.0
 * @category models
 */
export class GetEntitlementsRequest extends Schema.Class<GetEntitlementsRequest>(
  "effect-marketplace-metering/entitlement/GetEntitlementsRequest"
)({
  productCode: field("ProductCode", ProductCode),
  filter: optionalField("Filter", EntitlementFilter),
  nextToken: optionalField(
    "NextToken",
    Schema.String.pipe(
      // the token is opaque, so only a blank one is invalid
      structRule(
        "nextToken",
        nextTokenForm,
        (token) => (/\S/.test(token) ? noIssues : [{ path: [], expected: nextTokenForm }]),
        true
      )
    )
  ),
  maxResults: optionalField(
    "MaxResults",
    Schema.Number.pipe(
      rule(
        "maxResults",
        "a whole number from 1 to 25",
        (n) => Number.isInteger(n) && n >= 1 && n <= 25
      )
    )
  )
}) {}

/**
 * A page of entitlements.
 *
 * - `entitlements`: the entitlements, at most as many as the request allows. The page can be empty and still have a
 *   `nextToken`.
 * - `nextToken`: leads to the next page. Absent on the last page.
 * - `unreadable`: elements of the page, as JSON, that are not valid entitlements
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-entitlements_GetEntitlements.html
 * @since 0.1.0
 * @category models
 */
export class GetEntitlementsResponse extends Schema.Class<GetEntitlementsResponse>(
  "effect-marketplace-metering/entitlement/GetEntitlementsResponse"
)(
  responseFields({
    entitlements: optionalWithDefault(Schema.Array(Entitlement), () => []).pipe(
      Schema.fromKey("Entitlements")
    ),
    nextToken: optionalField("NextToken", Schema.String),
    unreadable: optionalWithDefault(Schema.Array(Schema.Unknown), () => [])
  })
) {}

/**
 * The fields of a filter, as in `EntitlementFilter`: `customerAWSAccountId`, `customerIdentifier`, `dimension` and
 * `licenseArn`. An empty list is a violation.
 *
 * @since 0.1.0
 * @category models
 */
export interface FilterInput {
  readonly customerAWSAccountId?: ReadonlyArray<string> | undefined
  readonly customerIdentifier?: ReadonlyArray<string> | undefined
  readonly dimension?: ReadonlyArray<string> | undefined
  readonly licenseArn?: ReadonlyArray<string> | undefined
}

/**
 * The input of a call: a request or its fields, as in `GetEntitlementsRequest`: `productCode`, `filter`, `nextToken` and
 * `maxResults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly productCode: string
  readonly filter?: FilterInput | undefined
  readonly nextToken?: string | undefined
  readonly maxResults?: number | undefined
}

/**
 * The modelled exceptions of this operation.
 *
 * @since 0.1.0
 * @category models
 */
export type GetEntitlementsException =
  | InvalidParameterException
  | MeteringError.ThrottlingException
  | MeteringError.InternalServiceErrorException

/**
 * All errors of a call.
 *
 * @since 0.1.0
 * @category models
 */
export type GetEntitlementsError = GetEntitlementsException | MeteringError.CommonError

/**
 * The operation as a value.
 *
 * @since 0.1.0
 * @category operations
 */
export const operation: Operation<
  GetEntitlementsRequest,
  GetEntitlementsResponse,
  GetEntitlementsException
> = {
  service: marketplaceEntitlement,
  name: "GetEntitlements",
  request: GetEntitlementsRequest,
  response: GetEntitlementsResponse,
  exceptions: [
    InvalidParameterException,
    MeteringError.ThrottlingException,
    MeteringError.InternalServiceErrorException
  ]
}

/**
 * Makes a request, or returns the rules that it breaks.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { GetEntitlements } from "effect-marketplace-metering/entitlement"
 *
 * const request = GetEntitlements.makeEither({ productCode: "4v9hm1u3i5p7l3c0", maxResults: 26 })
 * const violations = Either.isLeft(request) ? request.left.violations : []
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: Input,
  options?: MakeOptions
) => Either.Either<GetEntitlementsRequest, MeteringError.InvalidInputError> =
  makerEither(GetEntitlementsRequest)

/**
 * Makes a request. Throws `InvalidInputError` if it breaks a rule.
 *
 * @example
 * ```ts
 * import { GetEntitlements } from "effect-marketplace-metering/entitlement"
 *
 * const request = GetEntitlements.make({
 *   productCode: "4v9hm1u3i5p7l3c0",
 *   filter: { customerAWSAccountId: ["111122223333"], dimension: ["seats"] }
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: Input, options?: MakeOptions) => GetEntitlementsRequest =
  maker(makeEither)
