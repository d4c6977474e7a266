/** SHA-256 as Signature Version 4 needs it, where there is node:crypto. */
import { createHash, createHmac } from "node:crypto"

export const sha256Hex = (data: string | Uint8Array): string =>
  createHash("sha256").update(data).digest("hex")

export const hmacSha256 = (key: string | Uint8Array, data: string | Uint8Array): Uint8Array =>
  createHmac("sha256", key).update(data).digest()

export const hmacSha256Hex = (key: string | Uint8Array, data: string | Uint8Array): string =>
  createHmac("sha256", key).update(data).digest("hex")
