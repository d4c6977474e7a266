/** From the errors of a call to the end of a command. */
import * as Cause from "effect/Cause"
import * as ConfigError from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { MeteringClient } from "../../MeteringClient.js"
import * as MeteringError from "../../MeteringError.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import { type CliError, cannotRun, failed } from "./cliError.js"

export type CallError = MeteringError.MeteringError | MeteringError.MeteringConfigError

/** The end of a command that a single error has ended: 2 only where nothing was sent. */
export const toCliError = (error: CallError | ConfigError.ConfigError): CliError =>
  ConfigError.isConfigError(error)
    ? cannotRun(String(error))
    : MeteringError.deliveryOf(error) === "notSent"
      ? cannotRun(error.message)
      : failed(error.message)

/** The possible effects of a call without a response, and how to go on from there. */
export interface Uncertainty {
  /** Such as "may have been metered". */
  readonly possibleEffect: string
  readonly advice: string
}

/**
 * Makes a call with the retries of a command. It never ends as if nothing had been sent when an earlier attempt was; one
 * that may have done something is told with the advice, and so is an interruption.
 */
export const callWithRetries = <A, E extends MeteringError.MeteringError>(
  call: Effect.Effect<A, E, MeteringClient>,
  client: Layer.Layer<MeteringClient, MeteringError.MeteringConfigError | ConfigError.ConfigError>,
  uncertainty?: Uncertainty
): Effect.Effect<A, CliError> =>
  Effect.flatMap(MeteringRetry.trackDelivery(call), (tracked) => {
    let lastUnknown: E | undefined
    return tracked.call.pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          if (MeteringError.deliveryOf(error) === "unknown") lastUnknown = error
        })
      ),
      Effect.retry(MeteringRetry.standard),
      Effect.provide(client),
      Effect.onError((cause) =>
        Effect.flatMap(tracked.delivery, (delivery) =>
          uncertainty !== undefined && delivery === "unknown" && !Cause.isFailure(cause)
            ? Console.error(
                `It was stopped, and ${uncertainty.possibleEffect}. ${uncertainty.advice}`
              )
            : Effect.void
        )
      ),
      Effect.catchAll((error) =>
        Effect.flatMap(tracked.delivery, (delivery) =>
          Effect.fail(
            combineAttempts(
              toCliError(error),
              delivery,
              error === lastUnknown,
              lastUnknown,
              uncertainty
            )
          )
        )
      )
    )
  })

/** The last attempt's failure in the light of all. */
const combineAttempts = (
  last: CliError,
  delivery: MeteringError.Delivery,
  isLast: boolean,
  lastUnknown: MeteringError.MeteringError | undefined,
  uncertainty: Uncertainty | undefined
): CliError => {
  if (delivery === "notSent") return last
  const earlier =
    isLast || lastUnknown === undefined
      ? []
      : [
          `An earlier attempt ${uncertainty?.possibleEffect ?? "was sent"}: ${reasonOf(lastUnknown)}.`
        ]
  return failed(
    [
      // which was true of the last attempt only
      last.exitCode === 2 ? last.message.replace(/ Nothing was sent[^.]*\./, "") : last.message,
      ...earlier,
      ...(delivery === "unknown" && uncertainty !== undefined ? [uncertainty.advice] : [])
    ].join("\n")
  )
}

const reasonOf = (error: MeteringError.MeteringError): string =>
  error._tag === "ConnectionError"
    ? error.reason
    : error._tag === "RequestTimeoutError"
      ? "no answer in time"
      : [error._tag, error.statusCode && `HTTP ${error.statusCode}`].filter(Boolean).join(", ")
