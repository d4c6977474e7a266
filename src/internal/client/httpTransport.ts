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
import { trackConnectFailures } from "#connectFailures"
import type * as AwsCredentials from "../../AwsCredentials.js"
import type * as MeteringConfig from "../../MeteringConfig.js"
import type * as MeteringError from "../../MeteringError.js"
import type { Operation } from "../../Operation.js"
import { isSameCredentials, validateCredentials } from "../credentials/credentials.js"
import * as awsJson from "../protocol/awsJson.js"
import { signingName } from "../protocol/constants.js"
import {
  bodyReader,
  type RawResponse,
  responseSizeLimit,
  tooLongBody
} from "../protocol/rawResponse.js"
import { requestSizeLimit, requestTooLarge } from "../protocol/requestSize.js"
import { makeSigner, type SignatureHeaders } from "../sigv4/sign.js"
import { connectionError } from "./connectionError.js"
import type { Transport } from "./makeClient.js"
import {
  type Attempt,
  maxCorrectedSkew,
  minCorrectedSkew,
  withOperation,
  withRecovery
} from "./recovery.js"
import { redactor, secretsOf } from "./redact.js"
import { withRequestTimeout } from "./requestTimeout.js"
import { traceAttempt } from "./telemetry.js"

const textEncoder = new TextEncoder()

const userAgent = "effect-marketplace-metering"

/** Contexts never change and calls share theirs, so that each is copied once. */
const contextsWithoutRedirects = new WeakMap<Context.Context<never>, Context.Context<never>>()

/** Redirects are answers: to follow one would carry a signed request to wherever it points. */
const withoutRedirects = (context: Context.Context<never>): Context.Context<never> => {
  const cached = contextsWithoutRedirects.get(context)
  if (cached !== undefined) return cached
  const copy = Context.add(context, FetchHttpClient.RequestInit, {
    ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
    redirect: "manual"
  })
  contextsWithoutRedirects.set(context, copy)
  return copy
}

/**
 * Sets what an attempt needs for its fiber, all at once. The platform's own span would carry every header, the session
 * token included.
 */
const prepareFiber = Effect.updateFiberRefs((fiberId, refs) => {
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

export const makeHttpTransport = (
  config: MeteringConfig.Service,
  credentials: AwsCredentials.Service,
  httpClient: HttpClient.HttpClient
): Transport => {
  trackConnectFailures()
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
  const traced = traceAttempt(url)
  const checksSize = !config.skipRules.includes("requestSize")
  /** How far the service's clock is ahead of this machine's, as far as is known. */
  let clockOffset = 0

  return <Request extends object, Response, E extends MeteringError.ModelledException, Answer>(
    operation: Operation<Request, Response, E, Answer>
  ) => {
    type Failure = E | MeteringError.CommonError
    const { name } = operation
    const encode = awsJson.requestEncoder(operation)
    const decode = awsJson.responseDecoder(operation)
    const secretsIn = secretsOf(operation.request)
    const headers = { "content-type": awsJson.contentType, "x-amz-target": awsJson.target(name) }

    const withTimeout = withRequestTimeout(requestTimeout, name, () => url.origin, prepareFiber)

    const fail = (error: HttpClientError.HttpClientError) =>
      Effect.fail(connectionError(name, url.origin, error))

    const readResponse = (response: HttpClientResponse.HttpClientResponse) => {
      const { headers, status } = response
      return Effect.matchEffect(readBody(response, headers), {
        // where there is no body at all there is no stream of one
        onFailure: (error) =>
          error.reason === "EmptyBody"
            ? Effect.succeed({ status, headers, body: "" })
            : fail(error),
        onSuccess: (body) => Effect.succeed<RawResponse>({ status, headers, ...body })
      })
    }

    const sendRequest = (request: HttpClientRequest.HttpClientRequest) =>
      Effect.matchEffect(httpClient.execute(request), {
        // a client that filters by status fails with the very answer that is to be read
        onFailure: (error) => (isStatusError(error) ? readResponse(error.response) : fail(error)),
        onSuccess: readResponse
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
            const redact = redactor(() => [
              secretAccessKey,
              sessionToken,
              signature.authorization.slice(-64),
              ...secretsIn(input)
            ])
            const request = HttpClientRequest.post(url.href, {
              headers: { "user-agent": userAgent, ...headers, ...signature },
              body: HttpBody.uint8Array(body, awsJson.contentType)
            })
            return Effect.map(traced(withTimeout(sendRequest(request)), redact), (rawResponse) => ({
              outcome: decode(rawResponse, redact),
              refresh: Effect.suspend(() =>
                Effect.map(
                  Effect.flatMap(credentials.refresh(current), validateCredentials),
                  (refreshed) => (isSameCredentials(refreshed, current) ? undefined : refreshed)
                )
              ),
              correctClock: () => {
                const offset =
                  Date.parse(rawResponse.headers.date ?? "") - clock.unsafeCurrentTimeMillis()
                const isOff =
                  Math.abs(offset - usedOffset) >= minCorrectedSkew &&
                  Math.abs(offset) <= maxCorrectedSkew
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

    const current = Effect.mapError(
      Effect.flatMap(credentials.get, validateCredentials),
      withOperation(name)
    )

    return (input: Request) => {
      const body = textEncoder.encode(encode(input))
      return checksSize && body.length >= requestSizeLimit
        ? Effect.fail(requestTooLarge(name, body.length))
        : Effect.flatMap(current, withRecovery(attempt(input, body)))
    }
  }
}

/** A body of a known length can be read at once, which costs less than to count. A client may have unpacked any other. */
const readBody = (
  response: HttpClientResponse.HttpClientResponse,
  headers: RawResponse["headers"]
): Effect.Effect<Pick<RawResponse, "body" | "isTooLong">, HttpClientError.ResponseError> =>
  Number(headers["content-length"]) <= responseSizeLimit && !headers["content-encoding"]
    ? Effect.map(response.text, (body) =>
        body.length > responseSizeLimit ? tooLongBody : { body }
      )
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
