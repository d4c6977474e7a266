/**
 * Verification of the signed token that RegisterUsage returns.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as jose from "jose"
import type { Retryable } from "./MeteringError.js"

/**
 * The public key that AWS Marketplace shows for one key version of a product: RSA of at least 2048 bits.
 *
 * A string is PEM (`BEGIN PUBLIC KEY`, that is SPKI) or only its base64. Line breaks may be of any kind, or a literal `\n`.
 * A PEM of another kind (`RSA PUBLIC KEY`, a certificate, a private key) is rejected. Other accepted forms are a JWK, a Web
 * Crypto `CryptoKey` for `RSA-PSS` with SHA-256, and a `KeyObject` of Node.
 *
 * @since 0.1.0
 * @category models
 */
export type PublicKey = string | jose.CryptoKey | jose.KeyObject | jose.JWK

/**
 * The values that the token is checked against. The first three have the names of the fields of `RegisterUsageRequest`.
 *
 * @since 0.1.0
 * @category models
 */
export interface VerifyOptions {
  /** The `productCode` of the request, case-sensitive. */
  readonly productCode: string
  /** The `publicKeyVersion` of the request. The token must name this version and be signed by its key. */
  readonly publicKeyVersion: number
  /**
   * The `nonce` of the request, which the token must repeat exactly. If it is absent, the token's nonce is ignored, and the
   * same token verifies again until it is older than `maxAge`.
   */
  readonly nonce?: string | undefined
  /** The key of that version, or the keys of several versions, by version. */
  readonly publicKey: PublicKey | { readonly [version: number]: PublicKey }
  /** Maximum age of the token. Defaults to 1 hour, which is enough for a token that is verified right after the call. */
  readonly maxAge?: Duration.DurationInput | undefined
  /**
   * Maximum difference between this machine's clock and the service's, either way, on top of `maxAge`. Defaults to
   * 5 minutes, the tolerance of a signed AWS request.
   */
  readonly clockTolerance?: Duration.DurationInput | undefined
  /**
   * The response's `publicKeyRotationTimestamp`. Tokens issued at that time or later are rejected, because the key had
   * expired. If it is absent, an expired key is still trusted, so that deployed containers keep starting.
   */
  readonly publicKeyRotationTimestamp?: DateTime.DateTime | undefined
}

/**
 * The claims of a verified token, which proves that the buyer is entitled to the product.
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
 * The reason why a token is rejected.
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
  missingToken: "the response has no Signature",
  malformedToken: "the Signature is not a signed JWT",
  wrongAlgorithm: "the token is signed with another algorithm",
  badPublicKey: "the public key is not usable",
  badSignature:
    "the signature does not match the key; the token or the key is wrong or was changed",
  missingClaim: "a claim is missing",
  malformedClaim: "a claim has the wrong type, or two values that differ",
  productCodeMismatch: "the token is for another product",
  publicKeyVersionMismatch: "the token is for another version of the key",
  nonceMismatch: "the token is for another request",
  issuedInFuture: "the token is not valid yet; check this machine's clock",
  tooOld: "the token is too old; call RegisterUsage again, and check this machine's clock",
  keyRotated: "the key had expired when the token was issued; release the product with the new key"
}

/**
 * The token does not prove that the buyer is entitled. Verifying the same token again does not help, so the error is never
 * retryable.
 *
 * `claim` names the invalid claim, and `reason` the failed check. `expected` and `found` describe the values, with times in
 * ISO 8601. Until the signature is verified, `found` is absent or the name of a registered algorithm. The error never
 * contains a nonce, the key, or any part of the token.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Entitlement } from "effect-marketplace-metering"
 *
 * const check = (jwt: string, publicKey: string) =>
 *   Entitlement.verify(jwt, { publicKey, productCode: "4v9hm1u3i5p7l3c0", publicKeyVersion: 1 }).pipe(
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
  implements Retryable
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
 * Verifies the `Signature` of a RegisterUsage response: a JWT by which the service proves that the buyer is entitled.
 *
 * Only PS256 (RSA-PSS with SHA-256) is accepted, whatever the token's header says. Claim names may begin with a lower-case
 * or an upper-case letter (`productCode`, `ProductCode`). If both are present, their values must be equal. `exp` and `nbf`
 * are respected. The current time is that of Effect's `Clock`. A response without a signature fails with `missingToken`. The
 * first call loads the JOSE library.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/java-integration-example-registerusage.html
 * @since 0.1.0
 * @category verification
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Entitlement, MeteringClient, RegisterUsage } from "effect-marketplace-metering"
 *
 * const register = (publicKey: string) =>
 *   Effect.gen(function* () {
 *     const request = RegisterUsage.make({
 *       productCode: "4v9hm1u3i5p7l3c0",
 *       publicKeyVersion: 1,
 *       nonce: crypto.randomUUID()
 *     })
 *     const { signature } = yield* MeteringClient.registerUsage(request)
 *     return yield* Entitlement.verify(signature, { ...request, publicKey })
 *   })
 * ```
 */
export const verify = (
  jwt: string | Redacted.Redacted | undefined,
  options: VerifyOptions
): Effect.Effect<Entitlement, InvalidEntitlementError> =>
  Effect.gen(function* () {
    if (jwt === undefined) return yield* Effect.fail<Rejection>({ reason: "missingToken" })
    const token = Redacted.isRedacted(jwt) ? Redacted.value(jwt) : jwt
    const limits: TimeLimits = {
      now: yield* Clock.currentTimeMillis,
      maxAge: Duration.toMillis(options.maxAge ?? "1 hour"),
      tolerance: Duration.toMillis(options.clockTolerance ?? "5 minutes")
    }
    const jwts = yield* Effect.promise(() => import("./internal/jwt.js"))
    const key = yield* Effect.tryPromise({
      try: () => jwts.importKey(options),
      catch: () => jwts.badPublicKey(options)
    })
    const payload = yield* Effect.tryPromise({
      try: () => jwts.verifyJwt(token, key, limits),
      // the cause is dropped: it can hold claims and pieces of the token
      catch: (cause) => jwts.rejectionOf(cause, token, options)
    })
    const claims = yield* readClaims(payload, options)
    const rejection = mismatches(claims, options, limits).find((found) => found !== false)
    return rejection === undefined
      ? new Entitlement(claims, true)
      : yield* Effect.fail<Rejection>(rejection)
  }).pipe(Effect.mapError((rejection) => new InvalidEntitlementError(rejection, true)))

interface Rejection {
  readonly reason: RejectionReason
  readonly claim?: string
  readonly expected?: string
  readonly found?: string
}

/** In milliseconds. */
interface TimeLimits {
  readonly now: number
  readonly maxAge: number
  readonly tolerance: number
}

type Claims = Schema.Struct.Constructor<typeof Entitlement.fields>

const readClaims = (
  payload: jose.JWTPayload,
  options: VerifyOptions
): Either.Either<Claims, Rejection> =>
  Either.gen(function* () {
    const productCode = yield* readClaim(payload, "productCode", parseText)
    const publicKeyVersion = yield* readClaim(payload, "publicKeyVersion", parseVersion)
    const nonce = readClaim(payload, "nonce", parseText)
    if (options.nonce !== undefined) yield* nonce
    const issuedAt = DateTime.unsafeMake(1000 * (yield* readClaim(payload, "iat", parseSeconds)))
    return {
      productCode,
      publicKeyVersion,
      issuedAt,
      ...(Either.isRight(nonce) && { nonce: nonce.right })
    }
  })

/** Reads a claim under either of its names, which must agree when both are present. */
const readClaim = <A extends string | number>(
  payload: jose.JWTPayload,
  claim: string,
  parse: (value: unknown) => A | undefined
): Either.Either<A, Rejection> => {
  const [value, ...others] = [claim, claim.charAt(0).toUpperCase() + claim.slice(1)]
    .filter((name) => Object.hasOwn(payload, name) && payload[name] !== null)
    .map((name) => ({ parsed: parse(payload[name]) }))
  if (value === undefined) return Either.left({ reason: "missingClaim", claim })
  return value.parsed === undefined || others.some(({ parsed }) => parsed !== value.parsed)
    ? Either.left({ reason: "malformedClaim", claim })
    : Either.right(value.parsed)
}

const parseText = (value: unknown) => (typeof value === "string" ? value : undefined)

const parseVersion = (value: unknown) => {
  const number = typeof value === "string" && /^[1-9]\d*$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined
}

const maxDateSeconds = 8.64e12

const parseSeconds = (value: unknown) =>
  typeof value === "number" && Math.abs(value) <= maxDateSeconds ? value : undefined

const mismatches = (
  { productCode, publicKeyVersion, nonce, issuedAt }: Claims,
  options: VerifyOptions,
  { now, maxAge, tolerance }: TimeLimits
): ReadonlyArray<Rejection | false> => {
  const issued = issuedAt.epochMillis
  const rotation = options.publicKeyRotationTimestamp
  const iat = { claim: "iat", found: iso(issued) }
  return [
    productCode !== options.productCode && {
      reason: "productCodeMismatch",
      claim: "productCode",
      expected: options.productCode,
      found: productCode
    },
    publicKeyVersion !== options.publicKeyVersion && {
      reason: "publicKeyVersionMismatch",
      claim: "publicKeyVersion",
      expected: String(options.publicKeyVersion),
      found: String(publicKeyVersion)
    },
    // neither nonce is shown: it may be a seller's secret
    options.nonce !== undefined &&
      nonce !== options.nonce && { reason: "nonceMismatch", claim: "nonce" },
    issued - now > tolerance && {
      reason: "issuedInFuture",
      ...iat,
      expected: `at most ${iso(now + tolerance)}`
    },
    now - issued > maxAge + tolerance && {
      reason: "tooOld",
      ...iat,
      expected: `at least ${iso(now - maxAge - tolerance)}`
    },
    rotation !== undefined &&
      issued >= rotation.epochMillis && {
        reason: "keyRotated",
        ...iat,
        expected: `before ${iso(rotation.epochMillis)}`
      }
  ]
}

const iso = (millis: number) => DateTime.formatIso(DateTime.unsafeMake(millis))
