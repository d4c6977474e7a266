/** From the errors of a call to the end of a command. */
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { MeteringClient } from "../../MeteringClient.js"
import * as MeteringError from "../../MeteringError.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import { cannotRun, type Failure, refused } from "./failure.js"

export type CallError = MeteringError.MeteringError | MeteringError.MeteringConfigError

/** The end of a command that a single error has ended: 2 only where nothing was sent. */
export const failureOf = (error: CallError | ConfigError.ConfigError): Failure =>
  ConfigError.isConfigError(error)
    ? cannotRun(String(error))
    : MeteringError.deliveryOf(error) === "notSent"
      ? cannotRun(error.message)
      : refused(error.message)

/** The possible effects of a call without a response, and how to go on from there. */
export interface Doubt {
  /** Such as "may have been metered". */
  readonly perhaps: string
  readonly advice: string
}

/**
 * Makes a call with the retries of a command. It never ends as if nothing had been sent when an earlier attempt was; one
 * that may have done something is told with the advice, and so is an interruption.
 */
export const callWithRetries = <A, E extends MeteringError.MeteringError>(
  call: Effect.Effect<A, E, MeteringClient>,
  client: Layer.Layer<MeteringClient, MeteringError.MeteringConfigError | ConfigError.ConfigError>,
  doubt?: Doubt
): Effect.Effect<A, Failure> =>
  Effect.flatMap(MeteringRetry.trackDelivery(call), (tracked) => {
    let doubtful: E | undefined
    return tracked.call.pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (MeteringError.deliveryOf(error) === "unknown") doubtful = error
        })
      ),
      Effect.retry(MeteringRetry.standard),
      Effect.provide(client),
      Effect.onError((cause) =>
        Effect.flatMap(tracked.delivery, (delivery) =>
          doubt !== undefined && delivery === "unknown" && !Cause.isFailure(cause)
            ? Console.error(`It was stopped, and ${doubt.perhaps}. ${doubt.advice}`)
            : Effect.void
        )
      ),
      Effect.catchAll((error) =>
        Effect.flatMap(tracked.delivery, (delivery) =>
          Effect.fail(overAll(failureOf(error), delivery, error === doubtful, doubtful, doubt))
        )
      )
    )
  })

/** The last attempt's failure in the light of all. */
const overAll = (
  last: Failure,
  delivery: MeteringError.Delivery,
  isLast: boolean,
  doubtful: MeteringError.MeteringError | undefined,
  doubt: Doubt | undefined
): Failure => {
  if (delivery === "notSent") return last
  const earlier =
    isLast || doubtful === undefined
      ? []
      : [`An earlier attempt ${doubt?.perhaps ?? "was sent"}: ${reasonOf(doubtful)}.`]
  return refused(
    [
      // which was true of the last attempt only
      last.exitCode === 2 ? last.message.replace(/ Nothing was sent[^.]*\./, "") : last.message,
      ...earlier,
      ...(delivery === "unknown" && doubt !== undefined ? [doubt.advice] : [])
    ].join("\n")
  )
}

const reasonOf = (error: MeteringError.MeteringError): string =>
  error._tag === "ConnectionError"
    ? error.reason
    : error._tag === "RequestTimeoutError"
      ? "no answer in time"
      : [error._tag, error.statusCode && `HTTP ${error.statusCode}`].filter(Boolean).join(", ")
