/** The transport of `MeteringClient` over clients of the SDK. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { trackConnectFailures } from "#connectFailures"
import type { Transport } from "../../internal/client/makeClient.js"
import {
  type Attempt,
  maxCorrectedSkew,
  minCorrectedSkew,
  withOperation,
  withRecovery
} from "../../internal/client/recovery.js"
import { redactor, secretsOf } from "../../internal/client/redact.js"
import { withRequestTimeout } from "../../internal/client/requestTimeout.js"
import * as awsJson from "../../internal/protocol/awsJson.js"
import type { RawResponse } from "../../internal/protocol/rawResponse.js"
import { requestSizeLimit, requestTooLarge } from "../../internal/protocol/requestSize.js"
import * as millis from "../../internal/schema/millis.js"
import type * as MeteringError from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import { toMeteringError, unknownEndpoint } from "./sdkError.js"
import { type AttemptState, sendCommand } from "./sendCommand.js"

export interface Connection {
  readonly client: MarketplaceMeteringClient
  /** A connection with other credentials than those the attempt was signed with, or `undefined` without any. */
  readonly refresh: (
    state: AttemptState
  ) => Effect.Effect<Connection | undefined, MeteringError.CredentialsError>
}

export interface Options {
  readonly connect: Effect.Effect<Connection, MeteringError.CredentialsError>
  readonly requestTimeout: Duration.Duration
  readonly checksSize: boolean
  /** Puts an attempt in a span. */
  readonly traceAttempt: <E extends { readonly _tag: string }>(
    attempt: Effect.Effect<RawResponse, E>,
    redact: (text: string) => string
  ) => Effect.Effect<RawResponse, E>
}

export const makeTransport = ({
  checksSize,
  connect,
  requestTimeout,
  traceAttempt
}: Options): Transport => {
  trackConnectFailures()
  return <Request extends object, Response, E extends MeteringError.ModelledException, Answer>(
    operation: Operation<Request, Response, E, Answer>
  ) => {
    type Failure = E | MeteringError.CommonError
    const { name } = operation
    const encode = awsJson.requestEncoder(operation)
    const decode = awsJson.responseDecoder(operation)
    const secretsIn = secretsOf(operation.request)

    const send = (client: MarketplaceMeteringClient, input: unknown, state: AttemptState) =>
      Effect.timed(
        Effect.promise((signal) => sendCommand(client, name, input, signal, state))
      ).pipe(
        Effect.flatMap(
          ([elapsed]): Effect.Effect<RawResponse, MeteringError.CommonError> =>
            state.response === undefined
              ? Effect.fail(toMeteringError(name, state, elapsed))
              : Effect.succeed(state.response)
        ),
        withRequestTimeout(requestTimeout, name, () => state.request?.origin ?? unknownEndpoint)
      )

    const attempt =
      (request: Request, body: string) =>
      (connection: Connection): Effect.Effect<Attempt<Connection, Response, Failure>, Failure> =>
        Effect.suspend(() => {
          const { client } = connection
          const { systemClockOffset } = client.config
          const state: AttemptState = {}
          const redact = redactor(() => [
            state.request?.sessionToken,
            state.request?.signature,
            ...secretsIn(request)
          ])
          return Effect.map(
            traceAttempt(send(client, toInput(body), state), redact),
            (rawResponse) => {
              // the SDK sets its clock by any `Date`, even a cache's
              if (Math.abs(client.config.systemClockOffset) > maxCorrectedSkew) {
                client.config.systemClockOffset = systemClockOffset
              }
              return {
                outcome: decode(rawResponse, redact),
                refresh: Effect.suspend(() => connection.refresh(state)),
                correctClock: () =>
                  Math.abs(client.config.systemClockOffset - systemClockOffset) >= minCorrectedSkew
              }
            }
          )
        })

    return (request: Request) => {
      const body = encode(request)
      const { length } = new TextEncoder().encode(body)
      return checksSize && length >= requestSizeLimit
        ? Effect.fail(requestTooLarge(name, length))
        : Effect.flatMap(
            Effect.mapError(connect, withOperation(name)),
            withRecovery(attempt(request, body))
          )
    }
  }
}

/** The input of a command: the request's JSON with a `Date` for each time. `Timestamp` is the only member that is one. */
const toInput = (body: string): unknown =>
  JSON.parse(body, (name, value) =>
    name === "Timestamp" ? new Date(millis.fromSeconds(value)) : value
  )
