/** SHA-256 for Signature Version 4, with Web Crypto, for runtimes without node:crypto. */
import * as Effect from "effect/Effect"

type Data = string | Uint8Array

const encoder = new TextEncoder()

/** Casts to the type of Web Crypto, which excludes shared memory. The bytes here are never shared. */
const toBytes = (data: Data): Uint8Array<ArrayBuffer> =>
  typeof data === "string" ? encoder.encode(data) : (data as Uint8Array<ArrayBuffer>)

const toHex = (bytes: ArrayBuffer | Uint8Array): string =>
  Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("")

export const sha256Hex = (data: Data): Effect.Effect<string> =>
  Effect.promise(async () => toHex(await globalThis.crypto.subtle.digest("SHA-256", toBytes(data))))

const algorithm = { name: "HMAC", hash: "SHA-256" }

export const hmacSha256 = (key: Data, data: Data): Effect.Effect<Uint8Array> =>
  Effect.promise(async () => {
    const { subtle } = globalThis.crypto
    const cryptoKey = await subtle.importKey("raw", toBytes(key), algorithm, false, ["sign"])
    return new Uint8Array(await subtle.sign(algorithm.name, cryptoKey, toBytes(data)))
  })

export const hmacSha256Hex = (key: Data, data: Data): Effect.Effect<string> =>
  Effect.map(hmacSha256(key, data), toHex)
