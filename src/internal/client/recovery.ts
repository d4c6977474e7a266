/** What may be mended on behalf of one call: expired credentials, and a clock that is off. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as MeteringError from "../../MeteringError.js"

/** A clock that is off by so much is corrected; the service itself refuses from five minutes on. */
export const minCorrectedSkew = 4 * 60 * 1000

/**
 * A clock that is off by more is not corrected: no certificate of the service would be valid by it, so that the `Date`
 * is wrong, such as that of a cache. By one far enough away nothing could be signed any more.
 */
export const maxCorrectedSkew = 24 * 60 * 60 * 1000

/** An attempt that has been answered, and what can be done should the answer be one of two. */
export interface Attempt<C, A, E> {
  readonly outcome: Either.Either<A, E>
  /** Others in place of expired credentials, or nothing where there are no others. */
  readonly refresh: Effect.Effect<C | undefined, MeteringError.CredentialsError>
  /** Sets the clock by the answer; whether it was so far off that another attempt can differ. */
  readonly correctClock: () => boolean
}

/** Makes an attempt, and another one for each of the two causes that can be mended, once each. */
export const withRecovery = <C, A, E extends { readonly _tag: string }, R>(
  attempt: (connection: C) => Effect.Effect<Attempt<C, A, E>, E, R>
) => {
  const run = (connection: C, recovered: Recovered): Effect.Effect<A, E, R> =>
    Effect.flatMap(attempt(connection), ({ correctClock, outcome, refresh }) => {
      if (Either.isRight(outcome)) return outcome
      const error: E | MeteringError.CredentialsExpiredError = outcome.left
      if (isExpired(error) && !recovered.credentials) {
        return Effect.matchEffect(refresh, {
          // this is the same error with one field more
          onFailure: ({ reason }) => Effect.fail(withRefreshError(error, reason) as unknown as E),
          onSuccess: (refreshed) =>
            refreshed === undefined ? outcome : run(refreshed, { ...recovered, credentials: true })
        })
      }
      return mayBeClockSkew(error) && !recovered.clock && correctClock()
        ? run(connection, { ...recovered, clock: true })
        : outcome
    })
  return (connection: C) => run(connection, { clock: false, credentials: false })
}

interface Recovered {
  readonly clock: boolean
  readonly credentials: boolean
}

const isExpired = (error: {
  readonly _tag: string
}): error is MeteringError.CredentialsExpiredError => error._tag === "CredentialsExpiredError"

const withRefreshError = (error: MeteringError.CredentialsExpiredError, refreshError: string) => {
  const { _tag: _, ...fields } = error
  return new MeteringError.CredentialsExpiredError({ ...fields, refreshError }, true)
}

/** A wrong clock makes a signature stale, and some front doors only say that it is wrong. */
const mayBeClockSkew = (error: { readonly _tag: string; readonly code?: string }) =>
  error._tag === "ClockSkewError" ||
  (error._tag === "CredentialsRejectedError" &&
    (error.code === "InvalidSignatureException" ||
      error.code === "SignatureDoesNotMatch" ||
      error.code === "AuthFailure"))

export const withOperation =
  (operation: MeteringError.OperationName) => (error: MeteringError.CredentialsError) =>
    new MeteringError.CredentialsError(
      { operation, tried: error.tried, reason: error.reason },
      true
    )
