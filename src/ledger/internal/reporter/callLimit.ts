/** A limit of time for calls whose client has none, so that one call does not hold up its product for ever. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { RequestTimeoutError } from "../../../MeteringError.js"

/** Longer than the client's own limits. */
const limit = Duration.minutes(2)

/** Fails after the limit. The call may go on without effect. */
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
