/** Lets a command handle signals itself. Without a handler, the fiber of the command is interrupted. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

type ShutdownLevel = "stop" | "abort" | "exit"

/** A command's own handling of signals. */
export interface SignalHandlers {
  /**
   * Called with `stop` on the first signal, and with `abort` on the second. The process exits 5 seconds after an abort, or later
   * if there is unfinished work.
   */
  readonly onSignal: (level: Exclude<ShutdownLevel, "exit">) => void
  /** Returns a description of unfinished work, if any. A third signal prints it and exits immediately. */
  readonly unfinished: () => string | undefined
}

export class Signals extends Context.Tag("effect-marketplace-metering/bin/Signals")<
  Signals,
  {
    /** Installs handlers until the end of the scope. */
    readonly handle: (handlers: Partial<SignalHandlers>) => Effect.Effect<void, never, Scope.Scope>
    /** Makes a signal the normal end of this command, with exit code 0. */
    readonly expectSignal: Effect.Effect<void>
  }
>() {}

/** Completes after 5 seconds. Repeats the wait while there is unfinished work. */
export const shutdownTimeout = (unfinished: () => string | undefined): Effect.Effect<void> =>
  Effect.asVoid(
    Effect.repeat(Effect.sleep("5 seconds"), { while: () => unfinished() !== undefined })
  )

/** Time in which a repeated signal is ignored, in milliseconds. A parent process may forward a signal sent to its whole group. */
const echoMillis = 1_000

const shutdownLevels: ReadonlyArray<ShutdownLevel> = ["stop", "abort", "exit"]

/** Makes a function from the time of a signal, in milliseconds, to its level. Returns `undefined` for an echo. */
export const makeEscalation = (): ((at: number) => ShutdownLevel | undefined) => {
  let count = 0
  let last = Number.NEGATIVE_INFINITY
  return (at) => {
    if (at - last < echoMillis) return undefined
    last = at
    return shutdownLevels[Math.min(count++, shutdownLevels.length - 1)]
  }
}
