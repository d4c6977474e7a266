/** Credentials of a call, and the two causes of failure that another attempt recovers from. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Credentials } from "../../AwsCredentials.js"
import * as MeteringError from "../../MeteringError.js"
import type { Response, Transport } from "../../Transport.js"
import { isSameCredentials, validateCredentials } from "../credentials/credentials.js"

/** The smallest error of the clock that is corrected: 4 minutes, in milliseconds. The service rejects 5 and more. */
export const minCorrectedSkew = 4 * 60 * 1000

/**
 * The largest error of the clock that is corrected: 24 hours, in milliseconds. No certificate of the service would be
 * valid by a clock that is further off, so that the `Date` is wrong, such as that of a cache.
 */
export const maxCorrectedSkew = 24 * 60 * 60 * 1000

/** A response and its meaning. */
export interface AttemptResult<A, E> {
  readonly response: Response
  readonly outcome: Either.Either<A, E>
}

/** Makes the attempt of a call with these credentials, if any, and by a clock that is corrected by the offset. */
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

  /** Makes the next attempt with other credentials, or returns `otherwise`. */
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
                // this is the same error with one field more
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

/** A wrong clock makes a signature outdated. Some gateways in front of the service only call it wrong. */
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
