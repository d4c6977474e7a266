import type { Action } from "../useAction.js"

/** The result of an action. Screen readers announce it. */
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
