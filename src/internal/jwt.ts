/**
 * Verifies a JWT with the JOSE library. This module is loaded when the first token is verified.
 *
 * Imports nothing of Effect, because a bundler without code splitting would wrap all imports of this module for lazy
 * loading.
 */
import * as jose from "jose"

const algorithm = "PS256"

/** The reason why a token or its key is rejected, without any text of the token. */
interface TokenRejection {
  readonly reason:
    | "malformedToken"
    | "wrongAlgorithm"
    | "badPublicKey"
    | "badSignature"
    | "malformedClaim"
    | "issuedInFuture"
    | "tooOld"
  readonly claim?: string
  readonly expected?: string
  readonly found?: string
}

type Key = string | jose.CryptoKey | jose.KeyObject | jose.JWK

interface KeyOptions {
  readonly publicKey: Key | { readonly [version: number]: Key }
  readonly publicKeyVersion: number
}

export const importKey = async ({
  publicKey,
  publicKeyVersion
}: KeyOptions): Promise<jose.CryptoKey> => {
  const key = isSingleKey(publicKey) ? publicKey : publicKey[publicKeyVersion]
  if (typeof key === "string") return jose.importSPKI(toPem(key), algorithm)
  if (hasTag("CryptoKey", key)) return key
  if (hasTag("KeyObject", key)) return jose.importSPKI(await jose.exportSPKI(key), algorithm)
  // checked here, because importJWK follows its second argument, not the `alg` and `use` of the JWK
  const { kty, alg = algorithm, use = "sig" } = key ?? {}
  if (kty !== "RSA" || alg !== algorithm || use !== "sig") throw new TypeError("not for PS256")
  return jose.importJWK({ ...key, kty: "RSA" }, algorithm)
}

const isSingleKey = (key: KeyOptions["publicKey"]): key is Key =>
  typeof key === "string" || "kty" in key || hasTag("CryptoKey", key) || hasTag("KeyObject", key)

interface Tagged {
  readonly CryptoKey: jose.CryptoKey
  readonly KeyObject: jose.KeyObject
}

/** Compares the string tag, because neither class is a global of every runtime. */
const hasTag = <Tag extends keyof Tagged>(tag: Tag, key: unknown): key is Tagged[Tag] =>
  Object.prototype.toString.call(key) === `[object ${tag}]`

/** Accepts bare base64, and literal `\n` as in environment variables. */
const toPem = (pem: string): string => {
  const base64 = pem.replaceAll("\\n", "\n").replace(/-----(?:BEGIN|END) PUBLIC KEY-----/g, "")
  return `-----BEGIN PUBLIC KEY-----\n${base64.trim()}\n-----END PUBLIC KEY-----`
}

/** Times are in milliseconds. */
export const verifyJwt = async (
  token: string,
  key: jose.CryptoKey,
  { now, tolerance }: { readonly now: number; readonly tolerance: number }
): Promise<jose.JWTPayload> => {
  const { payload } = await jose.jwtVerify(token, key, {
    algorithms: [algorithm],
    currentDate: new Date(now),
    // jose accepts only a finite tolerance
    clockTolerance: Math.min(tolerance / 1000, Number.MAX_VALUE)
  })
  // a decoder ignores the lowest bits of the last character, so a changed one would go unnoticed
  const [, , signature = ""] = token.split(".")
  const canonical = jose.base64url.encode(jose.base64url.decode(signature))
  if (canonical !== signature.replace(/=+$/, "")) throw new jose.errors.JWSInvalid()
  return payload
}

export const badPublicKey = ({ publicKeyVersion }: KeyOptions): TokenRejection => ({
  reason: "badPublicKey",
  expected: `version ${publicKeyVersion}: RSA of at least 2048 bits for ${algorithm}, as PEM (PUBLIC KEY), JWK or CryptoKey`
})

export const rejectionOf = (cause: unknown, token: string, options: KeyOptions): TokenRejection => {
  // jose throws its own classes for an invalid token, and a TypeError for an invalid key
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

/** The header is not verified, so only a registered name from it may be shown. */
const isRegisteredAlgorithm = (alg: string): boolean =>
  /^(?:none|(?:HS|RS|PS|ES)(?:256|384|512)|EdDSA|Ed25519)$/.test(alg)
