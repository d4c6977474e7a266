/** One canned response for our client, for the official SDK, and for our client over the SDK. No network. */

import {
  BatchMeterUsageCommand,
  MarketplaceMeteringClient,
  type MarketplaceMeteringClientConfig,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { AwsSdkClient } from "effect-marketplace-metering/aws-sdk"
import type * as MeteringError from "effect-marketplace-metering/MeteringError"
import { clientLayer, credentials, secrets } from "../support/client.js"
import type { MeteringOperationName } from "../support/operations.js"

export interface CannedResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A request as it reached the network. */
export interface CapturedRequest {
  readonly method: string
  readonly host: string
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

// ---------------------------------------------------------------------------------------------------
// the official SDK
// ---------------------------------------------------------------------------------------------------

/** The request that an SDK client passes to its request handler. */
interface SdkRequest extends Omit<CapturedRequest, "host" | "body"> {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly body: Uint8Array | string
}

type HandlerOptions = { readonly abortSignal?: AbortSignal }

/** Responds to one request of an SDK client. */
export type RequestHandler = (
  request: CapturedRequest,
  options: HandlerOptions
) => Promise<CannedResponse> | CannedResponse

/** An SDK client whose network is a function, and all that was sent. */
export const sdkClient = (handle: RequestHandler, config: MarketplaceMeteringClientConfig = {}) => {
  const sent: Array<CapturedRequest> = []
  const client = new MarketplaceMeteringClient({
    region: "us-east-1",
    credentials: { accessKeyId: credentials.accessKeyId, ...secrets },
    maxAttempts: 1,
    requestHandler: {
      metadata: { handlerProtocol: "http/1.1" },
      handle: async (request: SdkRequest, options: HandlerOptions = {}) => {
        const captured: CapturedRequest = {
          method: request.method,
          host: request.hostname + (request.port === undefined ? "" : `:${request.port}`),
          path: request.path,
          headers: Object.fromEntries(
            Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), value])
          ),
          body:
            typeof request.body === "string" ? request.body : new TextDecoder().decode(request.body)
        }
        sent.push(captured)
        const { body, headers, status } = await handle(captured, options)
        const bytes = new TextEncoder().encode(body)
        return { response: { statusCode: status, headers: { ...headers }, body: bytes } }
      },
      updateHttpClientConfig: () => {},
      httpHandlerConfigs: () => ({})
    },
    ...config
  })
  return { client, sent }
}

const commands: Record<MeteringOperationName, new (input: never) => unknown> = {
  MeterUsage: MeterUsageCommand,
  BatchMeterUsage: BatchMeterUsageCommand,
  RegisterUsage: RegisterUsageCommand,
  ResolveCustomer: ResolveCustomerCommand
}

/** Fields of ours in the SDK's names and types. Made without any of the code under test. */
export const toSdk = (value: unknown): unknown =>
  DateTime.isDateTime(value)
    ? DateTime.toDateUtc(value)
    : Redacted.isRedacted(value)
      ? Redacted.value(value)
      : Array.isArray(value)
        ? value.map(toSdk)
        : typeof value === "object" && value !== null
          ? Object.fromEntries(
              Object.entries(value).flatMap(([name, field]) =>
                field === undefined
                  ? []
                  : [[name.charAt(0).toUpperCase() + name.slice(1), toSdk(field)]]
              )
            )
          : value

/** Calls the SDK as an app without this package would. */
export const callSdk = (
  client: MarketplaceMeteringClient,
  name: MeteringOperationName,
  fields: object
): Promise<object> =>
  // the command is the operation's own and its input was made from a valid request
  client.send(new commands[name](toSdk(fields) as never) as MeterUsageCommand)

// ---------------------------------------------------------------------------------------------------
// ours
// ---------------------------------------------------------------------------------------------------

/** Statuses whose responses have no body. */
const statusesWithoutBody: ReadonlySet<number> = new Set([204, 205, 304])

/** A network for `MeteringClient.layer`, and all that was sent. */
export const network = (respond: () => CannedResponse) => {
  const sent: Array<CapturedRequest> = []
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => {
      const { body } = request
      sent.push({
        method: request.method,
        host: url.host,
        path: url.pathname + url.search,
        headers: { ...request.headers },
        body: body._tag === "Uint8Array" ? new TextDecoder().decode(body.body) : ""
      })
      const { body: text, headers, status } = respond()
      return HttpClientResponse.fromWeb(
        request,
        new Response(statusesWithoutBody.has(status) ? null : new TextEncoder().encode(text), {
          status,
          headers
        })
      )
    })
  )
  return { layer: Layer.succeed(HttpClient.HttpClient, client), sent }
}

/** Refreshing brings nothing new, so that there is one attempt. */
const oneAttempt = { refresh: () => Effect.succeed(credentials) }

/** Our client over HTTP, with this response. */
export const overHttp = (response: CannedResponse) => {
  const { layer, sent } = network(() => response)
  return { layer: clientLayer(layer, { credentials: oneAttempt }), sent }
}

/** Our client over an SDK client, with this response. */
export const overSdk = (response: CannedResponse) => {
  const { client, sent } = sdkClient(() => response)
  return { layer: AwsSdkClient.layerFrom(client), sent }
}

/** The same where the user has a middleware, for which the SDK makes all requests and outputs. */
export const overSdkWithMiddleware = (response: CannedResponse) => {
  const { client, sent } = sdkClient(() => response)
  return { layer: AwsSdkClient.layerFrom(withMiddleware(client)), sent }
}

const withMiddleware = (client: MarketplaceMeteringClient) => {
  client.middlewareStack.add((next) => (args) => next(args), { step: "initialize" })
  return client
}

/** All clients with a replaceable response, for properties: an SDK client is expensive to make. */
export const makeClients = () => {
  let response: CannedResponse = { status: 200, headers: {}, body: "{}" }
  const sdk = sdkClient(() => response)
  const http = network(() => response)
  const sdkWithMiddleware = sdkClient(() => response)
  const ours = [
    ["ours", clientLayer(http.layer, { credentials: oneAttempt })],
    ["ours over the SDK", AwsSdkClient.layerFrom(sdk.client)],
    ["ours over the SDK, watched", AwsSdkClient.layerFrom(withMiddleware(sdkWithMiddleware.client))]
  ] as const
  return {
    ours,
    client: sdk.client,
    /** The bodies of all that ours have sent. */
    sent: () => [http, sdk, sdkWithMiddleware].flatMap(({ sent }) => sent.map(({ body }) => body)),
    respondWith: (next: CannedResponse) => {
      response = next
    }
  }
}

// ---------------------------------------------------------------------------------------------------
// outcomes in a form that all three share
// ---------------------------------------------------------------------------------------------------

/** An outcome without the classes: members in the SDK's names, or an exception's name and text. */
export type Summary =
  | { readonly ok: unknown }
  | {
      readonly error: string
      readonly message?: unknown
      readonly status?: number | undefined
      readonly requestId?: string | undefined
    }

const metadataFields = new Set(["requestId", "statusCode", "unreadable", "missingRecords"])

/** A response of ours, by its members alone. */
export const summaryOfResponse = (response: object): Summary => ({
  ok: withoutEmptyFields(
    toSdk(
      Object.fromEntries(Object.entries(response).filter(([name]) => !metadataFields.has(name)))
    )
  )
})

/** An error of ours: the service's own code where there is one, and else what we call it. */
export const summaryOfError = (error: MeteringError.MeteringError): Summary => {
  const { code, requestId, serviceMessage, statusCode } = error as {
    readonly code?: string
    readonly requestId?: string
    readonly serviceMessage?: string
    readonly statusCode?: number
  }
  return {
    error: code ?? error._tag,
    message: serviceMessage,
    status: statusCode,
    requestId
  }
}

/** The SDK's output. */
export const summaryOfOutput = (output: object): Summary => {
  const { $metadata: _, ...members } = output as Record<string, unknown>
  return { ok: withoutEmptyFields(members) }
}

/** The SDK's exception. Its default message is "UnknownError". */
export const summaryOfException = (error: unknown): Summary => {
  const { $metadata, message, name } = error as {
    readonly name: string
    readonly message: unknown
    readonly $metadata?: { readonly httpStatusCode?: number; readonly requestId?: string }
  }
  return {
    error: name,
    message: message === "UnknownError" ? undefined : message,
    status: $metadata?.httpStatusCode,
    requestId: $metadata?.requestId
  }
}

/** Ours never lacks a list; the SDK does. */
const withoutEmptyFields = (members: unknown): unknown =>
  typeof members === "object" && members !== null
    ? Object.fromEntries(
        Object.entries(members).filter(
          ([, member]) => member !== undefined && !(Array.isArray(member) && member.length === 0)
        )
      )
    : members

export const summarise = <E extends MeteringError.MeteringError, R>(
  call: Effect.Effect<object, E, R>
): Effect.Effect<Summary, never, R> =>
  Effect.match(call, { onSuccess: summaryOfResponse, onFailure: summaryOfError })

export const summariseSdk = (
  client: MarketplaceMeteringClient,
  name: MeteringOperationName,
  fields: object
): Effect.Effect<Summary> =>
  Effect.promise(() => callSdk(client, name, fields).then(summaryOfOutput, summaryOfException))
