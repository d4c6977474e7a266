/** Runs the change that a button or form makes, and returns its progress and result. */
import { useState } from "preact/hooks"
import { describeError } from "./client.js"

export interface Action {
  readonly isPending: boolean
  /** The message after a success. */
  readonly success?: string | undefined
  readonly error?: string | undefined
  readonly run: (change: () => Promise<string>) => Promise<void>
}

export const useAction = (): Action => {
  const [state, setState] = useState<Omit<Action, "run">>({ isPending: false })
  return {
    ...state,
    run: async (change) => {
      setState({ isPending: true })
      try {
        setState({ isPending: false, success: await change() })
      } catch (error) {
        setState({ isPending: false, error: describeError(error) })
      }
    }
  }
}
