/** Errors of connections that were never made, as far as the HTTP client tells. Both undici and Node's own `fetch` do. */
import { subscribe } from "node:diagnostics_channel"

const seen = new WeakSet<object>()

let isWatching = false

/** From then on, `hasNeverConnected` knows of the errors of undici's connectors. */
export const watch = (): void => {
  if (isWatching) return
  isWatching = true
  subscribe("undici:client:connectError", (message) => {
    const error: unknown = (message as { readonly error?: unknown } | undefined)?.error
    if (typeof error === "object" && error !== null) seen.add(error)
  })
}

/** Whether this is why a connection was not made, the TLS handshake included. */
export const hasNeverConnected = (error: object): boolean => seen.has(error)
