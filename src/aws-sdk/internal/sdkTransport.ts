/** The transport of `MeteringClient` over clients of the SDK. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { trackConnectFailures } from "#connectFailures"
import type { Credentials } from "../../AwsCredentials.js"
import { maxCorrectedSkew } from "../../internal/client/recovery.js"
import { withRequestTimeout } from "../../internal/client/requestTimeout.js"
import * as millis from "../../internal/schema/millis.js"
import type { CredentialsError } from "../../MeteringError.js"
import type { Response, Transport } from "../../Transport.js"
import { toMeteringError, unknownEndpoint } from "./sdkError.js"
import { type AttemptState, sendCommand } from "./sendCommand.js"

export interface Options extends Pick<Transport, "credentials" | "endpoint"> {
  /** Returns the client that signs with these credentials, or with its own. */
  readonly clientFor: (credentials: Credentials | undefined) => MarketplaceMeteringClient
  /** Refreshes credentials of the client's own. Returns false where they are the ones that signed the request. */
  readonly refresh?: (signed: AttemptState["request"]) => Effect.Effect<boolean, CredentialsError>
  readonly requestTimeout: Duration.Duration
}

export const makeTransport = ({
  clientFor,
  credentials,
  endpoint,
  refresh,
  requestTimeout
}: Options): Transport => {
  trackConnectFailures()
  const signedRequests = new WeakMap<Response, AttemptState["request"]>()
  return {
    credentials,
    endpoint,
    refresh: refresh && ((response) => refresh(signedRequests.get(response))),
    send: ({ body, credentials, operation: { name } }) =>
      Effect.suspend(() => {
        const client = clientFor(credentials)
        const { systemClockOffset } = client.config
        const state: AttemptState = {}
        const command = Effect.promise((signal) =>
          sendCommand(client, name, toInput(new TextDecoder().decode(body)), signal, state)
        )
        return Effect.timed(command).pipe(
          Effect.flatMap(([elapsed]) => {
            // the SDK sets its clock by any `Date`, even a cache's
            if (Math.abs(client.config.systemClockOffset) > maxCorrectedSkew) {
              client.config.systemClockOffset = systemClockOffset
            }
            if (state.response === undefined) {
              return Effect.fail(toMeteringError(name, state, elapsed))
            }
            const { sessionToken = "", signature = "" } = state.request ?? {}
            const response: Response = { ...state.response, secrets: [sessionToken, signature] }
            signedRequests.set(response, state.request)
            return Effect.succeed(response)
          }),
          withRequestTimeout(requestTimeout, name, () => state.request?.origin ?? unknownEndpoint)
        )
      })
  }
}

/** The input of a command: the request's JSON with a `Date` for each time. `Timestamp` is the only member that is one. */
const toInput = (body: string): unknown =>
  JSON.parse(body, (name, value) =>
    name === "Timestamp" ? new Date(millis.fromSeconds(value)) : value
  )
