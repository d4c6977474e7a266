/**
 * A JWT, its key, and what the JOSE library thinks of them. It is loaded only when there is a token to verify, and knows
 * nothing of Effect: a bundler that cannot split would wrap for lazy loading whatever this imports.
 */
import * as jose from "jose"
import type { PublicKey, RejectionReason, VerifyOptions } from "../RegisterUsage.js"

/** Why the token is refused, in words that hold nothing of its text. */
export interface EntitlementRejection {
  readonly reason: RejectionReason
  readonly claim?: string
  readonly expected?: string
  readonly found?: string
}

/** In milliseconds. */
export interface TokenTimeLimits {
  readonly now: number
  readonly maxAge: number
  readonly tolerance: number
}

const algorithm = "PS256"

export const importKey = async ({
  publicKey,
  publicKeyVersion
}: VerifyOptions): Promise<jose.CryptoKey> => {
  const key = isSingleKey(publicKey) ? publicKey : publicKey[publicKeyVersion]
  if (typeof key === "string") return jose.importSPKI(toPem(key), algorithm)
  if (hasTag("CryptoKey", key)) return key
  if (hasTag("KeyObject", key)) return jose.importSPKI(await jose.exportSPKI(key), algorithm)
  // importJWK would go by its second argument, whatever the JWK says that it is for
  const { kty, alg = algorithm, use = "sig" } = key ?? {}
  if (kty !== "RSA" || alg !== algorithm || use !== "sig") throw new TypeError("not for PS256")
  return jose.importJWK({ ...key, kty: "RSA" }, algorithm)
}

const isSingleKey = (key: VerifyOptions["publicKey"]): key is PublicKey =>
  typeof key === "string" || "kty" in key || hasTag("CryptoKey", key) || hasTag("KeyObject", key)

interface Tagged {
  readonly CryptoKey: jose.CryptoKey
  readonly KeyObject: jose.KeyObject
}

/** By its tag, since neither class is a global of every runtime. */
const hasTag = <Tag extends keyof Tagged>(tag: Tag, key: unknown): key is Tagged[Tag] =>
  Object.prototype.toString.call(key) === `[object ${tag}]`

/** Also for bare base64, and for `\n` as environment variables have it. */
const toPem = (pem: string): string => {
  const base64 = pem.replaceAll("\\n", "\n").replace(/-----(?:BEGIN|END) PUBLIC KEY-----/g, "")
  return `-----BEGIN PUBLIC KEY-----\n${base64.trim()}\n-----END PUBLIC KEY-----`
}

export const verifyJwt = async (
  token: string,
  key: jose.CryptoKey,
  { now, tolerance }: TokenTimeLimits
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

export const badPublicKey = ({ publicKeyVersion }: VerifyOptions): EntitlementRejection => ({
  reason: "badPublicKey",
  expected: `version ${publicKeyVersion}: RSA of at least 2048 bits for ${algorithm}, as PEM (PUBLIC KEY), JWK or CryptoKey`
})

export const rejectionOf = (
  cause: unknown,
  token: string,
  options: VerifyOptions
): EntitlementRejection => {
  // jose has a class of its own for all that can be wrong with a token, and a TypeError for a key
  if (!(cause instanceof jose.errors.JOSEError)) return badPublicKey(options)
  // the union is jose's own list of its classes, by code
  const error = cause as jose.errors.AnyJOSEError
  switch (error.code) {
    case "ERR_JOSE_ALG_NOT_ALLOWED": {
      const { alg = "" } = jose.decodeProtectedHeader(token)
      return {
        reason: "wrongAlgorithm",
        expected: algorithm,
        ...(isRegisteredAlgorithm(alg) && { found: alg })
      }
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
const isRegisteredAlgorithm = (alg: string): boolean =>
  /^(?:none|(?:HS|RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/.test(alg)
