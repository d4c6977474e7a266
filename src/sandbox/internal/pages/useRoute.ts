/** Returns the name of the current page, from the fragment of the URL. */
import { useEffect, useState } from "preact/hooks"

const routeOf = (hash: string): string => hash.replace(/^#\/?/, "")

export const useRoute = (): string => {
  const [route, setRoute] = useState(routeOf(location.hash))
  useEffect(() => {
    const update = () => setRoute(routeOf(location.hash))
    addEventListener("hashchange", update)
    return () => removeEventListener("hashchange", update)
  }, [])
  return route
}
