/** What a failed connection says for itself, without the request that it belongs to. */
import type * as HttpClientError from "@effect/platform/HttpClientError"
import { ConnectionError, type OperationName } from "../MeteringError.js"

/** Where these happen, no byte of the request has left this machine. */
const beforeSending: ReadonlySet<string> = new Set([
  "CERT_HAS_EXPIRED",
  "ConnectionRefused",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UND_ERR_CONNECT_TIMEOUT"
])

export const connectionError = (
  operation: OperationName,
  endpoint: string,
  error: Pick<HttpClientError.HttpClientError, "reason" | "cause">
): ConnectionError => {
  const reason = codeOf(error.cause) ?? error.reason
  const isUnsent =
    error.reason === "InvalidUrl" || error.reason === "Encode" || beforeSending.has(reason)
  return new ConnectionError(
    { operation, endpoint, reason, delivery: isUnsent ? "notSent" : "unknown" },
    true
  )
}

/** The innermost code or name: `fetch` wraps the cause, and several addresses fail together. */
const codeOf = (cause: unknown, depth = 0): string | undefined => {
  if (typeof cause !== "object" || cause === null || depth > 4) return undefined
  const { cause: inner, code, errors, name } = cause as Record<string, unknown>
  const first = Array.isArray(errors) ? errors[0] : undefined
  return (
    codeOf(inner, depth + 1) ??
    codeOf(first, depth + 1) ??
    (typeof code === "string"
      ? code
      : typeof name === "string" && name !== "Error"
        ? name
        : undefined)
  )
}
