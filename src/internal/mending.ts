/** What may be mended on behalf of one call: expired credentials, and a clock that is off. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import type * as AwsCredentials from "../AwsCredentials.js"
import * as MeteringError from "../MeteringError.js"

/** A clock that is off by so much is corrected; the service itself refuses from five minutes on. */
export const skewToCorrect = 4 * 60 * 1000

/**
 * A clock that is off by more is not corrected: no certificate of the service would be valid by it, so that the `Date`
 * is wrong, such as that of a cache. By one far enough away nothing could be signed any more.
 */
export const maxSkew = 24 * 60 * 60 * 1000

/** An attempt that has been answered, and what can be done should the answer be one of two. */
export interface Attempt<C, A, E> {
  readonly outcome: Either.Either<A, E>
  /** Others in place of expired credentials, or nothing where there are no others. */
  readonly renew: Effect.Effect<C | undefined, MeteringError.CredentialsError>
  /** Sets the clock by the answer; whether it was so far off that another attempt can differ. */
  readonly correctClock: () => boolean
}

/** Makes an attempt, and another one for each of the two causes that can be mended, once each. */
export const mending = <C, A, E extends { readonly _tag: string }, R>(
  attempt: (connection: C) => Effect.Effect<Attempt<C, A, E>, E, R>
) => {
  const run = (connection: C, mended: Mended): Effect.Effect<A, E, R> =>
    Effect.flatMap(attempt(connection), ({ correctClock, outcome, renew }) => {
      if (Either.isRight(outcome)) return outcome
      const error: E | MeteringError.CredentialsExpiredError = outcome.left
      if (isExpired(error) && !mended.credentials) {
        return Effect.matchEffect(renew, {
          // this is the same error with one field more
          onFailure: ({ reason }) => Effect.fail(withRenewal(error, reason) as unknown as E),
          onSuccess: (renewed) =>
            renewed === undefined ? outcome : run(renewed, { ...mended, credentials: true })
        })
      }
      return mayBeClock(error) && !mended.clock && correctClock()
        ? run(connection, { ...mended, clock: true })
        : outcome
    })
  return (connection: C) => run(connection, { clock: false, credentials: false })
}

interface Mended {
  readonly clock: boolean
  readonly credentials: boolean
}

const isExpired = (error: {
  readonly _tag: string
}): error is MeteringError.CredentialsExpiredError => error._tag === "CredentialsExpiredError"

const withRenewal = (error: MeteringError.CredentialsExpiredError, renewal: string) => {
  const { _tag: _, ...fields } = error
  return new MeteringError.CredentialsExpiredError({ ...fields, renewal }, true)
}

/** A wrong clock makes a signature stale, and some front doors only say that it is wrong. */
const mayBeClock = (error: { readonly _tag: string; readonly code?: string }) =>
  error._tag === "ClockSkewError" ||
  (error._tag === "CredentialsRejectedError" &&
    (error.code === "InvalidSignatureException" ||
      error.code === "SignatureDoesNotMatch" ||
      error.code === "AuthFailure"))

export const isSame = (a: AwsCredentials.Credentials, b: AwsCredentials.Credentials) =>
  a.accessKeyId === b.accessKeyId &&
  Equal.equals(a.secretAccessKey, b.secretAccessKey) &&
  Equal.equals(a.sessionToken, b.sessionToken)

export const forOperation =
  (operation: MeteringError.OperationName) => (error: MeteringError.CredentialsError) =>
    new MeteringError.CredentialsError(
      { operation, tried: error.tried, reason: error.reason },
      true
    )
