/** Hashes for ids and checksums. The hashes of `#sha256` are effects, because Web Crypto has no synchronous ones. */
import { hash } from "node:crypto"

export const sha256HexSync = (text: string): string => hash("sha256", text)

/** A UUID that depends on the key alone. */
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

/** A key that is different for different parts. */
export const keyOf = (...parts: ReadonlyArray<string | number>): string => JSON.stringify(parts)
