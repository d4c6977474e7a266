/** Errors of failed connections, without the request. */

import type * as HttpClientError from "@effect/platform/HttpClientError"
import { hasNeverConnected } from "#connectFailures"
import { ConnectionError, type OperationName } from "../../MeteringError.js"
import { isCertificateError, isInvalidRequest } from "../protocol/connectionFailures.js"

/** Where these happen, no byte of the request has left this machine. */
const unsentCodes: ReadonlySet<string> = new Set([
  "ConnectionRefused",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ENOTFOUND",
  "OUT_OF_MEM",
  "UND_ERR_CONNECT_TIMEOUT"
])

export const connectionError = (
  operation: OperationName,
  endpoint: string,
  error: Pick<HttpClientError.HttpClientError, "_tag" | "reason" | "cause">
): ConnectionError => {
  const { isConnecting = false, reason = error.reason } = failureOf(error.cause) ?? {}
  const isUnsent =
    // a response that breaks off has been asked for, whatever its error says
    error._tag === "RequestError" &&
    (isConnecting ||
      error.reason === "InvalidUrl" ||
      error.reason === "Encode" ||
      unsentCodes.has(reason) ||
      isInvalidRequest(reason) ||
      isCertificateError(reason))
  return new ConnectionError(
    { operation, endpoint, reason, delivery: isUnsent ? "notSent" : "unknown" },
    true
  )
}

interface ConnectionFailure {
  readonly reason: string
  /** True if it certainly failed before the connection was made. The TLS handshake is part of that. */
  readonly isConnecting: boolean
}

/** The innermost code or name: `fetch` wraps the cause, and several addresses fail together. */
const failureOf = (cause: unknown, depth = 0): ConnectionFailure | undefined => {
  if (typeof cause !== "object" || cause === null || depth > 4) return undefined
  const { cause: inner, code, errors, message, name, syscall } = cause as Record<string, unknown>
  const first = Array.isArray(errors) ? errors[0] : undefined
  const text = typeof message === "string" ? message : ""
  const reason =
    proxyRejection(text) ??
    (text === badPort ? badPort : undefined) ??
    (typeof code === "string"
      ? code
      : typeof name === "string" && name !== "Error"
        ? name
        : undefined)
  const isConnecting =
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    // Node writes when the handshake is done, and this is what becomes of the request that waits for it
    (code === "EPROTO" && syscall !== "read") ||
    text === badPort ||
    text.startsWith("Client network socket disconnected before secure TLS connection") ||
    hasNeverConnected(cause)
  const nested = failureOf(inner, depth + 1) ?? failureOf(first, depth + 1)
  return nested === undefined
    ? reason === undefined
      ? undefined
      : { reason, isConnecting }
    : { reason: nested.reason, isConnecting: isConnecting || nested.isConnecting }
}

/** Of `fetch`, which opens no connection to a port that the Fetch standard blocks, such as 6000. */
const badPort = "bad port"

/** Undici has the HTTP status of a proxy's rejection only in its message. */
const proxyRejection = (text: string): string | undefined => {
  const status = /^Proxy response \((\d{3})\)/.exec(text)?.[1]
  return status === undefined ? undefined : `the proxy answers CONNECT with HTTP ${status}`
}
