import { Effect } from "effect"

/** The error of an effect. A success is a short failure of the test, since a report with signatures takes minutes. */
export const errorOf = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<E, Error, R> =>
  Effect.matchEffect(self, {
    onFailure: Effect.succeed,
    onSuccess: () => Effect.fail(new Error("expected a failure, and it succeeded"))
  })
