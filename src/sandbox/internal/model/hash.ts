/** Hashes for ids and checksums. The hashes of `#sha256` are effects, because Web Crypto has no synchronous ones. */
import { createHash } from "node:crypto"

export const sha256HexSync = (text: string): string =>
  createHash("sha256").update(text).digest("hex")
