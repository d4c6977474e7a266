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
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as AwsCredentials from "../AwsCredentials.js"
import type * as MeteringConfig from "../MeteringConfig.js"
import type * as MeteringError from "../MeteringError.js"
import { marketplaceMetering, type Operation } from "../Operation.js"
import * as awsJson from "./awsJson.js"
import { concealer, secretsOf } from "./conceal.js"
import { connectionError } from "./connection.js"
import type { HttpAnswer } from "./httpAnswer.js"
import { inTime } from "./inTime.js"
import { type Attempt, forOperation, isSame, mending, skewToCorrect } from "./mending.js"
import { observeAttempt } from "./observe.js"
import { requestSizeLimit, tooLarge } from "./requestSize.js"
import type { Execute } from "./service.js"
import { makeSigner } from "./signature.js"

const textEncoder = new TextEncoder()

const userAgent = "effect-marketplace-metering"

/** Redirects are answers: to follow one would carry a signed request to wherever it points. */
const withoutRedirects = (context: Context.Context<never>) =>
  Context.add(context, FetchHttpClient.RequestInit, {
    ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
    redirect: "manual"
  })

export const makeExecute = (
  config: MeteringConfig.Service,
  credentials: AwsCredentials.Service,
  httpClient: HttpClient.HttpClient
): Execute => {
  const { endpoint, region, requestTimeout } = config
  const url = new URL(endpoint)
  // as the official SDK does below a base path
  if (!url.pathname.endsWith("/")) url.pathname += "/"
  const sign = makeSigner({
    method: "POST",
    url,
    region,
    service: marketplaceMetering.signingName
  })
  // the platform's own span would carry every header, the session token included
  const untraced = HttpClient.withTracerDisabledWhen(httpClient, () => true)
  const execute = (request: HttpClientRequest.HttpClientRequest) =>
    Effect.withFiberRuntime<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>(
      (fiber) =>
        (fiber.getFiberRef(FiberRef.currentTracerEnabled) ? untraced : httpClient).execute(request)
    )
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

    const withTimeout = inTime(requestTimeout, name, () => url.origin)

    const send = (
      request: HttpClientRequest.HttpClientRequest,
      conceal: (text: string) => string
    ) =>
      execute(request).pipe(
        // a client that filters by status fails with the very answer that is to be read
        Effect.catchIf(isStatusError, ({ response }) => Effect.succeed(response)),
        Effect.flatMap(readAnswer),
        Effect.mapInputContext(withoutRedirects),
        Effect.mapError((error) => connectionError(name, url.origin, error)),
        withTimeout,
        (attempt) => observed(attempt, conceal)
      )

    /** Signs with these credentials and by the corrected clock, sends, and reads the answer. */
    const attempt =
      (request: Request, body: Uint8Array) =>
      (
        current: AwsCredentials.Credentials
      ): Effect.Effect<Attempt<AwsCredentials.Credentials, Response, Failure>, Failure> =>
        Clock.clockWith((clock) => {
          const secretAccessKey = Redacted.value(current.secretAccessKey)
          const sessionToken = current.sessionToken && Redacted.value(current.sessionToken)
          const usedOffset = clockOffset
          const signature = sign({
            headers,
            body,
            credentials: { accessKeyId: current.accessKeyId, secretAccessKey, sessionToken },
            now: clock.unsafeCurrentTimeMillis() + usedOffset
          })
          const conceal = concealer(() => [
            secretAccessKey,
            sessionToken,
            signature.authorization.slice(-64),
            ...secretsIn(request)
          ])
          const sent = send(
            HttpClientRequest.post(url.href, {
              headers: { "user-agent": userAgent, ...headers, ...signature },
              body: HttpBody.uint8Array(body, awsJson.contentType)
            }),
            conceal
          )
          return Effect.map(sent, (answer) => ({
            outcome: decode(answer, conceal),
            renew: Effect.suspend(() =>
              Effect.map(credentials.refresh(current), (fresh) =>
                isSame(fresh, current) ? undefined : fresh
              )
            ),
            correctClock: () => {
              const offset = Date.parse(answer.headers.date ?? "") - clock.unsafeCurrentTimeMillis()
              const isOff = Math.abs(offset - usedOffset) >= skewToCorrect
              if (isOff) clockOffset = offset
              return isOff
            }
          }))
        })

    return (request: Request) => {
      const body = textEncoder.encode(encode(request))
      return checksSize && body.length >= requestSizeLimit
        ? Effect.fail(tooLarge(name, body.length))
        : Effect.flatMap(
            Effect.mapError(credentials.get, forOperation(name)),
            mending(attempt(request, body))
          )
    }
  }
}

const readAnswer = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.map(
    response.text,
    (body): HttpAnswer => ({ status: response.status, headers: response.headers, body })
  )

const isStatusError = (
  error: HttpClientError.HttpClientError
): error is HttpClientError.ResponseError =>
  error._tag === "ResponseError" && error.reason === "StatusCode"
