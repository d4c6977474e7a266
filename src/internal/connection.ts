/** What a failed connection says for itself, without the request that it belongs to. */

import type * as HttpClientError from "@effect/platform/HttpClientError"
import { hasNeverConnected } from "#connectFailures"
import { ConnectionError, type OperationName } from "../MeteringError.js"
import { isCertificateError } from "./certificate.js"
import { isInvalidRequest } from "./invalidRequest.js"

/** Where these happen, no byte of the request has left this machine. */
const beforeSending: ReadonlySet<string> = new Set([
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
  const { connecting = false, reason = error.reason } = faultOf(error.cause) ?? {}
  const isUnsent =
    // a response that breaks off has been asked for, whatever its error says
    error._tag === "RequestError" &&
    (connecting ||
      error.reason === "InvalidUrl" ||
      error.reason === "Encode" ||
      beforeSending.has(reason) ||
      isInvalidRequest(reason) ||
      isCertificateError(reason))
  return new ConnectionError(
    { operation, endpoint, reason, delivery: isUnsent ? "notSent" : "unknown" },
    true
  )
}

interface Fault {
  readonly reason: string
  /** Whether it befell the making of the connection, the TLS handshake included, where that is certain. */
  readonly connecting: boolean
}

/** The innermost code or name: `fetch` wraps the cause, and several addresses fail together. */
const faultOf = (cause: unknown, depth = 0): Fault | undefined => {
  if (typeof cause !== "object" || cause === null || depth > 4) return undefined
  const { cause: inner, code, errors, message, name, syscall } = cause as Record<string, unknown>
  const first = Array.isArray(errors) ? errors[0] : undefined
  const said = typeof message === "string" ? message : ""
  const reason =
    refusalOfProxy(said) ??
    (said === badPort ? badPort : undefined) ??
    (typeof code === "string"
      ? code
      : typeof name === "string" && name !== "Error"
        ? name
        : undefined)
  const connecting =
    syscall === "connect" ||
    syscall === "getaddrinfo" ||
    // Node writes when the handshake is done, and this is what becomes of the request that waits for it
    (code === "EPROTO" && syscall !== "read") ||
    said === badPort ||
    said.startsWith("Client network socket disconnected before secure TLS connection") ||
    hasNeverConnected(cause)
  const deeper = faultOf(inner, depth + 1) ?? faultOf(first, depth + 1)
  return deeper === undefined
    ? reason === undefined
      ? undefined
      : { reason, connecting }
    : { reason: deeper.reason, connecting: connecting || deeper.connecting }
}

/** Of `fetch`, which opens no connection to a port that the Fetch standard blocks, such as 6000. */
const badPort = "bad port"

/** Undici tells the status by which a proxy refuses to connect only in words. */
const refusalOfProxy = (said: string): string | undefined => {
  const status = /^Proxy response \((\d{3})\)/.exec(said)?.[1]
  return status === undefined ? undefined : `the proxy answers CONNECT with HTTP ${status}`
}
