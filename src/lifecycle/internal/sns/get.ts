/** A GET request with limits on time and size. No span or error contains its URL, because a URL can contain a token. */
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { readLimitedText } from "../readLimitedText.js"

/** Maximum length of a response, in bytes. A certificate has 2 KB. */
const maxBytes = 65_536

const timeout = "5 seconds"

export type GetFailure = "connection" | "timeout" | "status" | "tooLong"

/** Makes fetch return a redirect as the response and not follow it, because it could lead to another host. */
const withoutRedirects = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.contextWithEffect((context: Context.Context<never>) =>
    Effect.provideService(self, FetchHttpClient.RequestInit, {
      ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
      redirect: "manual"
    })
  )

/** Returns the body of the response. Fails if the status is not 200 or the request was redirected. */
export const get = (
  httpClient: HttpClient.HttpClient,
  url: string
): Effect.Effect<string, GetFailure> =>
  httpClient.execute(HttpClientRequest.get(url)).pipe(
    Effect.flatMap((response) =>
      // the body is read for every status, so that the connection can be reused
      Effect.map(
        Effect.catchIf(
          readLimitedText(response.stream, maxBytes),
          ({ reason }) => reason === "EmptyBody",
          () => Effect.succeedSome("")
        ),
        (text) => ({ text, isOk: response.status === 200 && response.request.url === url })
      )
    ),
    Effect.mapError(
      ({ reason }): GetFailure => (reason === "StatusCode" ? "status" : "connection")
    ),
    Effect.flatMap(({ isOk, text }): Effect.Effect<string, GetFailure> => {
      if (!isOk) return Effect.fail("status")
      return Option.match(text, {
        onNone: () => Effect.fail("tooLong"),
        onSome: Effect.succeed
      })
    }),
    Effect.timeoutFail({ duration: timeout, onTimeout: (): GetFailure => "timeout" }),
    withoutRedirects,
    Effect.locally(HttpClient.currentTracerDisabledWhen, () => true)
  )
