/** Reads a resource of the control API once, because it does not change. */
import { useEffect, useState } from "preact/hooks"
import { describeError, get } from "./client.js"
import type { Polled } from "./usePolled.js"

export const useOnce = <A>(path: string): Polled<A> => {
  const [state, setState] = useState<Polled<A>>({})
  useEffect(() => {
    const controller = new AbortController()
    get(path, controller.signal).then(
      (text) => setState({ data: JSON.parse(text) }),
      (error) => {
        if (!controller.signal.aborted) setState({ error: describeError(error) })
      }
    )
    return () => controller.abort()
  }, [path])
  return state
}
