/** Reads a part of the control API again and again, and at once after a change. Pauses while the page is hidden. */
import { useEffect, useState } from "preact/hooks"
import { describeError, get, onChange } from "./client.js"

export interface Polled<A> {
  readonly data?: A | undefined
  /** The message of the last request, if it failed. */
  readonly error?: string | undefined
}

/** Milliseconds between two requests. */
const interval = 2_000

/** A request and the pause after it take at least this many times the request alone. */
const minPauseRatio = 10

export const usePolled = <A>(path: string): Polled<A> => {
  const [polled, setPolled] = useState<Polled<A>>({})
  useEffect(() => {
    let controller = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    let last: string | undefined
    const stop = () => {
      controller.abort()
      clearTimeout(timer)
    }
    const poll = async () => {
      stop()
      if (document.hidden) return
      controller = new AbortController()
      const { signal } = controller
      const began = performance.now()
      try {
        const text = await get(path, signal)
        if (signal.aborted) return
        if (text !== last) setPolled({ data: JSON.parse(text) })
        last = text
      } catch (error) {
        if (signal.aborted) return
        last = undefined
        setPolled(({ data }) => ({ data, error: describeError(error) }))
      }
      timer = setTimeout(poll, Math.max(interval, (performance.now() - began) * minPauseRatio))
    }
    setPolled({})
    poll()
    const removeListener = onChange(poll)
    document.addEventListener("visibilitychange", poll)
    return () => {
      stop()
      removeListener()
      document.removeEventListener("visibilitychange", poll)
    }
  }, [path])
  return polled
}
