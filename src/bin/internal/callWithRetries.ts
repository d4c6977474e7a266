/** Makes the call of a command, with retries. */
import * as Cause from "effect/Cause"
import type * as ConfigError from "effect/ConfigError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { MeteringClient } from "../../MeteringClient.js"
import * as MeteringError from "../../MeteringError.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import { type CliError, failed, toCliError } from "./cliError.js"

/** The possible effect of a call without a response, such as "may have been metered", and how to continue. */
interface Uncertainty {
  readonly possibleEffect: string
  readonly advice: string
}

/**
 * Retries a call. If any attempt was sent, the error message does not say "Nothing was sent". If the response to an attempt is
 * unknown, the message contains the possible effect and the advice, also when the call is interrupted.
 */
export const callWithRetries = <A, E extends MeteringError.MeteringError>(
  call: Effect.Effect<A, E, MeteringClient>,
  client: Layer.Layer<MeteringClient, MeteringError.MeteringConfigError | ConfigError.ConfigError>,
  uncertainty?: Uncertainty
): Effect.Effect<A, CliError> =>
  Effect.gen(function* () {
    const tracked = yield* MeteringRetry.trackDelivery(call)
    let lastUnknown: E | undefined
    return yield* tracked.call.pipe(
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
        Effect.flatMap(tracked.delivery, (delivery) => {
          const last = toCliError(error)
          const earlier = error === lastUnknown ? undefined : lastUnknown
          return delivery === "notSent"
            ? last
            : addEarlierAttempt(last, earlier, delivery === "unknown" ? uncertainty : undefined)
        })
      )
    )
  })

/** Adds to the failure of the last attempt that an earlier attempt was sent. */
const addEarlierAttempt = (
  last: CliError,
  earlier: MeteringError.MeteringError | undefined,
  uncertainty: Uncertainty | undefined
): CliError => {
  const lines = [
    // removed, because the sentence is true of the last attempt only
    last.exitCode === 2 ? last.message.replace(/ Nothing was sent[^.]*\./, "") : last.message
  ]
  if (earlier !== undefined) {
    const effect = uncertainty?.possibleEffect ?? "was sent"
    lines.push(`An earlier attempt ${effect}: ${reasonOf(earlier)}.`)
  }
  if (uncertainty !== undefined) lines.push(uncertainty.advice)
  return failed(lines.join("\n"))
}

const reasonOf = (error: MeteringError.MeteringError): string => {
  if (error._tag === "ConnectionError") return error.reason
  if (error._tag === "RequestTimeoutError") return "no response in time"
  return [error._tag, error.statusCode && `HTTP ${error.statusCode}`].filter(Boolean).join(", ")
}
