/** SHA-256 for Signature Version 4, with node:crypto. */
import { createHash, createHmac } from "node:crypto"
import * as Effect from "effect/Effect"

type Data = string | Uint8Array

export const sha256Hex = (data: Data): Effect.Effect<string> =>
  Effect.sync(() => createHash("sha256").update(data).digest("hex"))

const hmac = (key: Data, data: Data) => createHmac("sha256", key).update(data)

export const hmacSha256 = (key: Data, data: Data): Effect.Effect<Uint8Array> =>
  Effect.sync(() => hmac(key, data).digest())

export const hmacSha256Hex = (key: Data, data: Data): Effect.Effect<string> =>
  Effect.sync(() => hmac(key, data).digest("hex"))
