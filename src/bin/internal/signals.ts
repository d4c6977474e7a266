/** Who is told that the process is to end: a command that ends in its own way, or else its fiber, by interruption. */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export class Signals extends Context.Tag("effect-marketplace-metering/bin/Signals")<
  Signals,
  {
    /** Until the end of the scope, the first signal calls this, and the second ends the process at once. */
    readonly take: (onSignal: () => void) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}
