/** Errors of failed connection attempts, as published by undici and Node's `fetch`. */
import { subscribe } from "node:diagnostics_channel"

const connectErrors = new WeakSet<object>()

let isTracking = false

/** Starts to record the errors of undici's connectors for `hasNeverConnected`. */
export const trackConnectFailures = (): void => {
  if (isTracking) return
  isTracking = true
  subscribe("undici:client:connectError", (message) => {
    const error: unknown = (message as { readonly error?: unknown } | undefined)?.error
    if (typeof error === "object" && error !== null) connectErrors.add(error)
  })
}

/** Returns true if the error failed a connection attempt or its TLS handshake. */
export const hasNeverConnected = (error: object): boolean => connectErrors.has(error)
