/** Whether a token of RegisterUsage is genuine, current, and the one that was asked for. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type * as jose from "jose"
import type { VerifyOptions } from "../RegisterUsage.js"
import type { EntitlementRejection, TokenTimeLimits } from "./jwt.js"

/** What the token says. */
export interface Claims {
  readonly productCode: string
  readonly publicKeyVersion: number
  readonly nonce: string | undefined
  readonly issuedAt: DateTime.Utc
}

export const verifyEntitlement = (
  jwt: string | Redacted.Redacted | undefined,
  options: VerifyOptions
): Effect.Effect<Claims, EntitlementRejection> =>
  Effect.gen(function* () {
    if (jwt === undefined)
      return yield* Effect.fail<EntitlementRejection>({ reason: "missingToken" })
    const token = Redacted.isRedacted(jwt) ? Redacted.value(jwt) : jwt
    const time: TokenTimeLimits = {
      now: yield* Clock.currentTimeMillis,
      maxAge: Duration.toMillis(options.maxAge ?? "1 hour"),
      tolerance: Duration.toMillis(options.clockTolerance ?? "5 minutes")
    }
    const jwts = yield* Effect.promise(() => import("./jwt.js"))
    const key = yield* Effect.tryPromise({
      try: () => jwts.importKey(options),
      catch: () => jwts.badPublicKey(options)
    })
    const payload = yield* Effect.tryPromise({
      try: () => jwts.verifyJwt(token, key, time),
      // the cause is not kept: it can hold the claims and pieces of the text
      catch: (cause) => jwts.rejectionOf(cause, token, options)
    })
    const claims = yield* readClaims(payload, options)
    const rejection = mismatches(claims, options, time).find((one) => one !== false)
    return rejection === undefined ? claims : yield* Effect.fail(rejection)
  })

const readClaims = (
  payload: jose.JWTPayload,
  { nonce }: VerifyOptions
): Either.Either<Claims, EntitlementRejection> =>
  Either.gen(function* () {
    return {
      productCode: yield* readClaim(payload, "productCode", parseText),
      publicKeyVersion: yield* readClaim(payload, "publicKeyVersion", parseVersion),
      nonce:
        nonce === undefined
          ? Either.getOrUndefined(readClaim(payload, "nonce", parseText))
          : yield* readClaim(payload, "nonce", parseText),
      issuedAt: DateTime.unsafeMake(1000 * (yield* readClaim(payload, "iat", parseSeconds)))
    }
  })

/** A claim under either of its names, which must agree when both are there. */
const readClaim = <A extends string | number>(
  payload: jose.JWTPayload,
  claim: string,
  parse: (value: unknown) => A | undefined
): Either.Either<A, EntitlementRejection> => {
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

/** Those that a date can hold. */
const parseSeconds = (value: unknown) =>
  typeof value === "number" && Math.abs(value) <= 8.64e12 ? value : undefined

const mismatches = (
  { productCode, publicKeyVersion, nonce, issuedAt }: Claims,
  options: VerifyOptions,
  { now, maxAge, tolerance }: TokenTimeLimits
): ReadonlyArray<EntitlementRejection | false> => {
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
    // a nonce may be a seller's secret, so neither is shown
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
