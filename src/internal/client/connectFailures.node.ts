/** Errors of connections that were never made, as far as the HTTP client tells. Both undici and Node's own `fetch` do. */
import { subscribe } from "node:diagnostics_channel"

const connectErrors = new WeakSet<object>()

let isTracking = false

/** From then on, `hasNeverConnected` knows of the errors of undici's connectors. */
export const trackConnectFailures = (): void => {
  if (isTracking) return
  isTracking = true
  subscribe("undici:client:connectError", (message) => {
    const error: unknown = (message as { readonly error?: unknown } | undefined)?.error
    if (typeof error === "object" && error !== null) connectErrors.add(error)
  })
}

/** Whether this is why a connection was not made, the TLS handshake included. */
export const hasNeverConnected = (error: object): boolean => connectErrors.has(error)
