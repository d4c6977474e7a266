/**
 * RegisterUsage: checks at start-up that the buyer of a paid container is entitled to run it.
 *
 * @since 0.1.0
 */
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { metering } from "./internal/protocol/serviceModel.js"
import { type MakeOptions, maker, makerEither } from "./internal/schema/construct.js"
import {
  boundedString,
  field,
  optionalField,
  ProductCode,
  rule,
  Timestamp
} from "./internal/schema/fields.js"
import { isBlank, responseFields } from "./internal/schema/responseFields.js"
import * as MeteringError from "./MeteringError.js"
import type { Operation } from "./Operation.js"

/**
 * The `productCode`, the `publicKeyVersion` of the product (1 and up), and a `nonce` of at most 255 characters, which
 * ties the response to this instance.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category models
 */
export class RegisterUsageRequest extends Schema.Class<RegisterUsageRequest>(
  "effect-marketplace-metering/RegisterUsageRequest"
)({
  productCode: field("ProductCode", ProductCode),
  publicKeyVersion: field(
    "PublicKeyVersion",
    Schema.Number.pipe(
      rule(
        "publicKeyVersion",
        "a whole number from 1 to 2147483647",
        (version) => Number.isInteger(version) && version >= 1 && version <= 2_147_483_647
      )
    )
  ),
  nonce: optionalField("Nonce", boundedString("nonce", 0, 255, undefined, "hidden"))
}) {}

/**
 * Proof that the buyer is entitled. `signature` is a JWT: verify it with `Entitlement.verify`.
 * `publicKeyRotationTimestamp` is present only if the version of the public key has expired.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category models
 */
export class RegisterUsageResponse extends Schema.Class<RegisterUsageResponse>(
  "effect-marketplace-metering/RegisterUsageResponse"
)(
  responseFields({
    signature: optionalField("Signature", Schema.String),
    publicKeyRotationTimestamp: optionalField("PublicKeyRotationTimestamp", Timestamp)
  })
) {}

/**
 * The input of a call: a request or its fields.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = ConstructorParameters<typeof RegisterUsageRequest>[0]

/**
 * The modelled exceptions of this operation.
 *
 * @since 0.1.0
 * @category models
 */
export type RegisterUsageException =
  | MeteringError.InvalidProductCodeException
  | MeteringError.InvalidRegionException
  | MeteringError.InvalidPublicKeyVersionException
  | MeteringError.PlatformNotSupportedException
  | MeteringError.CustomerNotEntitledException
  | MeteringError.ThrottlingException
  | MeteringError.InternalServiceErrorException
  | MeteringError.DisabledApiException

/**
 * All errors of a call.
 *
 * @since 0.1.0
 * @category models
 */
export type RegisterUsageError = RegisterUsageException | MeteringError.CommonError

/**
 * The operation as a value.
 *
 * @since 0.1.0
 * @category operations
 */
export const operation: Operation<
  RegisterUsageRequest,
  RegisterUsageResponse,
  RegisterUsageException
> = {
  service: metering,
  name: "RegisterUsage",
  request: RegisterUsageRequest,
  response: RegisterUsageResponse,
  exceptions: [
    MeteringError.InvalidProductCodeException,
    MeteringError.InvalidRegionException,
    MeteringError.InvalidPublicKeyVersionException,
    MeteringError.PlatformNotSupportedException,
    MeteringError.CustomerNotEntitledException,
    MeteringError.ThrottlingException,
    MeteringError.InternalServiceErrorException,
    MeteringError.DisabledApiException
  ],
  missing: ({ signature }) => (isBlank(signature) ? "Signature" : undefined)
}

/**
 * Makes a request, or returns the rules that it breaks.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { RegisterUsage } from "effect-marketplace-metering"
 *
 * const request = RegisterUsage.makeEither({ productCode: "4v9hm1u3i5p7l3c0", publicKeyVersion: 0 })
 * const violations = Either.isLeft(request) ? request.left.violations : []
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: Input,
  options?: MakeOptions
) => Either.Either<RegisterUsageRequest, MeteringError.InvalidInputError> =
  makerEither(RegisterUsageRequest)

/**
 * Makes a request. Throws `InvalidInputError` if it breaks a rule.
 *
 * @example
 * ```ts
 * import { RegisterUsage } from "effect-marketplace-metering"
 *
 * const request = RegisterUsage.make({
 *   productCode: "4v9hm1u3i5p7l3c0",
 *   publicKeyVersion: 1,
 *   nonce: crypto.randomUUID()
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: Input, options?: MakeOptions) => RegisterUsageRequest =
  maker(makeEither)
