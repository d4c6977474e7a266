/** Signals for commands that shut down by themselves. The fiber of any other command is interrupted. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

type ShutdownLevel = "stop" | "abort" | "exit"

/** A command's own handling of signals. */
export interface SignalHandlers {
  /**
   * Called with `stop` by the first signal and `abort` by the second. After an abort the process exits when more than 5
   * seconds have passed.
   */
  readonly onSignal: (level: Exclude<ShutdownLevel, "exit">) => void
  /** Describes unfinished work, which delays that exit. A third signal does not wait, and prints the text. */
  readonly unfinished: () => string | undefined
}

export class Signals extends Context.Tag("effect-marketplace-metering/bin/Signals")<
  Signals,
  {
    /** Installs handlers until the end of the scope. */
    readonly handle: (handlers: Partial<SignalHandlers>) => Effect.Effect<void, never, Scope.Scope>
    /** Makes a signal the normal end of this command. */
    readonly expectSignal: Effect.Effect<void>
  }
>() {}

/** Ends 5 seconds after an abort, or at the next multiple of that without unfinished work. */
export const shutdownTimeout = (unfinished: () => string | undefined): Effect.Effect<void> =>
  Effect.asVoid(
    Effect.repeat(Effect.sleep("5 seconds"), { while: () => unfinished() !== undefined })
  )

/** Milliseconds in which a repeated signal is an echo: a parent process may forward a signal sent to its whole group. */
const echoMillis = 1_000

const shutdownLevels: ReadonlyArray<ShutdownLevel> = ["stop", "abort", "exit"]

/** Gives the level of each signal by its time in milliseconds. Echoes have none. */
export const makeEscalation = (): ((at: number) => ShutdownLevel | undefined) => {
  let count = 0
  let last = Number.NEGATIVE_INFINITY
  return (at) => {
    if (at - last < echoMillis) return undefined
    last = at
    return shutdownLevels[Math.min(count++, shutdownLevels.length - 1)]
  }
}
