import type { Action } from "../useAction.js"

/** The result of an action, which a screen reader announces. */
export const Messages = ({ error, success }: Pick<Action, "error" | "success">) => (
  <>
    <p class="message good" role="status">
      {success}
    </p>
    <p class="message bad" role="alert">
      {error}
    </p>
  </>
)
