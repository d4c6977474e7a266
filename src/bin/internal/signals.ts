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
    readonly take: (
      onSignal: (wanted: "end" | "endAtOnce") => void
    ) => Effect.Effect<void, never, Scope.Scope>
    /**
     * Until the end of the scope, the end from outside waits while this gives a text that says what is unfinished. A third
     * signal does not wait, and prints the text.
     */
    readonly hold: (unfinished: () => string | undefined) => Effect.Effect<void, never, Scope.Scope>
    /** A signal is the ordinary end of this command. */
    readonly expect: Effect.Effect<void>
  }
>() {}

/** Ends when the process has taken too long to end at once, and nothing is unfinished. */
export const overdue = (unfinished: () => string | undefined): Effect.Effect<void> =>
  Effect.asVoid(
    Effect.repeat(Effect.sleep("5 seconds"), { while: () => unfinished() !== undefined })
  )

/** Milliseconds in which a signal is an echo: a parent process passes on what all of its group have got. */
const echo = 1_000

export type Wanted = "end" | "endAtOnce" | "exit"

const wanted: ReadonlyArray<Wanted> = ["end", "endAtOnce", "exit"]

/** The meaning of the first, second and third signal, by the milliseconds at which they come. Echoes mean nothing. */
export const meaning = (): ((at: number) => Wanted | undefined) => {
  let count = 0
  let last = Number.NEGATIVE_INFINITY
  return (at) => {
    if (at - last < echo) return undefined
    last = at
    return wanted[Math.min(count++, wanted.length - 1)]
  }
}
