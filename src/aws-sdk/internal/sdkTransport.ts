/** One attempt over the SDK, as a transport of `MeteringClient` sends it. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { trackConnectFailures } from "#connectFailures"
import { connectionError } from "../../internal/client/connectionError.js"
import {
  maxCorrectedSkew,
  minCorrectedSkew,
  withOperation
} from "../../internal/client/recovery.js"
import { withRequestTimeout } from "../../internal/client/requestTimeout.js"
import { describeError } from "../../internal/credentials/credentialProvider.js"
import { credentialsError } from "../../internal/credentials/credentials.js"
import * as MeteringError from "../../MeteringError.js"
import type { Attempt, Response } from "../../Transport.js"
import { type AttemptState, sendCommand } from "./sendCommand.js"

export interface SdkResponse extends Response {
  readonly request: AttemptState["request"]
}

/** The source of a client's own credentials, as errors name it. */
export const clientProvider = ["the SDK client's credential provider"]

const unknownEndpoint = "the SDK client's endpoint"

export const sendAttempt = (
  client: MarketplaceMeteringClient,
  requestTimeout: Duration.Duration,
  { body, operation: { name } }: Attempt
) =>
  Effect.suspend(() => {
    trackConnectFailures()
    const { systemClockOffset: usedOffset } = client.config
    const state: AttemptState = {}
    const command = Effect.promise((signal) =>
      sendCommand(client, name, new TextDecoder().decode(body), signal, state)
    )
    return Effect.timed(command).pipe(
      Effect.flatMap(([elapsed]) => {
        // the SDK sets its clock by any `Date`, even a cache's
        if (Math.abs(client.config.systemClockOffset) > maxCorrectedSkew) {
          client.config.systemClockOffset = usedOffset
        }
        const correction = Math.abs(client.config.systemClockOffset - usedOffset)
        const isClockCorrected = correction >= minCorrectedSkew
        const { request, response } = state
        if (response === undefined) return Effect.fail(toError(name, state, elapsed))
        const secrets = [request?.sessionToken ?? "", request?.authorization.slice(-64) ?? ""]
        return Effect.succeed<SdkResponse>({ ...response, request, secrets, isClockCorrected })
      }),
      withRequestTimeout(requestTimeout, name, () => state.request?.origin ?? unknownEndpoint)
    )
  })

/** Classifies an attempt without a response. Keeps a code, a name or a sanitized message of its error. */
const toError = (
  operation: MeteringError.OperationName,
  { failure, mayBeDelivered, request }: AttemptState,
  elapsed: Duration.Duration
) => {
  const { code, name, syscall } = (failure ?? {}) as Record<string, unknown>
  if (request === undefined) {
    // before a request is handed to the network, only its endpoint and its credentials can fail
    return name === "EndpointError"
      ? connectionError(operation, unknownEndpoint, {
          _tag: "RequestError",
          reason: "InvalidUrl",
          cause: failure
        })
      : withOperation(operation)(credentialsError(clientProvider, describeError(failure)))
  }
  // the SDK's handlers also give this name to broken connections, which keep their code
  const isTimeout =
    name === "TimeoutError" &&
    (code === undefined || (code === "ETIMEDOUT" && syscall === undefined))
  const endpoint = request.origin
  return isTimeout
    ? new MeteringError.RequestTimeoutError({ operation, endpoint, timeout: elapsed }, true)
    : connectionError(operation, endpoint, {
        _tag: mayBeDelivered ? "ResponseError" : "RequestError",
        reason: mayBeDelivered ? "Decode" : "Transport",
        cause: failure
      })
}
