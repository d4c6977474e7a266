/** The key pair that signs responses of RegisterUsage and SNS messages. */
import { createPrivateKey, sign } from "node:crypto"
import * as Effect from "effect/Effect"
import type { Claims } from "../model/serviceResponse.js"
import { selfSignedCertificate } from "./certificate.js"

export interface SigningKey {
  /** SPKI, PEM. */
  readonly publicKey: string
  readonly sign: (claims: Claims) => Effect.Effect<string>
  /** PEM. */
  readonly certificate: string
  /** By RSASSA-PKCS1-v1_5, in Base64. */
  readonly signText: (hash: "sha1" | "sha256", text: string) => string
}

/** Generates a private key, PKCS #8 in PEM. This takes longer than everything else of a sandbox. */
export const generate = async (): Promise<string> => {
  const jose = await import("jose")
  const { privateKey } = await jose.generateKeyPair("PS256", { extractable: true })
  return jose.exportPKCS8(privateKey)
}

/** True for a private key that can sign: RSA of at least 2048 bits, PKCS #8 in PEM. */
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
