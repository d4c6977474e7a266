/** Signals for the command that ends in its own way; of any other its fiber is interrupted. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export class Signals extends Context.Tag("effect-marketplace-metering/bin/Signals")<
  Signals,
  {
    /**
     * Until the end of the scope, signals call this: the first asks for an end in good order, the second for one at
     * once. After the second the process is ended from outside if it takes longer than a few seconds.
     */
    readonly handle: (
      handler: (level: "stop" | "abort") => void
    ) => Effect.Effect<void, never, Scope.Scope>
    /**
     * Until the end of the scope, the end from outside waits while this gives a text that says what is unfinished. A third
     * signal does not wait, and prints the text.
     */
    readonly holdExit: (
      unfinished: () => string | undefined
    ) => Effect.Effect<void, never, Scope.Scope>
    /** A signal is the ordinary end of this command. */
    readonly expectSignal: Effect.Effect<void>
  }
>() {}

/** Ends when the process has taken too long to end at once, and nothing is unfinished. */
export const shutdownTimeout = (unfinished: () => string | undefined): Effect.Effect<void> =>
  Effect.asVoid(
    Effect.repeat(Effect.sleep("5 seconds"), { while: () => unfinished() !== undefined })
  )

/** Milliseconds in which a signal is an echo: a parent process passes on what all of its group have got. */
const echoMillis = 1_000

export type ShutdownLevel = "stop" | "abort" | "exit"

const shutdownLevels: ReadonlyArray<ShutdownLevel> = ["stop", "abort", "exit"]

/** The meaning of the first, second and third signal, by the milliseconds at which they come. Echoes mean nothing. */
export const makeEscalation = (): ((at: number) => ShutdownLevel | undefined) => {
  let count = 0
  let last = Number.NEGATIVE_INFINITY
  return (at) => {
    if (at - last < echoMillis) return undefined
    last = at
    return shutdownLevels[Math.min(count++, shutdownLevels.length - 1)]
  }
}
