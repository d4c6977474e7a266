/** One attempt over a client of the SDK. Captures the raw response before the SDK deserializes it. */
import type { HttpRequest, HttpResponse } from "@smithy/core/protocols"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import { trackConnectFailures } from "#connectFailures"
import type { OperationName } from "../../MeteringError.js"
import * as MeteringError from "../../MeteringError.js"
import type { Attempt, Response } from "../../Transport.js"
import { connectionError } from "../client/connectionError.js"
import { maxCorrectedSkew, minCorrectedSkew } from "../client/recovery.js"
import { withRequestTimeout } from "../client/requestTimeout.js"
import { callProvider, describeError } from "../credentials/credentialProvider.js"
import { unredact } from "../credentials/credentials.js"
import { bodyReader, isSuccess, type RawResponse } from "../protocol/rawResponse.js"
import * as millis from "../schema/millis.js"

/** A middleware of a command, for any of the SDK's steps. */
type Middleware = (
  next: (args: MiddlewareArguments) => Promise<MiddlewareResult>
) => (args: MiddlewareArguments) => Promise<MiddlewareResult>

interface MiddlewareArguments {
  readonly request: unknown
}

interface MiddlewareResult {
  readonly response: unknown
}

/** The members of a command's stack of middlewares that this package uses, without the types of one operation. */
interface MiddlewareStack {
  add(middleware: Middleware, options: object): void
  addRelativeTo(middleware: Middleware, options: object): void
}

/** A command of any operation. */
interface SdkCommand {
  readonly middlewareStack: unknown
}

/** A client of any service of the SDK. */
export interface SdkClient {
  readonly config: {
    systemClockOffset: number
    readonly region: () => Promise<string>
    readonly credentials: (options: { readonly forceRefresh: boolean }) => Promise<unknown>
    readonly requestHandler: unknown
    streamCollector(stream: unknown): Promise<Uint8Array>
  }
  // a client takes only commands of its own service
  send(command: never, options: { readonly abortSignal: AbortSignal }): Promise<object>
  destroy(): void
}

/** Makes the SDK's command of an operation. */
export type MakeCommand = (operation: OperationName, input: never) => SdkCommand

type SdkResponse = Response & { readonly signed: HttpRequest["headers"] }

/** The state of one attempt. `failure` may contain secrets, and no error contains it. */
interface AttemptState {
  readonly attempt: Attempt
  endpoint: string
  /** The headers of the signed request. Absent until the request is handed to the network. */
  signed?: HttpRequest["headers"]
  /** True if the request may have reached the service, regardless of `failure`. */
  mayBeDelivered?: boolean
  /**
   * Errors of loading credentials and of signing. After such an error, a middleware of the application may send a request
   * itself.
   */
  readonly authErrors: Set<unknown>
  response?: RawResponse | undefined
  failure?: unknown
}

/** The source of credentials that errors name for a client of the application. */
const tried = ["the SDK client's credential provider"]

/** Sends an attempt. Errors name `endpoint` until the endpoint of the request is known. */
export const sendAttempt = (
  client: SdkClient,
  makeCommand: MakeCommand,
  requestTimeout: Duration.Duration,
  attempt: Attempt,
  endpoint = "the SDK client's endpoint"
) =>
  Effect.suspend(() => {
    trackConnectFailures()
    const { config } = client
    const usedOffset = config.systemClockOffset
    const state: AttemptState = { attempt, endpoint, authErrors: new Set() }
    return Effect.promise((signal) => sendCommand(client, makeCommand, state, signal)).pipe(
      Effect.timed,
      Effect.flatMap(([elapsed]) => {
        // the SDK corrects its clock by any `Date`, even an outdated one from a cache
        const isWrong = Math.abs(config.systemClockOffset) > maxCorrectedSkew
        if (isWrong) config.systemClockOffset = usedOffset
        const isClockCorrected = Math.abs(config.systemClockOffset - usedOffset) >= minCorrectedSkew
        const { response, signed = {} } = state
        if (response === undefined) return Effect.fail(toError(state, elapsed))
        const { authorization = "", "x-amz-security-token": token = "" } = signed
        const secrets = [token, authorization.slice(-64)]
        return Effect.succeed<SdkResponse>({ ...response, signed, secrets, isClockCorrected })
      }),
      withRequestTimeout(requestTimeout, attempt.operation.name, () => state.endpoint)
    )
  })

/** Refreshes credentials. Returns false if the request of this `response` was signed with the same ones. */
export const refreshCredentials = ({ config }: SdkClient, response: Response) =>
  Effect.map(
    callProvider(() => config.credentials({ forceRefresh: true }), { tried, notes: [] }),
    (credentials) => {
      const { accessKeyId, sessionToken } = unredact(credentials)
      const { authorization = "", "x-amz-security-token": token } = (response as SdkResponse).signed
      return !authorization.includes(`Credential=${accessKeyId}/`) || token !== sessionToken
    }
  )

/** Classifies an attempt without a response. Keeps only a code, a name or a sanitized message of its error. */
const toError = (state: AttemptState, timeout: Duration.Duration) => {
  const { attempt, authErrors, endpoint, failure, signed } = state
  const operation = attempt.operation.name
  if (signed === undefined && authErrors.has(failure)) {
    const reason = describeError(failure)
    return new MeteringError.CredentialsError({ operation, tried, reason }, true)
  }
  const { code = "ETIMEDOUT", name, syscall } = (failure ?? {}) as Record<string, unknown>
  // without a captured request, a middleware of the application may have sent one without calling ours
  const mayBeDelivered = state.mayBeDelivered ?? name !== "EndpointError"
  // the SDK's handlers also give this name to broken connections, which keep their code
  return name === "TimeoutError" && code === "ETIMEDOUT" && syscall === undefined
    ? new MeteringError.RequestTimeoutError({ operation, endpoint, timeout }, true)
    : connectionError(operation, endpoint, {
        _tag: mayBeDelivered ? "ResponseError" : "RequestError",
        reason: mayBeDelivered ? "Decode" : signed === undefined ? "InvalidUrl" : "Transport",
        cause: failure
      })
}

/** Makes one attempt and records it in `state`. Never rejects. */
const sendCommand = async (
  client: SdkClient,
  makeCommand: MakeCommand,
  state: AttemptState,
  abortSignal: AbortSignal
) => {
  const { body, operation } = state.attempt
  // the SDK expects times as `Date`, and `Timestamp` is the only member that is a time
  const input = JSON.parse(new TextDecoder().decode(body), (member, value) =>
    member === "Timestamp" ? new Date(millis.fromSeconds(value)) : value
  )
  const command = makeCommand(operation.name, input as never)
  const middlewareStack = command.middlewareStack as MiddlewareStack
  // replaces the SDK's retry middleware, and sets the same headers
  middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as HttpRequest
      headers["amz-sdk-invocation-id"] = globalThis.crypto.randomUUID()
      headers["amz-sdk-request"] = "attempt=1; max=1"
      return next(args)
    },
    { name: "retryMiddleware", step: "finalizeRequest", priority: "high", override: true }
  )
  // true if a request of this attempt so far may have metered usage
  let isUncertain = false
  middlewareStack.add(
    (next) => async (args) => {
      const { headers, hostname, port, protocol } = args.request as HttpRequest
      // a middleware of the application may send again: a success takes precedence, then the least certain outcome
      state.mayBeDelivered = state.signed !== undefined
      state.endpoint = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`
      state.signed = headers
      try {
        const result = await next(args)
        state.mayBeDelivered = true
        const response = result.response as HttpResponse
        const body = await readBody(client, response.body)
        // the SDK deserializes bytes or a stream
        response.body = new TextEncoder().encode(body.body)
        const { statusCode: status } = response
        const headers = Record.mapKeys(response.headers, (name) => name.toLowerCase())
        const isDone = isSuccess({ status })
        if (isDone || !isUncertain) state.response = { status, headers, ...body }
        if (isDone || status >= 500) isUncertain = true
        return result
      } catch (error) {
        state.failure = error
        if (!isUncertain) state.response = undefined
        isUncertain = true
        throw error
      }
    },
    // the innermost middleware
    { name: "effectMarketplaceMetering", step: "deserialize", priority: "low" }
  )
  let isAuthenticating = false
  for (const toMiddleware of ["httpAuthSchemeMiddleware", "httpSigningMiddleware"]) {
    for (const relation of ["before", "after"] as const) {
      const probe: Middleware = (next) => async (args) => {
        isAuthenticating = relation === "before"
        try {
          return await next(args)
        } catch (error) {
          if (isAuthenticating) state.authErrors.add(error)
          isAuthenticating = false
          throw error
        }
      }
      middlewareStack.addRelativeTo(probe, { relation, toMiddleware })
    }
  }
  try {
    const output = await client.send(command as never, { abortSignal })
    state.response ??= toResponse(output, true)
  } catch (error) {
    // the captured response or network error takes precedence over the error that the SDK made of it
    if (state.response !== undefined) return
    // a middleware of the application may have sent a request itself after a network error
    if ("failure" in state) state.mayBeDelivered ||= !!state.failure && error !== state.failure
    else Object.assign(state, { response: toResponse(error, false), failure: error })
  }
}

/** Reads up to the size limit. `break` cancels the stream. */
const readBody = async ({ config }: SdkClient, body: unknown) => {
  const { add, end } = bodyReader()
  if (Symbol.asyncIterator in Object(body)) {
    for await (const chunk of body as AsyncIterable<Uint8Array>) if (!add(chunk)) break
  } else if (body) add(body instanceof Uint8Array ? body : await config.streamCollector(body))
  return end()
}

/** The members that the SDK adds to the output or the exception of an operation. */
interface SdkResult {
  readonly $fault?: "client" | "server"
  readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  readonly message?: string
  readonly name?: string
}

/** Makes a response from an output or exception of a stub or of a middleware of the application. */
const toResponse = (result: unknown, isOutput: boolean): RawResponse | undefined => {
  const { $fault, $metadata, message, name, ...members } = (result ?? {}) as SdkResult
  if (!isOutput && !$fault) return undefined
  return {
    status: $metadata?.httpStatusCode ?? (isOutput ? 200 : $fault === "client" ? 400 : 500),
    headers: { "x-amzn-requestid": $metadata?.requestId },
    // an exception's `message` is not enumerable
    body: JSON.stringify(isOutput ? members : { __type: name, message })
  }
}
