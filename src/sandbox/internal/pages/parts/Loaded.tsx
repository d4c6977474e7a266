import type { ComponentChildren } from "preact"
import type { Polled } from "../usePolled.js"

/** Renders data after it was loaded, and the error of the last request. */
export const Loaded = <A,>({
  children,
  polled: { data, error }
}: {
  readonly polled: Polled<A>
  readonly children: (data: A) => ComponentChildren
}) => (
  <>
    {error !== undefined && (
      <p class="message bad" role="alert">
        {error}
      </p>
    )}
    {data === undefined ? error === undefined && <p class="quiet">Loading.</p> : children(data)}
  </>
)
