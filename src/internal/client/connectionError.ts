/** Classifies failed connections. The errors contain no part of the request. */

import type * as HttpClientError from "@effect/platform/HttpClientError"
import { hasNeverConnected } from "#connectFailures"
import { ConnectionError, type OperationName } from "../../MeteringError.js"
import { isCertificateError, isInvalidRequest } from "../protocol/connectionFailures.js"

/** Codes of failures before any byte of the request was sent. */
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
    // a response that breaks off belongs to a request that was sent, even if its code is listed
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
  /** True if the failure certainly came before the TLS handshake was done. */
  readonly isConnecting: boolean
}

/** Returns the innermost code or name. `fetch` wraps the cause, and a host with several addresses has several errors. */
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
    // Node writes the request after the handshake, so a failed handshake sent nothing
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

/** Message of `fetch` for a port that the Fetch standard blocks, such as 6000. No connection is opened. */
const badPort = "bad port"

/** Undici reports the HTTP status of a rejected CONNECT only in its message. */
const proxyRejection = (text: string): string | undefined => {
  const status = /^Proxy response \((\d{3})\)/.exec(text)?.[1]
  return status === undefined ? undefined : `the proxy answers CONNECT with HTTP ${status}`
}
