/** Polls a resource of the control API, and reads it at once after a change. Pauses while the page is hidden. */
import { useEffect, useState } from "preact/hooks"
import { describeError, get, onChange } from "./client.js"

export interface Polled<A> {
  readonly data?: A | undefined
  /** The error message of the last request. Absent if it succeeded. */
  readonly error?: string | undefined
}

/** The pause between two requests, in milliseconds. */
const interval = 2_000

/** The minimum pause after a request, as a multiple of its duration, so that slow requests are sent less often. */
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
