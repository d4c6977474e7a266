/** A GET request with limits. Nothing of the request reaches a span or an error: a URL can hold a token. */
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

/** A redirect is the response: another host would answer. */
const withoutRedirects = <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.contextWithEffect((context: Context.Context<never>) =>
    Effect.provideService(self, FetchHttpClient.RequestInit, {
      ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
      redirect: "manual"
    })
  )

/** Gets the body of a response with status 200 that was not redirected. */
export const get = (
  httpClient: HttpClient.HttpClient,
  url: string
): Effect.Effect<string, GetFailure> =>
  httpClient.execute(HttpClientRequest.get(url)).pipe(
    Effect.flatMap((response) =>
      // also the body of another status is read, so that the connection is free again
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
