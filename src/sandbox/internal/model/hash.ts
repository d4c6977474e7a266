/** Synchronous hashes for ids and checksums. `#sha256` has only effects, because the hashes of Web Crypto are asynchronous. */
import { hash } from "node:crypto"

export const sha256HexSync = (text: string): string => hash("sha256", text)

/** Returns a UUID that depends only on the key. */
export const uuidOf = (key: string): string => {
  const hex = sha256HexSync(key)
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32)
  ].join("-")
}

/** Returns a key that is different for different parts. */
export const keyOf = (...parts: ReadonlyArray<string | number>): string => JSON.stringify(parts)
