/** Posts to receivers of the seller. A response that does not arrive in time is no response. */
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

/** The status of a response, or the reason why there is none. */
export interface PostResult {
  readonly status?: number
  readonly location?: string | undefined
  readonly error?: string
}

export type Post = (request: PostRequest) => Effect.Effect<PostResult>

/** Bytes of a response that are read. */
const maxResponseSize = 65_536

/** By the client in context, or else by `fetch`. */
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
        // a redirect is a failure, as for SNS and EventBridge
        Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
        // the platform's spans contain every header, the secret of an API destination included
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

/** The code of the failure. Messages may quote the request. */
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
