/** Logs failed rounds, but not each round of an outage. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"

/** Interval at which a persistent failure is logged, in milliseconds. */
const interval = 10 * 60_000

interface Failure {
  readonly _tag: string
}

/** Logs the first failure, each failure of another kind, and a persistent failure every 10 minutes. */
export const makeLogging = (): ((
  round: Effect.Effect<unknown, Failure>
) => Effect.Effect<void>) => {
  /** The last failure that was logged. `undefined` after a successful round. */
  let logged: { readonly kind: string; readonly at: number } | undefined
  const onFailure = (cause: Cause.Cause<Failure>) =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const kind = Option.match(Cause.failureOption(cause), {
        onNone: () => "defect",
        onSome: ({ _tag }) => _tag
      })
      if (logged?.kind === kind && at < logged.at + interval) return Effect.void
      logged = { kind, at }
      return Effect.logError("a round of reporting failed", cause)
    })
  const onSuccess = () =>
    Effect.sync(() => {
      logged = undefined
    })
  return (round) =>
    Effect.matchCauseEffect(round, {
      onFailure: (cause) => (Cause.isInterruptedOnly(cause) ? Effect.void : onFailure(cause)),
      onSuccess
    })
}
