/** One call through the SDK: one attempt, and one more for expired credentials or a clock that was off. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as awsJson from "../../internal/awsJson.js"
import * as codec from "../../internal/codec.js"
import { concealer, secretsOf } from "../../internal/conceal.js"
import type { HttpAnswer } from "../../internal/httpAnswer.js"
import { inTime } from "../../internal/inTime.js"
import { type Attempt, forOperation, mending, skewToCorrect } from "../../internal/mending.js"
import { requestSizeLimit, tooLarge } from "../../internal/requestSize.js"
import type { Execute } from "../../internal/service.js"
import { of, type Shape } from "../../internal/shape.js"
import type * as MeteringError from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import { failureOf, unknownEndpoint } from "./failure.js"
import { type Seen, type Signed, send } from "./send.js"

/** A client of the SDK, with the credentials that it signs with. */
export interface Connection {
  readonly client: MarketplaceMeteringClient
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

export const makeExecute =
  ({ checksSize, connect, observed, requestTimeout }: Options): Execute =>
  <Request extends object, Response, E extends MeteringError.ModelledException, Answer>(
    operation: Operation<Request, Response, E, Answer>
  ) => {
    type Failure = E | MeteringError.CommonError
    const { name } = operation
    const shape = of(operation.request)
    const project = codec.projection(shape)
    const toInput = datesIn(shape) ?? identity<unknown>
    const decode = awsJson.answerDecoder(operation)
    const secretsIn = secretsOf(operation.request)

    /** Aborts the SDK's request when it is interrupted or takes too long. */
    const exchange = (
      client: MarketplaceMeteringClient,
      input: unknown,
      seen: Seen,
      conceal: (text: string) => string
    ) =>
      Clock.clockWith((clock) => {
        const start = clock.unsafeCurrentTimeMillis()
        const elapsed = () => Duration.millis(clock.unsafeCurrentTimeMillis() - start)
        const sent = Effect.flatMap(
          Effect.promise((signal) => send(client, name, input, signal, seen)),
          () =>
            seen.answer === undefined
              ? Effect.fail(failureOf(name, seen, elapsed()))
              : Effect.succeed(seen.answer)
        )
        const origin = () => seen.request?.origin ?? unknownEndpoint
        return observed(inTime(requestTimeout, name, origin)(sent), conceal)
      })

    const attempt =
      (request: Request, input: unknown) =>
      ({
        client,
        renew
      }: Connection): Effect.Effect<Attempt<Connection, Response, Failure>, Failure> =>
        Effect.suspend(() => {
          const seen: Seen = {}
          const usedOffset = client.config.systemClockOffset
          const conceal = concealer(() => [
            seen.request?.sessionToken,
            seen.request?.signature,
            ...secretsIn(request)
          ])
          return Effect.map(exchange(client, input, seen, conceal), (answer) => ({
            outcome: decode(answer, conceal),
            renew: Effect.suspend(() => renew(seen.request)),
            // the SDK has taken the time from the answer already
            correctClock: () =>
              Math.abs(client.config.systemClockOffset - usedOffset) >= skewToCorrect
          }))
        })

    return (request: Request) => {
      const json = project(request)
      const bytes = checksSize ? textEncoder.encode(JSON.stringify(json)).length : 0
      return bytes >= requestSizeLimit
        ? Effect.fail(tooLarge(name, bytes))
        : Effect.flatMap(
            Effect.mapError(connect, forOperation(name)),
            mending(attempt(request, toInput(json)))
          )
    }
  }

/**
 * Puts dates where the wire has seconds, which is how the SDK takes its times; nothing where there are none.
 * The JSON is a checked request's, so that each value is of its shape's kind.
 */
const datesIn = (shape: Shape): ((json: unknown) => unknown) | undefined => {
  switch (shape.kind) {
    case "time":
      return (seconds) => new Date(Math.round((seconds as number) * 1000))
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
