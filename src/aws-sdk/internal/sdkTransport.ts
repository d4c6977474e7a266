/** One call through the SDK: one attempt, and one more for expired credentials or a clock that was off. */

import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
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
import { timer } from "../../internal/client/requestTimeout.js"
import * as awsJson from "../../internal/protocol/awsJson.js"
import type { RawResponse } from "../../internal/protocol/rawResponse.js"
import { requestSizeLimit, requestTooLarge } from "../../internal/protocol/requestSize.js"
import { encoder } from "../../internal/schema/encode.js"
import * as millis from "../../internal/schema/millis.js"
import { type Shape, shapeOf } from "../../internal/schema/shape.js"
import type * as MeteringError from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import type { AttemptState, EncodedRequest, Send, SignedRequest } from "./sdkCall.js"
import { timeoutError, toMeteringError, unknownEndpoint } from "./sdkError.js"

/** A client of the SDK, with the credentials that it signs with. */
export interface Connection {
  readonly client: MarketplaceMeteringClient
  readonly send: Send
  /** The same with others than the service has just called expired, or nothing where there are no others. */
  readonly refresh: (
    request: SignedRequest | undefined
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

const textEncoder = new TextEncoder()

export const makeTransport = ({
  checksSize,
  connect,
  traceAttempt,
  requestTimeout
}: Options): Transport => {
  trackConnectFailures()
  return <Request extends object, Response, E extends MeteringError.ModelledException, Answer>(
    operation: Operation<Request, Response, E, Answer>
  ) => {
    type Failure = E | MeteringError.CommonError
    const { name } = operation
    const shape = shapeOf(operation.request)
    const toJson = encoder(shape)
    const toInput = datesIn(shape) ?? identity<unknown>
    const decode = awsJson.responseDecoder(operation)
    const secretsIn = secretsOf(operation.request)

    /** Aborts the SDK's request when it is interrupted or takes too long. A promise can be waited for without a fiber. */
    const sendAttempt = (send: Send, encoded: EncodedRequest, state: AttemptState) =>
      Clock.clockWith((clock) => {
        const startedAt = clock.unsafeCurrentTimeMillis()
        const outcome = (): Effect.Effect<RawResponse, MeteringError.CommonError> =>
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
              Effect.async<RawResponse, MeteringError.CommonError>((resume) => {
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

    const attempt =
      (request: Request, encoded: EncodedRequest) =>
      ({
        client,
        refresh,
        send
      }: Connection): Effect.Effect<Attempt<Connection, Response, Failure>, Failure> =>
        Effect.suspend(() => {
          const state: AttemptState = {}
          const usedOffset = client.config.systemClockOffset
          const redact = redactor(() => [
            state.request?.sessionToken,
            state.request?.signature,
            ...secretsIn(request)
          ])
          return Effect.map(traceAttempt(sendAttempt(send, encoded, state), redact), (response) => {
            // the SDK has taken the time from the answer already, whatever that is
            if (Math.abs(client.config.systemClockOffset) > maxCorrectedSkew) {
              client.config.systemClockOffset = usedOffset
            }
            return {
              outcome: decode(response, redact),
              refresh: Effect.suspend(() => refresh(state.request)),
              correctClock: () =>
                Math.abs(client.config.systemClockOffset - usedOffset) >= minCorrectedSkew
            }
          })
        })

    return (request: Request) => {
      const json = toJson(request)
      const body = JSON.stringify(json)
      const { length } = textEncoder.encode(body)
      return checksSize && length >= requestSizeLimit
        ? Effect.fail(requestTooLarge(name, length))
        : Effect.flatMap(
            Effect.mapError(connect, withOperation(name)),
            withRecovery(attempt(request, { input: toInput(json), body, length }))
          )
    }
  }
}

/**
 * Puts dates where the wire has seconds, which is how the SDK takes its times; nothing where there are none.
 * The JSON is a checked request's, so that each value is of its shape's kind.
 */
const datesIn = (shape: Shape): ((json: unknown) => unknown) | undefined => {
  switch (shape.kind) {
    case "dateTime":
      return (seconds) => new Date(millis.fromSeconds(seconds as number))
    case "array": {
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
