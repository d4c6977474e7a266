/** One call through the SDK: one attempt, and one more for expired credentials or a clock that was off. */

import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import { watch } from "#connectFailures"
import * as awsJson from "../../internal/awsJson.js"
import * as codec from "../../internal/codec.js"
import { concealer, secretsOf } from "../../internal/conceal.js"
import type { HttpAnswer } from "../../internal/httpAnswer.js"
import { timer } from "../../internal/inTime.js"
import {
  type Attempt,
  forOperation,
  maxSkew,
  mending,
  skewToCorrect
} from "../../internal/mending.js"
import * as millis from "../../internal/millis.js"
import { requestSizeLimit, tooLarge } from "../../internal/requestSize.js"
import type { Execute } from "../../internal/service.js"
import { of, type Shape } from "../../internal/shape.js"
import type * as MeteringError from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import type { Encoded, Seen, Send, Signed } from "./exchange.js"
import { failureOf, timedOut, unknownEndpoint } from "./failure.js"

/** A client of the SDK, with the credentials that it signs with. */
export interface Connection {
  readonly client: MarketplaceMeteringClient
  readonly send: Send
  /** The same with others than the service has just called expired, or nothing where there are no others. */
  readonly renew: (
    request: Signed | undefined
  ) => Effect.Effect<Connection | undefined, MeteringError.CredentialsError>
}

export interface Options {
  readonly connect: Effect.Effect<Connection, MeteringError.CredentialsError>
  readonly requestTimeout: Duration.Duration
  readonly checksSize: boolean
  /** Puts an attempt in a span. */
  readonly observed: <E extends { readonly _tag: string }>(
    attempt: Effect.Effect<HttpAnswer, E>,
    conceal: (text: string) => string
  ) => Effect.Effect<HttpAnswer, E>
}

const textEncoder = new TextEncoder()

export const makeExecute = ({
  checksSize,
  connect,
  observed,
  requestTimeout
}: Options): Execute => {
  watch()
  return <Request extends object, Response, E extends MeteringError.ModelledException, Answer>(
    operation: Operation<Request, Response, E, Answer>
  ) => {
    type Failure = E | MeteringError.CommonError
    const { name } = operation
    const shape = of(operation.request)
    const project = codec.projection(shape)
    const toInput = datesIn(shape) ?? identity<unknown>
    const decode = awsJson.answerDecoder(operation)
    const secretsIn = secretsOf(operation.request)

    /** Aborts the SDK's request when it is interrupted or takes too long. A promise can be waited for without a fiber. */
    const exchange = (send: Send, encoded: Encoded, seen: Seen) =>
      Clock.clockWith((clock) => {
        const begun = clock.unsafeCurrentTimeMillis()
        const outcome = (): Effect.Effect<HttpAnswer, MeteringError.CommonError> =>
          seen.answer === undefined
            ? Effect.fail(
                failureOf(name, seen, Duration.millis(clock.unsafeCurrentTimeMillis() - begun))
              )
            : Effect.succeed(seen.answer)
        return Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(timer(requestTimeout), (start) =>
            restore(
              Effect.async<HttpAnswer, MeteringError.CommonError>((resume) => {
                const controller = new AbortController()
                const cancel = start(() => {
                  controller.abort()
                  const endpoint = seen.request?.origin ?? unknownEndpoint
                  resume(Effect.fail(timedOut(name, endpoint, requestTimeout)))
                })
                send({ ...encoded, name, abortSignal: controller.signal, seen }).then(() => {
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
      (request: Request, encoded: Encoded) =>
      ({
        client,
        renew,
        send
      }: Connection): Effect.Effect<Attempt<Connection, Response, Failure>, Failure> =>
        Effect.suspend(() => {
          const seen: Seen = {}
          const usedOffset = client.config.systemClockOffset
          const conceal = concealer(() => [
            seen.request?.sessionToken,
            seen.request?.signature,
            ...secretsIn(request)
          ])
          return Effect.map(observed(exchange(send, encoded, seen), conceal), (answer) => {
            // the SDK has taken the time from the answer already, whatever that is
            if (Math.abs(client.config.systemClockOffset) > maxSkew) {
              client.config.systemClockOffset = usedOffset
            }
            return {
              outcome: decode(answer, conceal),
              renew: Effect.suspend(() => renew(seen.request)),
              correctClock: () =>
                Math.abs(client.config.systemClockOffset - usedOffset) >= skewToCorrect
            }
          })
        })

    return (request: Request) => {
      const json = project(request)
      const body = JSON.stringify(json)
      const { length } = textEncoder.encode(body)
      return checksSize && length >= requestSizeLimit
        ? Effect.fail(tooLarge(name, length))
        : Effect.flatMap(
            Effect.mapError(connect, forOperation(name)),
            mending(attempt(request, { input: toInput(json), body, length }))
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
    case "time":
      return (seconds) => new Date(millis.ofSeconds(seconds as number))
    case "list": {
      const element = datesIn(shape.element)
      return element && ((values) => (values as ReadonlyArray<unknown>).map(element))
    }
    case "struct": {
      const fields = shape.fields.flatMap(({ shape, wire }) => {
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
