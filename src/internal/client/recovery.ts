/** Gets the credentials of a call, and recovers from expired credentials and a wrong clock by another attempt. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Credentials } from "../../AwsCredentials.js"
import * as MeteringError from "../../MeteringError.js"
import type { Response, Transport } from "../../Transport.js"
import { isSameCredentials, validateCredentials } from "../credentials/credentials.js"

/** The smallest clock skew that is corrected: 4 minutes, in milliseconds. The service rejects 5 minutes and more. */
export const minCorrectedSkew = 4 * 60 * 1000

/**
 * The largest clock skew that is corrected: 24 hours, in milliseconds. With a larger skew, the service's certificate would
 * not be valid by this machine's clock, so the `Date` must be wrong, such as that of a cache.
 */
export const maxCorrectedSkew = 24 * 60 * 60 * 1000

/** A response and its decoded outcome. */
export interface AttemptResult<A, E> {
  readonly response: Response
  readonly outcome: Either.Either<A, E>
}

/**
 * Makes one attempt of a call, with these credentials if there are any, and with a clock that is corrected by `clockOffset`.
 */
type MakeAttempt<A, E> = (
  credentials: Credentials | undefined,
  clockOffset: number
) => Effect.Effect<AttemptResult<A, E>, E>

/**
 * Gets a call's credentials and makes an attempt. Makes another one after expired credentials were replaced or the
 * clock was corrected, once for each cause. The clock is corrected for all later calls.
 */
export const makeRecovery = ({ credentials: provider, refresh }: Transport) => {
  let clockOffset = 0

  const correctClock = ({ headers, isClockCorrected }: Response, usedOffset: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (isClockCorrected !== undefined) return isClockCorrected
      const offset = Date.parse(headers.date ?? "") - now
      const isOff =
        Math.abs(offset - usedOffset) >= minCorrectedSkew && Math.abs(offset) <= maxCorrectedSkew
      if (isOff) clockOffset = offset
      return isOff
    })

  const current: Effect.Effect<Credentials | undefined, MeteringError.CredentialsError> =
    provider === undefined
      ? Effect.succeed(undefined)
      : Effect.flatMap(provider.get, validateCredentials)

  /** Refreshes the credentials. Returns the next attempt, or `otherwise` if there are no other credentials. */
  const withFreshCredentials = <A, E>(
    expired: Credentials | undefined,
    response: Response,
    next: (credentials: Credentials | undefined) => Effect.Effect<A, E>,
    otherwise: Effect.Effect<A, E>
  ): Effect.Effect<Effect.Effect<A, E>, MeteringError.CredentialsError> =>
    provider !== undefined && expired !== undefined
      ? Effect.map(Effect.flatMap(provider.refresh(expired), validateCredentials), (refreshed) =>
          isSameCredentials(refreshed, expired) ? otherwise : next(refreshed)
        )
      : refresh !== undefined
        ? Effect.map(refresh(response), (isFresh) => (isFresh ? next(undefined) : otherwise))
        : Effect.succeed(otherwise)

  return <A, E extends { readonly _tag: string }>(
    operation: MeteringError.OperationName,
    makeAttempt: MakeAttempt<A, E>
  ): Effect.Effect<A, E | MeteringError.CredentialsError> => {
    const run = (
      credentials: Credentials | undefined,
      recovered: { readonly credentials: boolean; readonly clock: boolean }
    ): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const usedOffset = clockOffset
        return Effect.flatMap(makeAttempt(credentials, usedOffset), ({ outcome, response }) => {
          if (Either.isRight(outcome)) return outcome
          const error: E | MeteringError.CredentialsExpiredError = outcome.left
          if (isExpired(error) && !recovered.credentials) {
            return Effect.matchEffect(
              withFreshCredentials(
                credentials,
                response,
                (refreshed) => run(refreshed, { ...recovered, credentials: true }),
                outcome
              ),
              {
                // the cast is safe because it is the same error with one more field
                onFailure: ({ reason }) =>
                  Effect.fail(withRefreshError(error, reason) as unknown as E),
                onSuccess: (next) => next
              }
            )
          }
          return mayBeClockSkew(error) && !recovered.clock
            ? Effect.flatMap(correctClock(response, usedOffset), (isCorrected) =>
                isCorrected ? run(credentials, { ...recovered, clock: true }) : outcome
              )
            : outcome
        })
      })
    return Effect.flatMap(Effect.mapError(current, withOperation(operation)), (credentials) =>
      run(credentials, { clock: false, credentials: false })
    )
  }
}

const isExpired = (error: {
  readonly _tag: string
}): error is MeteringError.CredentialsExpiredError => error._tag === "CredentialsExpiredError"

const withRefreshError = (error: MeteringError.CredentialsExpiredError, refreshError: string) =>
  new MeteringError.CredentialsExpiredError({ ...error, refreshError }, true)

/** Returns whether a wrong clock may be the cause. Some gateways report an outdated signature only as an invalid one. */
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
