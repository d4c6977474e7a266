/** SHA-256 as Signature Version 4 needs it, where there is no node:crypto. */
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { bytesToHex } from "@noble/hashes/utils.js"

const encoder = new TextEncoder()

const toBytes = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? encoder.encode(data) : data

export const sha256Hex = (data: string | Uint8Array): string => bytesToHex(sha256(toBytes(data)))

export const hmacSha256 = (key: string | Uint8Array, data: string | Uint8Array): Uint8Array =>
  hmac(sha256, toBytes(key), toBytes(data))

export const hmacSha256Hex = (key: string | Uint8Array, data: string | Uint8Array): string =>
  bytesToHex(hmacSha256(key, data))
