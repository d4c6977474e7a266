/** Whether a token of RegisterUsage is genuine, current, and the one that was asked for. */
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as jose from "jose"
import type { PublicKey, RefusalReason, VerifyOptions } from "../RegisterUsage.js"

/** What the token says. */
export interface Claims {
  readonly productCode: string
  readonly publicKeyVersion: number
  readonly nonce: string | undefined
  readonly issuedAt: DateTime.Utc
}

/** Why the token is refused, in words that hold nothing of its text. */
export interface Refusal {
  readonly reason: RefusalReason
  readonly claim?: string
  readonly expected?: string
  readonly found?: string
}

/** In milliseconds. */
interface Time {
  readonly now: number
  readonly maxAge: number
  readonly tolerance: number
}

export const verify = (
  jwt: string | Redacted.Redacted | undefined,
  options: VerifyOptions
): Effect.Effect<Claims, Refusal> =>
  Effect.gen(function* () {
    if (jwt === undefined) return yield* Effect.fail<Refusal>({ reason: "missingToken" })
    const token = Redacted.isRedacted(jwt) ? Redacted.value(jwt) : jwt
    const time: Time = {
      now: yield* Clock.currentTimeMillis,
      maxAge: Duration.toMillis(options.maxAge ?? "1 hour"),
      tolerance: Duration.toMillis(options.clockTolerance ?? "5 minutes")
    }
    const key = yield* Effect.tryPromise({
      try: () => importKey(options),
      catch: () => badPublicKey(options)
    })
    const payload = yield* Effect.tryPromise({
      try: () => authenticate(token, key, time),
      // the cause is not kept: it can hold the claims and pieces of the text
      catch: (cause) => refusal(cause, token, options)
    })
    const claims = yield* readClaims(payload, options)
    const refused = mismatches(claims, options, time).find((one) => one !== false)
    return refused === undefined ? claims : yield* Effect.fail(refused)
  })

const algorithm = "PS256"

const importKey = async ({
  publicKey,
  publicKeyVersion
}: VerifyOptions): Promise<jose.CryptoKey> => {
  const key = isOneKey(publicKey) ? publicKey : publicKey[publicKeyVersion]
  if (typeof key === "string") return jose.importSPKI(armoured(key), algorithm)
  if (isA("CryptoKey", key)) return key
  if (isA("KeyObject", key)) return jose.importSPKI(await jose.exportSPKI(key), algorithm)
  // importJWK would go by its second argument, whatever the JWK says that it is for
  const { kty, alg = algorithm, use = "sig" } = key ?? {}
  if (kty !== "RSA" || alg !== algorithm || use !== "sig") throw new TypeError("not for PS256")
  return jose.importJWK({ ...key, kty: "RSA" }, algorithm)
}

const isOneKey = (key: VerifyOptions["publicKey"]): key is PublicKey =>
  typeof key === "string" || "kty" in key || isA("CryptoKey", key) || isA("KeyObject", key)

interface Tagged {
  readonly CryptoKey: jose.CryptoKey
  readonly KeyObject: jose.KeyObject
}

/** By its tag, since neither class is a global of every runtime. */
const isA = <Tag extends keyof Tagged>(tag: Tag, key: unknown): key is Tagged[Tag] =>
  Object.prototype.toString.call(key) === `[object ${tag}]`

/** Also for bare base64, and for `\n` as environment variables have it. */
const armoured = (pem: string): string => {
  const base64 = pem.replaceAll("\\n", "\n").replace(/-----(?:BEGIN|END) PUBLIC KEY-----/g, "")
  return `-----BEGIN PUBLIC KEY-----\n${base64.trim()}\n-----END PUBLIC KEY-----`
}

const authenticate = async (
  token: string,
  key: jose.CryptoKey,
  { now, tolerance }: Time
): Promise<jose.JWTPayload> => {
  const { payload } = await jose.jwtVerify(token, key, {
    algorithms: [algorithm],
    currentDate: new Date(now),
    // it wants a finite one
    clockTolerance: Math.min(tolerance / 1000, Number.MAX_VALUE)
  })
  // a decoder ignores bits of the last character, so that this one could be changed and nobody would see it
  const [, , signature = ""] = token.split(".")
  const canonical = jose.base64url.encode(jose.base64url.decode(signature))
  if (canonical !== signature.replace(/=+$/, "")) throw new jose.errors.JWSInvalid()
  return payload
}

const badPublicKey = ({ publicKeyVersion }: VerifyOptions): Refusal => ({
  reason: "badPublicKey",
  expected: `version ${publicKeyVersion}: RSA of at least 2048 bits for ${algorithm}, as PEM (PUBLIC KEY), JWK or CryptoKey`
})

const refusal = (cause: unknown, token: string, options: VerifyOptions): Refusal => {
  // jose has a class of its own for all that can be wrong with a token, and a TypeError for a key
  if (!(cause instanceof jose.errors.JOSEError)) return badPublicKey(options)
  // the union is jose's own list of its classes, by code
  const error = cause as jose.errors.AnyJOSEError
  switch (error.code) {
    case "ERR_JOSE_ALG_NOT_ALLOWED": {
      const { alg = "" } = jose.decodeProtectedHeader(token)
      return { reason: "wrongAlgorithm", expected: algorithm, ...(nameable(alg) && { found: alg }) }
    }
    case "ERR_JWS_SIGNATURE_VERIFICATION_FAILED":
      return { reason: "badSignature", expected: `version ${options.publicKeyVersion} of the key` }
    case "ERR_JWT_EXPIRED":
      return { reason: "tooOld", claim: error.claim }
    case "ERR_JWT_CLAIM_VALIDATION_FAILED":
      return {
        reason: error.reason === "invalid" ? "malformedClaim" : "issuedInFuture",
        claim: error.claim
      }
    default:
      return { reason: "malformedToken" }
  }
}

/** Nobody has vouched for the header, so of its text only a name from the registry may be shown. */
const nameable = (alg: string): boolean =>
  /^(?:none|(?:HS|RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/.test(alg)

const readClaims = (
  payload: jose.JWTPayload,
  { nonce }: VerifyOptions
): Either.Either<Claims, Refusal> =>
  Either.gen(function* () {
    return {
      productCode: yield* read(payload, "productCode", text),
      publicKeyVersion: yield* read(payload, "publicKeyVersion", version),
      nonce:
        nonce === undefined
          ? Either.getOrUndefined(read(payload, "nonce", text))
          : yield* read(payload, "nonce", text),
      issuedAt: DateTime.unsafeMake(1000 * (yield* read(payload, "iat", seconds)))
    }
  })

/** A claim under either of its names, which must agree when both are there. */
const read = <A extends string | number>(
  payload: jose.JWTPayload,
  claim: string,
  parse: (value: unknown) => A | undefined
): Either.Either<A, Refusal> => {
  const [value, ...others] = [claim, claim.charAt(0).toUpperCase() + claim.slice(1)]
    .filter((name) => Object.hasOwn(payload, name) && payload[name] !== null)
    .map((name) => ({ parsed: parse(payload[name]) }))
  if (value === undefined) return Either.left({ reason: "missingClaim", claim })
  return value.parsed === undefined || others.some(({ parsed }) => parsed !== value.parsed)
    ? Either.left({ reason: "malformedClaim", claim })
    : Either.right(value.parsed)
}

const text = (value: unknown) => (typeof value === "string" ? value : undefined)

const version = (value: unknown) => {
  const number = typeof value === "string" && /^[1-9]\d*$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isSafeInteger(number) ? number : undefined
}

/** Those that a date can hold. */
const seconds = (value: unknown) =>
  typeof value === "number" && Math.abs(value) <= 8.64e12 ? value : undefined

const mismatches = (
  { productCode, publicKeyVersion, nonce, issuedAt }: Claims,
  options: VerifyOptions,
  { now, maxAge, tolerance }: Time
): ReadonlyArray<Refusal | false> => {
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
