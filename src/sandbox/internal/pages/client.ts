/** Requests to the control API of the sandbox that serves these pages. */

/** Returns the error message of a failed response. */
const messageOf = (status: number, text: string): string => {
  try {
    const { message, reason } = JSON.parse(text)
    return String(reason ?? message ?? text)
  } catch {
    return `The sandbox responded with HTTP ${status}.`
  }
}

const textOf = async (path: string, init: RequestInit): Promise<string> => {
  const response = await fetch(path, init)
  const text = await response.text()
  if (!response.ok) throw new Error(messageOf(response.status, text))
  return text
}

export const get = (path: string, signal: AbortSignal): Promise<string> => textOf(path, { signal })

const listeners = new Set<() => void>()

/** Calls `listener` after each change that this page makes. Returns a function that stops this. */
export const onChange = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Sends a change. Returns the JSON of the response, or an empty object if the response has no body. */
export const send = async <A extends object>(
  method: "POST" | "PUT",
  path: string,
  body: unknown = {}
): Promise<A> => {
  const text = await textOf(path, {
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body)
  })
  for (const listener of listeners) listener()
  return JSON.parse(text || "{}")
}

/** Returns the message of an error. A failed `fetch` has no useful message of its own. */
export const describeError = (error: unknown): string =>
  error instanceof TypeError
    ? "The sandbox does not respond. Is it still running?"
    : error instanceof Error
      ? error.message
      : String(error)
