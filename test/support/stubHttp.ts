/** A stub of `HttpClient` with scripted responses, which logs every request. */
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { minimalResponse } from "./operations.js"

/** A request as it was sent. */
export interface SentRequest {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly json: Readonly<Record<string, unknown>>
}

/**
 * A response. An object is sent as JSON. `body` defaults to the smallest valid response, and `status` to 200; 0 is an
 * opaque redirect, as in a browser.
 */
export interface StubResponse {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
}

/** A response, or a function that makes one. */
export type Stub =
  | StubResponse
  | ((
      sent: SentRequest,
      request: HttpClientRequest.HttpClientRequest
    ) => StubResponse | Effect.Effect<StubResponse, HttpClientError.HttpClientError>)

/** Responds with these stubs one after the other, and repeats the last. */
export const stubHttp = (...stubs: ReadonlyArray<Stub>) => {
  const sent: Array<SentRequest> = []
  const client = HttpClient.make((request, url) =>
    Effect.suspend(() => {
      const stub = stubs[Math.min(sent.length, stubs.length - 1)] ?? {}
      const one = sentFrom(request, url)
      sent.push(one)
      const response = typeof stub === "function" ? stub(one, request) : stub
      return Effect.map(
        Effect.isEffect(response) ? response : Effect.succeed(response),
        (stubResponse) => HttpClientResponse.fromWeb(request, toResponse(stubResponse))
      )
    })
  )
  return { client, layer: Layer.succeed(HttpClient.HttpClient, client), sent }
}

const sentFrom = (request: HttpClientRequest.HttpClientRequest, url: URL): SentRequest => {
  const body = request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : ""
  return {
    url: url.href,
    headers: { ...request.headers },
    body,
    get json() {
      return JSON.parse(body)
    }
  }
}

const toResponse = ({
  status = 200,
  body = status === 200 ? minimalResponse : {},
  headers = {}
}: StubResponse): Response =>
  status === 0
    ? Response.error()
    : new Response(typeof body === "string" ? body : JSON.stringify(body), {
        status,
        headers: { "content-type": "application/x-amz-json-1.1", ...headers }
      })

/** An exception of the service. */
export const exceptionResponse = (
  code: string,
  options: {
    readonly status?: number
    readonly message?: string
    readonly headers?: Readonly<Record<string, string>>
  } = {}
): StubResponse => ({
  status: options.status ?? 400,
  headers: { "x-amzn-requestid": "1f2e3d4c-0000-4000-8000-00000000c0de", ...options.headers },
  body: { __type: code, message: options.message ?? "said by the service" }
})

/** A connection error with the code of a system call. */
export const failingConnection =
  (code: string, syscall?: string): Stub =>
  (_, request) =>
    Effect.fail(
      new HttpClientError.RequestError({
        request,
        reason: "Transport",
        cause: new TypeError("fetch failed", {
          cause: Object.assign(new Error(code), { code, syscall })
        })
      })
    )
