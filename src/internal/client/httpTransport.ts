/** One attempt over HTTP: sign, send, read. */

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
import * as Stream from "effect/Stream"
import { trackConnectFailures } from "#connectFailures"
import type * as AwsCredentials from "../../AwsCredentials.js"
import type * as MeteringConfig from "../../MeteringConfig.js"
import type { OperationName } from "../../MeteringError.js"
import type { ServiceModel } from "../../Operation.js"
import type { Transport } from "../../Transport.js"
import { unredact } from "../credentials/credentials.js"
import {
  bodyReader,
  type RawResponse,
  responseSizeLimit,
  tooLongBody
} from "../protocol/rawResponse.js"
import { makeSigner } from "../sigv4/sign.js"
import { connectionError } from "./connectionError.js"
import { withRequestTimeout } from "./requestTimeout.js"

const userAgent = "effect-marketplace-metering"

/** Cached copies of contexts. A context is immutable and shared by many calls, so one copy serves them all. */
const contextsWithoutRedirects = new WeakMap<Context.Context<never>, Context.Context<never>>()

/**
 * Turns redirects off, because following one would send the signed request to another host. The redirect is the response.
 */
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
 * Turns redirects and the platform's spans off for the fiber of an attempt, in one update of its fiber refs. Such a span
 * would contain every header, including the session token.
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
  { signingName }: Pick<ServiceModel, "signingName">,
  config: MeteringConfig.Service,
  credentials: AwsCredentials.Service,
  httpClient: HttpClient.HttpClient
): Transport => {
  trackConnectFailures()
  const { endpoint, region, requestTimeout } = config
  const url = new URL(endpoint)
  // appends a slash to a base path, as the official SDK does
  if (!url.pathname.endsWith("/")) url.pathname += "/"
  const sign = makeSigner({ method: "POST", url, region, service: signingName })

  const sendRequest = (request: HttpClientRequest.HttpClientRequest, name: OperationName) => {
    const fail = (error: HttpClientError.HttpClientError) =>
      Effect.fail(connectionError(name, url.origin, error))

    const readResponse = (response: HttpClientResponse.HttpClientResponse) => {
      const { headers, status } = response
      return Effect.matchEffect(readBody(response, headers), {
        // a response without a body has no stream
        onFailure: (error) =>
          error.reason === "EmptyBody"
            ? Effect.succeed({ status, headers, body: "" })
            : fail(error),
        onSuccess: (body) => Effect.succeed<RawResponse>({ status, headers, ...body })
      })
    }

    return Effect.matchEffect(httpClient.execute(request), {
      // an `HttpClient` that filters by status fails, but its error has the response
      onFailure: (error) => (isStatusError(error) ? readResponse(error.response) : fail(error)),
      onSuccess: readResponse
    })
  }

  return {
    credentials,
    endpoint: url,
    region,
    send: ({ body, clockOffset, credentials, headers, operation: { name } }) =>
      Clock.clockWith((clock) => {
        const signed = sign({
          headers,
          body,
          // every attempt has credentials, because this transport has the property `credentials`
          credentials: unredact(credentials as AwsCredentials.Credentials),
          now: clock.unsafeCurrentTimeMillis() + clockOffset
        })
        return Effect.flatMap(signed, (signature) => {
          const request = HttpClientRequest.post(url.href, {
            headers: { "user-agent": userAgent, ...headers, ...signature },
            body: HttpBody.uint8Array(body, headers["content-type"])
          })
          return Effect.map(
            withRequestTimeout(
              requestTimeout,
              name,
              () => url.origin,
              prepareFiber
            )(sendRequest(request, name)),
            (response) => ({ ...response, secrets: [signature.authorization.slice(-64)] })
          )
        })
      })
  }
}

/**
 * Reads a body of a known length at once, which costs less than counting chunks. A compressed body is longer when it is
 * read.
 */
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
