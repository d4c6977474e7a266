/** The key pair that signs responses of RegisterUsage and SNS messages. */
import { createPrivateKey, sign } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Claims } from "../model/serviceResponse.js"
import { selfSignedCertificate } from "./certificate.js"

export interface SigningKey {
  /** The public key, as SPKI in PEM. */
  readonly publicKey: string
  /** Signs claims as a JWT with PS256. */
  readonly sign: (claims: Claims) => Effect.Effect<string>
  /** The self-signed certificate, in PEM. */
  readonly certificate: string
  /** Signs text by RSASSA-PKCS1-v1_5. Returns the signature in Base64. */
  readonly signText: (hash: "sha1" | "sha256", text: string) => string
}

/** Generates a private key, as PKCS #8 in PEM. This takes longer than everything else in a sandbox. */
export const generate = async (): Promise<string> => {
  const jose = await import("jose")
  const { privateKey } = await jose.generateKeyPair("PS256", { extractable: true })
  return jose.exportPKCS8(privateKey)
}

/** Returns true if a private key can sign: RSA with at least 2048 bits, as PKCS #8 in PEM. */
export const isPrivateKey = (pem: string): boolean => {
  try {
    const { asymmetricKeyDetails, asymmetricKeyType } = createPrivateKey(pem)
    return (
      pem.startsWith("-----BEGIN PRIVATE KEY-----") &&
      asymmetricKeyType === "rsa" &&
      (asymmetricKeyDetails?.modulusLength ?? 0) >= 2048
    )
  } catch {
    return false
  }
}

export const fromPrivateKey = async (pem: string): Promise<SigningKey> => {
  const jose = await import("jose")
  const privateKey = await jose.importPKCS8(pem, "PS256", { extractable: true })
  const { e, kty, n } = await jose.exportJWK(privateKey)
  const publicKey = await jose.importJWK({ e, kty, n } as JsonWebKey, "PS256", {
    extractable: true
  })
  const key = createPrivateKey(pem)
  return {
    certificate: selfSignedCertificate(key),
    signText: (hash, text) => sign(hash, Buffer.from(text), key).toString("base64"),
    publicKey: await jose.exportSPKI(publicKey as CryptoKey),
    sign: (claims) =>
      Effect.promise(() =>
        new jose.SignJWT({ ...claims })
          .setProtectedHeader({ alg: "PS256", typ: "JWT" })
          .sign(privateKey)
      )
  }
}
