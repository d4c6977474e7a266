/** One attempt through the SDK. */

import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { trackConnectFailures } from "#connectFailures"
import type { Credentials } from "../../AwsCredentials.js"
import { maxCorrectedSkew } from "../../internal/client/recovery.js"
import { timer } from "../../internal/client/requestTimeout.js"
import type { RawResponse } from "../../internal/protocol/rawResponse.js"
import * as codec from "../../internal/schema/codec.js"
import * as millis from "../../internal/schema/millis.js"
import { type Shape, shapeOf } from "../../internal/schema/shape.js"
import type * as MeteringError from "../../MeteringError.js"
import type { Attempt, Response, Transport } from "../../Transport.js"
import type { AttemptState, EncodedRequest, Send, SignedRequest } from "./sdkCall.js"
import { timeoutError, toMeteringError, unknownEndpoint } from "./sdkError.js"

const textDecoder = new TextDecoder()

/** A client of the SDK. */
export interface Connection {
  readonly client: MarketplaceMeteringClient
  readonly send: Send
}

export interface Options extends Pick<Transport, "credentials" | "endpoint"> {
  /** The client that signs with these credentials, or with its own. */
  readonly connectionOf: (credentials: Credentials | undefined) => Connection
  readonly requestTimeout: Duration.Duration
  /** Replaces credentials of the client's own. Returns false where they are the ones of the request. */
  readonly refresh?: (
    request: SignedRequest | undefined
  ) => Effect.Effect<boolean, MeteringError.CredentialsError>
}

export const makeTransport = ({
  connectionOf,
  credentials,
  endpoint,
  refresh,
  requestTimeout
}: Options): Transport => {
  trackConnectFailures()
  const requests = new WeakMap<Response, SignedRequest>()
  const inputEncoders = new Map<string, (request: object) => unknown>()

  const inputEncoderOf = ({ name, request }: Attempt["operation"]) => {
    const cached = inputEncoders.get(name)
    if (cached !== undefined) return cached
    const shape = shapeOf(request)
    const toJson = codec.encoder(shape)
    const toInput = datesIn(shape) ?? identity<unknown>
    const encode = (value: object) => toInput(toJson(value))
    inputEncoders.set(name, encode)
    return encode
  }

  /** Aborts the SDK's request when it is interrupted or takes too long. A promise can be waited for without a fiber. */
  const sendAttempt = (
    name: MeteringError.OperationName,
    send: Send,
    encoded: EncodedRequest,
    state: AttemptState
  ) =>
    Clock.clockWith((clock) => {
      const startedAt = clock.unsafeCurrentTimeMillis()
      const outcome = (): Effect.Effect<RawResponse, TransportError> =>
        state.response === undefined
          ? Effect.fail(
              toMeteringError(
                name,
                state,
                Duration.millis(clock.unsafeCurrentTimeMillis() - startedAt)
              )
            )
          : Effect.succeed(state.response)
      return Effect.uninterruptibleMask((restore) =>
        Effect.flatMap(timer(requestTimeout), (start) =>
          restore(
            Effect.async<RawResponse, TransportError>((resume) => {
              const controller = new AbortController()
              const cancel = start(() => {
                controller.abort()
                const endpoint = state.request?.origin ?? unknownEndpoint
                resume(Effect.fail(timeoutError(name, endpoint, requestTimeout)))
              })
              send({ ...encoded, name, abortSignal: controller.signal, state }).then(() => {
                cancel()
                resume(outcome())
              })
              return Effect.sync(() => {
                cancel()
                controller.abort()
              })
            })
          )
        )
      )
    })

  return {
    credentials,
    endpoint,
    refresh: refresh && ((response) => Effect.suspend(() => refresh(requests.get(response)))),
    send: ({ body, clockOffset, credentials, operation, request }) =>
      Effect.suspend(() => {
        const { client, send } = connectionOf(credentials)
        if (credentials !== undefined) client.config.systemClockOffset = clockOffset
        const usedOffset = client.config.systemClockOffset
        const state: AttemptState = {}
        const encoded = {
          input: inputEncoderOf(operation)(request),
          body: textDecoder.decode(body),
          length: body.length
        }
        return Effect.map(sendAttempt(operation.name, send, encoded, state), (rawResponse) => {
          // the SDK has taken the time from the response already, whatever that is
          if (Math.abs(client.config.systemClockOffset) > maxCorrectedSkew) {
            client.config.systemClockOffset = usedOffset
          }
          const { sessionToken = "", signature = "" } = state.request ?? {}
          const response = { ...rawResponse, secrets: [sessionToken, signature] }
          if (state.request !== undefined) requests.set(response, state.request)
          return response
        })
      })
  }
}

type TransportError =
  | MeteringError.ConnectionError
  | MeteringError.RequestTimeoutError
  | MeteringError.CredentialsError

/**
 * Puts dates where the wire has seconds, which is how the SDK takes its times; nothing where there are none.
 * The JSON is a checked request's, so that each value is of its shape's kind.
 */
const datesIn = (shape: Shape): ((json: unknown) => unknown) | undefined => {
  switch (shape.kind) {
    case "time":
      return (seconds) => new Date(millis.fromSeconds(seconds as number))
    case "list": {
      const element = datesIn(shape.element)
      return element && ((values) => (values as ReadonlyArray<unknown>).map(element))
    }
    case "struct": {
      const fields = shape.fields.flatMap(({ shape, wireName: wire }) => {
        const convert = datesIn(shape)
        return convert === undefined ? [] : [{ wire, convert }]
      })
      if (fields.length === 0) return undefined
      return (json) => {
        const out = { ...(json as Record<string, unknown>) }
        for (const { convert, wire } of fields) {
          if (out[wire] !== undefined) out[wire] = convert(out[wire])
        }
        return out
      }
    }
  }
  return undefined
}
