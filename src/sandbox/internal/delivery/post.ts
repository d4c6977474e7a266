/** Posts to the seller's receivers. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Stream from "effect/Stream"

export interface PostRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly contentType: string
  readonly body: string
  readonly timeout: Duration.Duration
}

/** The status of the response, or the reason why no response arrived in time. */
export interface PostResult {
  readonly status?: number
  readonly location?: string | undefined
  readonly error?: string
}

export type Post = (request: PostRequest) => Effect.Effect<PostResult>

/** Maximum number of bytes to read of a response. */
const maxResponseSize = 65_536

/** Uses the `HttpClient` from context. Defaults to `fetch`. */
export const makePost: Effect.Effect<Post> = Effect.gen(function* () {
  const given = yield* Effect.serviceOption(HttpClient.HttpClient)
  const client = HttpClient.withTracerPropagation(
    Option.isSome(given)
      ? given.value
      : yield* Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer),
    false
  )
  return ({ body, contentType, headers, timeout, url }) =>
    client
      .execute(HttpClientRequest.post(url, { headers, body: HttpBody.text(body, contentType) }))
      .pipe(
        Effect.tap(readBody),
        Effect.map(({ headers, status }): PostResult => ({ status, location: headers.location })),
        Effect.catchAll((error) => Effect.succeed({ error: reasonOf(error) })),
        Effect.timeoutTo({
          duration: timeout,
          onSuccess: (result) => result,
          onTimeout: () => ({ error: `no response within ${Duration.format(timeout)}` })
        }),
        // does not follow redirects, because SNS and EventBridge count them as failures
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        // disables tracing, because the platform's spans contain all headers, including the secret of an API destination
        Effect.withTracerEnabled(false)
      )
})

const readBody = ({ stream }: HttpClientResponse.HttpClientResponse) => {
  let size = 0
  return stream.pipe(
    Stream.runForEachWhile((chunk) =>
      Effect.sync(() => {
        size += chunk.length
        return size <= maxResponseSize
      })
    ),
    Effect.catchIf(
      (error) => error.reason === "EmptyBody",
      () => Effect.void
    )
  )
}

/** Returns a message with the code of the failure, without error messages, because those may quote the request. */
const reasonOf = (error: HttpClientError.HttpClientError): string => {
  let code: string | undefined
  for (
    let cause: unknown = error.cause, depth = 0;
    code === undefined && hasProperty(cause, "message") && depth < 5;
    cause = hasProperty(cause, "cause") ? cause.cause : undefined, depth++
  ) {
    if (hasProperty(cause, "code") && typeof cause.code === "string") code = cause.code
  }
  return code !== undefined && /^\w{1,40}$/.test(code)
    ? `the connection failed: ${code}`
    : "the connection failed"
}
