/** Hashes in hexadecimal, for ids and checksums. Web Crypto has no synchronous ones. */
import { createHash } from "node:crypto"

export const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex")
