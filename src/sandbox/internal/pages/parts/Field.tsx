import type { ComponentChildren } from "preact"

/** A form control with its label, and a hint below. */
export const Field = ({
  children,
  hint,
  label
}: {
  readonly label: string
  readonly hint?: string | undefined
  readonly children: ComponentChildren
}) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the children are the control
  <label class="field">
    <span class="label">{label}</span>
    {children}
    {hint !== undefined && <span class="hint">{hint}</span>}
  </label>
)
