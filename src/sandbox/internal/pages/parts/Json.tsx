/** Shows a value as indented JSON, and a string without change. */
export const Json = ({ label, value }: { readonly label: string; readonly value: unknown }) => (
  <figure class="json">
    <figcaption>{label}</figcaption>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled with the keyboard */}
    <pre tabIndex={0}>{typeof value === "string" ? value : indented(value)}</pre>
  </figure>
)

const indented = (value: unknown): string => {
  try {
    return JSON.stringify(value, undefined, 2)
  } catch {
    // `JSON.stringify` fails for very deep nesting, which the built-in receiver accepts
    return "It is nested too deeply to be shown."
  }
}
