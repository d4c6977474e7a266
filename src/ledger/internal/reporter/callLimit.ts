/** A timeout for calls of clients without timeouts, so that a call cannot block its product forever. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { RequestTimeoutError } from "../../../MeteringError.js"

/** Longer than the client's own limits. */
const limit = Duration.minutes(2)

/** Fails after the timeout. The call is interrupted in the background. */
export const withLimit = <A, E, R>(
  call: Effect.Effect<A, E, R>
): Effect.Effect<A, E | RequestTimeoutError, R> =>
  Effect.timeoutFail(Effect.disconnect(call), {
    duration: limit,
    onTimeout: () =>
      new RequestTimeoutError(
        { operation: "BatchMeterUsage", endpoint: "the client", timeout: limit },
        true
      )
  })
