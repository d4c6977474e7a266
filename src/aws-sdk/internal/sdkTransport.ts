/** One attempt over the SDK, which captures the raw response before the SDK deserializes it. */
import * as Sdk from "@aws-sdk/client-marketplace-metering"
import type { HttpRequest, HttpResponse } from "@smithy/core/protocols"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { trackConnectFailures } from "#connectFailures"
import type { Credentials } from "../../AwsCredentials.js"
import { connectionError } from "../../internal/client/connectionError.js"
import {
  maxCorrectedSkew,
  minCorrectedSkew,
  withOperation
} from "../../internal/client/recovery.js"
import { withRequestTimeout } from "../../internal/client/requestTimeout.js"
import { describeError } from "../../internal/credentials/credentialProvider.js"
import { credentialsError } from "../../internal/credentials/credentials.js"
import { bodyReader, isSuccess, type RawResponse } from "../../internal/protocol/rawResponse.js"
import * as millis from "../../internal/schema/millis.js"
import * as MeteringError from "../../MeteringError.js"
import type { Attempt, Response } from "../../Transport.js"

/** Facts about one attempt. `failure` may contain secrets and is dropped. */
interface AttemptState {
  /** The signed request. Absent until it is handed to the network. */
  request?: { readonly origin: string; readonly headers: Readonly<Record<string, string>> }
  /** True if the request may have reached the service, regardless of `failure`. */
  mayBeDelivered?: boolean
  /** True while the SDK gets credentials or signs, and after that has failed. */
  isAuthenticating?: boolean
  /** True if the outcome of a request so far leaves open whether usage was metered. */
  isUncertain?: boolean
  response?: RawResponse | undefined
  failure?: unknown
}

type SdkResponse = Response & { readonly request: AttemptState["request"] }

/** The source of credentials in errors of a user's client. */
export const clientProvider = { tried: ["the SDK client's credential provider"], notes: [] }

const unknownEndpoint = "the SDK client's endpoint"

export const sendAttempt = (
  client: Sdk.MarketplaceMeteringClient,
  requestTimeout: Duration.Duration,
  attempt: Attempt
) =>
  Effect.suspend(() => {
    trackConnectFailures()
    const { systemClockOffset: usedOffset } = client.config
    const state: AttemptState = {}
    const { name } = attempt.operation
    return Effect.promise((signal) => sendCommand(client, attempt, state, signal)).pipe(
      Effect.timed,
      Effect.flatMap(([elapsed]) => {
        // the SDK accepts any `Date`, even a cache's
        if (Math.abs(client.config.systemClockOffset) > maxCorrectedSkew) {
          client.config.systemClockOffset = usedOffset
        }
        const correction = Math.abs(client.config.systemClockOffset - usedOffset)
        const isClockCorrected = correction >= minCorrectedSkew
        const { request, response } = state
        if (response === undefined) return Effect.fail(toError(name, state, elapsed))
        const { authorization = "", "x-amz-security-token": token = "" } = request?.headers ?? {}
        const secrets = [token, authorization.slice(-64)]
        return Effect.succeed<SdkResponse>({ ...response, request, secrets, isClockCorrected })
      }),
      withRequestTimeout(requestTimeout, name, () => state.request?.origin ?? unknownEndpoint)
    )
  })

/** Returns true if the request of a `response` from `sendAttempt` was signed with these credentials. */
export const isSignedWith = (response: Response, { accessKeyId, sessionToken }: Credentials) => {
  const { request } = response as SdkResponse
  return (
    request?.headers.authorization?.includes(`Credential=${accessKeyId}/`) === true &&
    request.headers["x-amz-security-token"] === (sessionToken && Redacted.value(sessionToken))
  )
}

/** Classifies an attempt without a response. Keeps a code, a name or a sanitized message of its error. */
const toError = (
  operation: MeteringError.OperationName,
  { failure, isAuthenticating, mayBeDelivered: isSeen, request }: AttemptState,
  elapsed: Duration.Duration
) => {
  const { code, name, syscall } = (failure ?? {}) as Record<string, unknown>
  if (request === undefined && isAuthenticating) {
    return withOperation(operation)(credentialsError(clientProvider.tried, describeError(failure)))
  }
  // without a request, a middleware of the user may have sent one past ours
  const mayBeDelivered = isSeen ?? name !== "EndpointError"
  const endpoint = request?.origin ?? unknownEndpoint
  // the SDK's handlers also give this name to broken connections, which keep their code
  const isTimeout =
    name === "TimeoutError" &&
    (code === undefined || (code === "ETIMEDOUT" && syscall === undefined))
  return isTimeout
    ? new MeteringError.RequestTimeoutError({ operation, endpoint, timeout: elapsed }, true)
    : connectionError(operation, endpoint, {
        _tag: mayBeDelivered ? "ResponseError" : "RequestError",
        reason: mayBeDelivered ? "Decode" : request === undefined ? "InvalidUrl" : "Transport",
        cause: failure
      })
}

/** Makes one attempt and records it in `state`. Never rejects. */
const sendCommand = async (
  client: Sdk.MarketplaceMeteringClient,
  attempt: Attempt,
  state: AttemptState,
  abortSignal: AbortSignal
): Promise<void> => {
  // the SDK takes a `Date` for each time; `Timestamp` is the only member that is one
  const input = JSON.parse(new TextDecoder().decode(attempt.body), (member, value) =>
    member === "Timestamp" ? new Date(millis.fromSeconds(value)) : value
  )
  // `send` and the middlewares take any command
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: every command is used
  const Command = Sdk[`${attempt.operation.name}Command`] as new (
    input: never
  ) => Sdk.MeterUsageCommand
  const command = new Command(input as never)
  // replaces the client's retries, but sets their headers
  command.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as HttpRequest
      headers["amz-sdk-invocation-id"] = globalThis.crypto.randomUUID()
      headers["amz-sdk-request"] = "attempt=1; max=1"
      return next(args)
    },
    { name: "retryMiddleware", step: "finalizeRequest", priority: "high", override: true }
  )
  command.middlewareStack.add(
    (next) => async (args) => {
      const { headers, hostname, port, protocol } = args.request as HttpRequest
      // a middleware of the user may send again: a success counts, then the least certain outcome of all requests
      state.mayBeDelivered = state.request !== undefined
      const origin = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`
      state.request = { origin, headers }
      try {
        const result = await next(args)
        state.mayBeDelivered = true
        const response = result.response as HttpResponse
        const body = await readBody(client, response.body)
        // the SDK deserializes bytes or a stream
        response.body = new TextEncoder().encode(body.body)
        const { statusCode: status } = response
        const isDone = isSuccess({ status })
        if (isDone || !state.isUncertain) {
          const headers = Object.entries(response.headers)
          state.response = {
            status,
            headers: Object.fromEntries(
              headers.map(([name, value]) => [name.toLowerCase(), value])
            ),
            ...body
          }
        }
        if (isDone || status >= 500) state.isUncertain = true
        return result
      } catch (error) {
        state.failure = error
        if (!state.isUncertain) state.response = undefined
        state.isUncertain = true
        throw error
      }
    },
    // the innermost middleware
    { name: "effectMarketplaceMetering", step: "deserialize", priority: "low" }
  )
  for (const toMiddleware of ["httpAuthSchemeMiddleware", "httpSigningMiddleware"]) {
    for (const relation of ["before", "after"] as const) {
      const probe = (next: (args: unknown) => unknown) => (args: unknown) => {
        state.isAuthenticating = relation === "before"
        return next(args)
      }
      command.middlewareStack.addRelativeTo(probe as never, {
        name: `effectMarketplaceMetering ${relation} ${toMiddleware}`,
        relation,
        toMiddleware
      })
    }
  }
  try {
    const output = await client.send(command, { abortSignal })
    state.response ??= toResponse(output, true)
  } catch (error) {
    // the captured response or network error wins over the SDK's reading of it
    if (state.response === undefined && !("failure" in state)) {
      state.response = toResponse(error, false)
      state.failure = error
    }
  }
}

/** Reads up to the size limit. `break` cancels the stream. */
const readBody = async ({ config }: Sdk.MarketplaceMeteringClient, body: unknown) => {
  const { add, end } = bodyReader()
  if (typeof body === "object" && body !== null && Symbol.asyncIterator in body) {
    for await (const chunk of body as AsyncIterable<Uint8Array>) if (!add(chunk)) break
  } else if (body) {
    add(body instanceof Uint8Array ? body : await config.streamCollector(body))
  }
  return end()
}

/** Makes a response from an output or exception that came from a stub or a user's middleware. */
const toResponse = (result: unknown, isOutput: boolean): RawResponse | undefined => {
  const outcome = (result ?? {}) as Partial<Sdk.ThrottlingException>
  const { $fault, $metadata, ...members } = outcome
  if (!isOutput && !$fault) return undefined
  return {
    status: $metadata?.httpStatusCode ?? (isOutput ? 200 : $fault === "client" ? 400 : 500),
    headers: { "x-amzn-requestid": $metadata?.requestId },
    // an exception's `message` is not enumerable
    body: JSON.stringify(isOutput ? members : { __type: outcome.name, message: outcome.message })
  }
}
