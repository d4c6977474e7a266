/** One call over HTTP: encode, sign, send, read. It is tried again for two causes only, once each. */

import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { watch } from "#connectFailures"
import type * as AwsCredentials from "../AwsCredentials.js"
import type * as MeteringConfig from "../MeteringConfig.js"
import type * as MeteringError from "../MeteringError.js"
import type { Operation } from "../Operation.js"
import * as awsJson from "./awsJson.js"
import { concealer, secretsOf } from "./conceal.js"
import { connectionError } from "./connection.js"
import { bodyReader, type HttpAnswer, responseSizeLimit, tooLong } from "./httpAnswer.js"
import { checked } from "./identity.js"
import { inTime } from "./inTime.js"
import { type Attempt, forOperation, isSame, maxSkew, mending, skewToCorrect } from "./mending.js"
import { signingName } from "./names.js"
import { observeAttempt } from "./observe.js"
import { requestSizeLimit, tooLarge } from "./requestSize.js"
import type { Execute } from "./service.js"
import { makeSigner, type SignatureHeaders } from "./sign.js"

const textEncoder = new TextEncoder()

const userAgent = "effect-marketplace-metering"

/** Contexts never change and calls share theirs, so that each is copied once. */
const copies = new WeakMap<Context.Context<never>, Context.Context<never>>()

/** Redirects are answers: to follow one would carry a signed request to wherever it points. */
const withoutRedirects = (context: Context.Context<never>): Context.Context<never> => {
  const known = copies.get(context)
  if (known !== undefined) return known
  const copy = Context.add(context, FetchHttpClient.RequestInit, {
    ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
    redirect: "manual"
  })
  copies.set(context, copy)
  return copy
}

/**
 * Sets what an attempt needs for its fiber, all at once. The platform's own span would carry every header, the session
 * token included.
 */
const prepare = Effect.updateFiberRefs((fiberId, refs) => {
  const context = FiberRefs.getOrDefault(refs, FiberRef.currentContext)
  const isTraced = FiberRefs.getOrDefault(refs, FiberRef.currentTracerEnabled)
  return FiberRefs.updateManyAs(refs, {
    entries: [
      [FiberRef.currentContext, [[fiberId, withoutRedirects(context)]]],
      ...(isTraced
        ? ([[HttpClient.currentTracerDisabledWhen, [[fiberId, () => true]]]] as const)
        : [])
    ]
  })
})

export const makeExecute = (
  config: MeteringConfig.Service,
  credentials: AwsCredentials.Service,
  httpClient: HttpClient.HttpClient
): Execute => {
  watch()
  const { endpoint, region, requestTimeout } = config
  const url = new URL(endpoint)
  // as the official SDK does below a base path
  if (!url.pathname.endsWith("/")) url.pathname += "/"
  const sign = makeSigner({
    method: "POST",
    url,
    region,
    service: signingName
  })
  const observed = observeAttempt(url)
  const checksSize = !config.except.includes("requestSize")
  /** How far the service's clock is ahead of this machine's, as far as is known. */
  let clockOffset = 0

  return <Request extends object, Response, E extends MeteringError.ModelledException, Answer>(
    operation: Operation<Request, Response, E, Answer>
  ) => {
    type Failure = E | MeteringError.CommonError
    const { name } = operation
    const encode = awsJson.bodyEncoder(operation)
    const decode = awsJson.answerDecoder(operation)
    const secretsIn = secretsOf(operation.request)
    const headers = { "content-type": awsJson.contentType, "x-amz-target": awsJson.target(name) }

    const withTimeout = inTime(requestTimeout, name, () => url.origin, prepare)

    const fail = (error: HttpClientError.HttpClientError) =>
      Effect.fail(connectionError(name, url.origin, error))

    const readAnswer = (response: HttpClientResponse.HttpClientResponse) => {
      const { headers, status } = response
      return Effect.matchEffect(readBody(response, headers), {
        // where there is no body at all there is no stream of one
        onFailure: (error) =>
          error.reason === "EmptyBody"
            ? Effect.succeed({ status, headers, body: "" })
            : fail(error),
        onSuccess: (body) => Effect.succeed<HttpAnswer>({ status, headers, ...body })
      })
    }

    const exchange = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.matchEffect(httpClient.execute(request), {
        // a client that filters by status fails with the very answer that is to be read
        onFailure: (error) => (isStatusError(error) ? readAnswer(error.response) : fail(error)),
        onSuccess: readAnswer
      })

    /** Signs with these credentials and by the corrected clock, sends, and reads the answer. */
    const attempt =
      (input: Request, body: Uint8Array) =>
      (
        current: AwsCredentials.Credentials
      ): Effect.Effect<Attempt<AwsCredentials.Credentials, Response, Failure>, Failure> =>
        Clock.clockWith((clock) => {
          const secretAccessKey = Redacted.value(current.secretAccessKey)
          const sessionToken = current.sessionToken && Redacted.value(current.sessionToken)
          const usedOffset = clockOffset

          const send = (signature: SignatureHeaders) => {
            const conceal = concealer(() => [
              secretAccessKey,
              sessionToken,
              signature.authorization.slice(-64),
              ...secretsIn(input)
            ])
            const request = HttpClientRequest.post(url.href, {
              headers: { "user-agent": userAgent, ...headers, ...signature },
              body: HttpBody.uint8Array(body, awsJson.contentType)
            })
            return Effect.map(observed(withTimeout(exchange(request)), conceal), (answer) => ({
              outcome: decode(answer, conceal),
              renew: Effect.suspend(() =>
                Effect.map(Effect.flatMap(credentials.refresh(current), checked), (fresh) =>
                  isSame(fresh, current) ? undefined : fresh
                )
              ),
              correctClock: () => {
                const offset =
                  Date.parse(answer.headers.date ?? "") - clock.unsafeCurrentTimeMillis()
                const isOff =
                  Math.abs(offset - usedOffset) >= skewToCorrect && Math.abs(offset) <= maxSkew
                if (isOff) clockOffset = offset
                return isOff
              }
            }))
          }

          const signed = sign({
            headers,
            body,
            credentials: { accessKeyId: current.accessKeyId, secretAccessKey, sessionToken },
            now: clock.unsafeCurrentTimeMillis() + usedOffset
          })
          return Effect.flatMap(signed, send)
        })

    const current = Effect.mapError(Effect.flatMap(credentials.get, checked), forOperation(name))

    return (input: Request) => {
      const body = textEncoder.encode(encode(input))
      return checksSize && body.length >= requestSizeLimit
        ? Effect.fail(tooLarge(name, body.length))
        : Effect.flatMap(current, mending(attempt(input, body)))
    }
  }
}

/** A body of a known length can be read at once, which costs less than to count. A client may have unpacked any other. */
const readBody = (
  response: HttpClientResponse.HttpClientResponse,
  headers: HttpAnswer["headers"]
): Effect.Effect<Pick<HttpAnswer, "body" | "isTooLong">, HttpClientError.ResponseError> =>
  Number(headers["content-length"]) <= responseSizeLimit && !headers["content-encoding"]
    ? Effect.map(response.text, (body) => (body.length > responseSizeLimit ? tooLong : { body }))
    : Effect.suspend(() => {
        const { add, end } = bodyReader()
        return Effect.map(
          Stream.runForEachWhile(response.stream, (chunk) => Effect.sync(() => add(chunk))),
          end
        )
      })

const isStatusError = (
  error: HttpClientError.HttpClientError
): error is HttpClientError.ResponseError =>
  error._tag === "ResponseError" && error.reason === "StatusCode"
