/** The limit to how long one attempt may take. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { type OperationName, RequestTimeoutError } from "../MeteringError.js"

/** A limit costs two fibers an attempt, so where there is none there are none. */
export const inTime = (
  limit: Duration.Duration,
  operation: OperationName,
  endpoint: () => string
): (<A, E>(attempt: Effect.Effect<A, E>) => Effect.Effect<A, E | RequestTimeoutError>) =>
  Duration.isFinite(limit)
    ? (attempt) =>
        Effect.timeoutFail(attempt, {
          duration: limit,
          onTimeout: () =>
            new RequestTimeoutError({ operation, endpoint: endpoint(), timeout: limit }, true)
        })
    : identity
