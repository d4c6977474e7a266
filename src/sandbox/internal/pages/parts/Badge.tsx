import type { ComponentChildren } from "preact"

export type Tone = "good" | "bad" | "warn" | "plain"

/** A short state. Its text says what its color does. */
export const Badge = ({
  children,
  tone = "plain"
}: {
  readonly children: ComponentChildren
  readonly tone?: Tone
}) => <span class={`badge ${tone}`}>{children}</span>
