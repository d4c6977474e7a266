/**
 * RegisterUsage: ask at start-up whether the buyer of a paid container is entitled to run it.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Jose from "jose"
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
import { verifyEntitlement as verifyClaims } from "./internal/verifyEntitlement.js"
import * as MeteringError from "./MeteringError.js"
import type { Operation } from "./Operation.js"

/**
 * The product, the version of its public key (1 and up), and a nonce of at most 255 characters that ties the
 * answer to this one instance.
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
 * The service's word that the buyer is entitled: a JWT, to be checked with `verify`, and the time from which
 * the key's version is no longer used, only when that version has expired.
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
 * What a call takes: a request, or the fields of one. Plain nested values are made into instances.
 *
 * @since 0.1.0
 * @category models
 */
export type Input = ConstructorParameters<typeof RegisterUsageRequest>[0]

/**
 * The exceptions that the model gives this operation.
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
 * All that a call can fail with.
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
 * Makes a request, or says what is wrong with it.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { RegisterUsage } from "effect-marketplace-metering"
 *
 * const request = RegisterUsage.makeEither({ productCode: "4v9hm1u3i5p7l3c0", publicKeyVersion: 0 })
 * const faults = Either.isLeft(request) ? request.left.violations : []
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
 * Makes a request; throws `InvalidInputError` when it breaks a rule.
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

/**
 * The public key that AWS Marketplace shows for a version of a product's key, RSA of at least 2048 bits.
 *
 * Text is what AWS Marketplace gives: PEM (`BEGIN PUBLIC KEY`, that is SPKI), with any line breaks or a
 * literal `\n` for them, or its base64 alone. A PEM of another kind (`RSA PUBLIC KEY`, a certificate, a
 * private key) is refused. Otherwise a JWK, a Web Crypto `CryptoKey` for `RSA-PSS` with SHA-256, or a
 * `KeyObject` of Node.
 *
 * @since 0.1.0
 * @category models
 */
export type PublicKey = string | Jose.CryptoKey | Jose.KeyObject | Jose.JWK

/**
 * What the token must agree with. A `RegisterUsageRequest` has the first three by the same names.
 *
 * @since 0.1.0
 * @category models
 */
export interface VerifyOptions {
  /** The product that the request was for; case counts. */
  readonly productCode: string
  /** The version that the request was for; the token must name it, and be signed by its key. */
  readonly publicKeyVersion: number
  /**
   * The nonce of the request, which the token must repeat exactly. When there is none, the token's is not
   * looked at, and a token can be used again until it is too old.
   */
  readonly nonce?: string | undefined
  /** The key of that version, or the keys of several versions, by version. */
  readonly publicKey: PublicKey | { readonly [version: number]: PublicKey }
  /** How long ago the token may have been issued. One hour unless given: it is verified right after the call. */
  readonly maxAge?: Duration.DurationInput | undefined
  /**
   * How far this machine's clock may be from the service's, either way, on top of `maxAge`. Five minutes
   * unless given: as far as a signed request of AWS may be off.
   */
  readonly clockTolerance?: Duration.DurationInput | undefined
  /**
   * Give the response's `publicKeyRotationTimestamp` here to refuse what an expired key has signed at that
   * time or later. Without it an expired key is still trusted, so that containers in the field keep starting.
   */
  readonly publicKeyRotationTimestamp?: DateTime.DateTime | undefined
}

/**
 * What a verified token says: the buyer may run this product.
 *
 * @since 0.1.0
 * @category models
 */
export class Entitlement extends Schema.Class<Entitlement>(
  "effect-marketplace-metering/Entitlement"
)({
  productCode: Schema.String,
  publicKeyVersion: Schema.Number,
  nonce: Schema.optional(Schema.String),
  issuedAt: Schema.DateTimeUtc
}) {}

/**
 * Why a token is no proof.
 *
 * @since 0.1.0
 * @category errors
 */
export const RejectionReason = Schema.Literal(
  "missingToken",
  "malformedToken",
  "wrongAlgorithm",
  "badPublicKey",
  "badSignature",
  "missingClaim",
  "malformedClaim",
  "productCodeMismatch",
  "publicKeyVersionMismatch",
  "nonceMismatch",
  "issuedInFuture",
  "tooOld",
  "keyRotated"
)

/**
 * @since 0.1.0
 * @category errors
 */
export type RejectionReason = typeof RejectionReason.Type

const advice: { readonly [Reason in RejectionReason]: string } = {
  missingToken: "the answer has no Signature",
  malformedToken: "this is not a JWT of a known form",
  wrongAlgorithm: "the token is signed by another algorithm",
  badPublicKey: "the public key cannot be used",
  badSignature:
    "the signature is not by this key; the token or the key is another one, or was changed",
  missingClaim: "a claim is missing",
  malformedClaim: "a claim cannot be read, or is there twice and differs",
  productCodeMismatch: "the token is for another product",
  publicKeyVersionMismatch: "the token is for another version of the key",
  nonceMismatch: "the token is for another request",
  issuedInFuture: "the token is not valid yet; check this machine's clock",
  tooOld: "the token is too old; call RegisterUsage again, and check this machine's clock",
  keyRotated: "the key had expired when the token was issued; release the product with the new key"
}

/**
 * A token is no proof that the buyer is entitled, and `reason` says why.
 *
 * `claim` is the claim at fault, `expected` and `found` are in words: times in ISO 8601, and what was found
 * only once the signature has been verified (before that, the name of a known algorithm at most). A nonce
 * is never shown. Neither the token, nor a part of it, nor the key is in the error. Verifying the same token
 * again does not help, so it is never retryable.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { RegisterUsage } from "effect-marketplace-metering"
 *
 * const check = (jwt: string, publicKey: string) =>
 *   RegisterUsage.verify(jwt, { publicKey, productCode: "4v9hm1u3i5p7l3c0", publicKeyVersion: 1 }).pipe(
 *     Effect.catchTag("InvalidEntitlementError", ({ reason }) => Effect.fail(`not entitled: ${reason}`))
 *   )
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidEntitlementError
  extends Schema.TaggedError<InvalidEntitlementError>(
    "effect-marketplace-metering/InvalidEntitlementError"
  )("InvalidEntitlementError", {
    reason: RejectionReason,
    claim: Schema.optional(Schema.String),
    expected: Schema.optional(Schema.String),
    found: Schema.optional(Schema.String)
  })
  implements MeteringError.Retryable
{
  override get message() {
    const claim = this.claim === undefined ? "" : ` (${this.claim})`
    const details = [
      this.expected !== undefined && `expected ${this.expected}`,
      this.found !== undefined && `found ${this.found}`
    ].filter((part) => part !== false)
    const detail = details.length === 0 ? "" : `: ${details.join(", ")}`
    return `No proof of entitlement: ${advice[this.reason]}${claim}${detail}.`
  }
  get isRetryable() {
    return false
  }
  get isThrottling() {
    return false
  }
}

/**
 * Verifies the `Signature` of RegisterUsage's answer: a JWT that proves that the service, and not something
 * in its place, has called the buyer entitled.
 *
 * Only PS256 (RSA-PSS with SHA-256) counts, whatever the token's header says. Claims are read in either case
 * (`productCode`, `ProductCode`); both at once must agree. `exp` and `nbf`, should there be any, are
 * respected. The time is that of Effect's `Clock`. A response without a signature fails with `missingToken`.
 * The JOSE library is loaded by the first call.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/java-integration-example-registerusage.html
 * @since 0.1.0
 * @category verification
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, RegisterUsage } from "effect-marketplace-metering"
 *
 * const register = (publicKey: string) =>
 *   Effect.gen(function* () {
 *     const request = RegisterUsage.make({
 *       productCode: "4v9hm1u3i5p7l3c0",
 *       publicKeyVersion: 1,
 *       nonce: crypto.randomUUID()
 *     })
 *     const { signature } = yield* MeteringClient.registerUsage(request)
 *     return yield* RegisterUsage.verify(signature, { ...request, publicKey })
 *   })
 * ```
 */
export const verify = (
  jwt: string | Redacted.Redacted | undefined,
  options: VerifyOptions
): Effect.Effect<Entitlement, InvalidEntitlementError> =>
  Effect.mapBoth(verifyClaims(jwt, options), {
    onSuccess: ({ nonce, ...claims }) =>
      new Entitlement({ ...claims, ...(nonce !== undefined && { nonce }) }, true),
    onFailure: (rejection) => new InvalidEntitlementError(rejection, true)
  })
