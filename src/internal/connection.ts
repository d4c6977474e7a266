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
  const { connecting = false, reason = error.reason } = faultOf(error.cause) ?? {}
  const isUnsent =
    connecting ||
    error.reason === "InvalidUrl" ||
    error.reason === "Encode" ||
    beforeSending.has(reason)
  return new ConnectionError(
    { operation, endpoint, reason, delivery: isUnsent ? "notSent" : "unknown" },
    true
  )
}

interface Fault {
  readonly reason: string
  /** Whether it befell the making of the connection, where the system tells. */
  readonly connecting: boolean
}

/** The innermost code or name: `fetch` wraps the cause, and several addresses fail together. */
const faultOf = (cause: unknown, depth = 0): Fault | undefined => {
  if (typeof cause !== "object" || cause === null || depth > 4) return undefined
  const { cause: inner, code, errors, name, syscall } = cause as Record<string, unknown>
  const first = Array.isArray(errors) ? errors[0] : undefined
  const reason =
    typeof code === "string"
      ? code
      : typeof name === "string" && name !== "Error"
        ? name
        : undefined
  return (
    faultOf(inner, depth + 1) ??
    faultOf(first, depth + 1) ??
    (reason === undefined
      ? undefined
      : { reason, connecting: syscall === "connect" || syscall === "getaddrinfo" })
  )
}
