import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"

/** Details that are rendered only while they are open. */
export const Expander = ({
  children,
  summary
}: {
  readonly summary: ComponentChildren
  readonly children: () => ComponentChildren
}) => {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="expander" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && <div class="inside">{children()}</div>}
    </details>
  )
}
