/** Who is told that the process is to end: a command that ends in its own way, or else its fiber, by interruption. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export class Signals extends Context.Tag("effect-marketplace-metering/bin/Signals")<
  Signals,
  {
    /**
     * Until the end of the scope, the first signal calls this, and a second one that is no echo ends the process at
     * once.
     */
    readonly take: (onSignal: () => void) => Effect.Effect<void, never, Scope.Scope>
    /** A signal is the ordinary end of this command. */
    readonly expect: Effect.Effect<void>
  }
>() {}

/** For so many milliseconds a signal may come once more, from a parent process that passes on what all have got. */
const echo = 1_000

/** What signals mean, by the milliseconds at which they come: nothing where they are an echo of the first. */
export const meaning = (): ((at: number) => "end" | "endAtOnce" | undefined) => {
  let first: number | undefined
  return (at) => {
    if (first === undefined) {
      first = at
      return "end"
    }
    return at - first < echo ? undefined : "endAtOnce"
  }
}
