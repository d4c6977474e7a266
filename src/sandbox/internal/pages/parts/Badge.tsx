import type { ComponentChildren } from "preact"

export type Tone = "good" | "bad" | "warn" | "plain"

/** A label with a color. The text has the same meaning as the color, for readers who do not see colors. */
export const Badge = ({
  children,
  tone = "plain"
}: {
  readonly children: ComponentChildren
  readonly tone?: Tone
}) => <span class={`badge ${tone}`}>{children}</span>
