/** The preflight rule that is checked on the encoded request. */
import type { Violation } from "../../MeteringError.js"

/** Maximum size of a request, in bytes, exclusive. AWS documents "less than 1 MB" and not the exact limit. */
export const requestSizeLimit = 1_000_000

/** Makes the violation of a request with this many bytes. */
export const requestTooLarge = (bytes: number): Violation => ({
  field: "request",
  rule: "requestSize",
  expected: `less than ${requestSizeLimit} bytes`,
  value: bytes
})
