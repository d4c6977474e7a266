/** Retries a batch while the store is not available. */
import * as Effect from "effect/Effect"
import type { LedgerUnavailable } from "../../LedgerError.js"

/** The waits between the runs, in milliseconds. */
const waits = [50, 200, 1_000, 4_000]

/** The reason of the last failure. `isStored` is `unknown` if it was unknown in one of the runs. */
export interface Failure {
  readonly reason: string
  readonly isStored: LedgerUnavailable["isStored"]
}

/** Runs a write up to 5 times. Returns the failure of the last run, if it failed. */
export const withRetries = (
  run: Effect.Effect<void, LedgerUnavailable>
): Effect.Effect<Failure | undefined> => {
  const attempt = (
    index: number,
    isStored: LedgerUnavailable["isStored"]
  ): Effect.Effect<Failure | undefined> =>
    Effect.matchEffect(run, {
      onSuccess: () => Effect.succeed(undefined),
      onFailure: (error): Effect.Effect<Failure | undefined> => {
        const worst = isStored === "unknown" ? isStored : error.isStored
        const wait = waits[index]
        return wait === undefined
          ? Effect.succeed({ reason: error.reason, isStored: worst })
          : Effect.zipRight(Effect.sleep(wait), attempt(index + 1, worst))
      }
    })
  return attempt(0, "no")
}
