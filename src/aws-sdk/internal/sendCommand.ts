/** Sends one command through the SDK and captures the raw response before the SDK deserializes it. */
import * as sdk from "@aws-sdk/client-marketplace-metering"
import {
  bodyReader,
  type RawResponse,
  responseSizeLimit,
  tooLongBody
} from "../../internal/protocol/rawResponse.js"
import type { OperationName } from "../../MeteringError.js"

/** Facts about one attempt. None of them is an object of the SDK. */
export interface AttemptState {
  /** The signed request. Present from the moment that it is handed to the network. */
  request?: {
    readonly origin: string
    readonly accessKeyId: string | undefined
    readonly sessionToken: string | undefined
    readonly signature: string | undefined
  }
  /** `true` once a status has arrived, even if the rest of the response never does. */
  hasStatus?: boolean
  response?: RawResponse | undefined
  /** The error of an attempt without a response. It is classified and then dropped, because it may hold secrets. */
  failure?: unknown
}

/** Members of the SDK's HTTP request and response, which its middleware types leave unknown. */
interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly headers: Record<string, string>
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  body: unknown
}

/** Makes one attempt and records it in `state`. Never rejects. */
export const sendCommand = async (
  client: sdk.MarketplaceMeteringClient,
  name: OperationName,
  input: unknown,
  abortSignal: AbortSignal,
  state: AttemptState
): Promise<void> => {
  // the name selects the command, so that the compiler cannot relate it to the input
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: every command is used
  const Command: new (input: never) => unknown = sdk[`${name}Command`]
  const command = new Command(input as never) as sdk.MeterUsageCommand
  const { middlewareStack } = command
  // replaces the retries of the client for this command, with the headers that they would set
  middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as SdkRequest
      headers["amz-sdk-invocation-id"] = globalThis.crypto.randomUUID()
      headers["amz-sdk-request"] = "attempt=1; max=1"
      return next(args)
    },
    { name: "retryMiddleware", step: "finalizeRequest", priority: "high", override: true }
  )
  middlewareStack.add(
    (next) => async (args) => {
      state.request = toSignedRequest(args.request as SdkRequest)
      state.hasStatus = false
      try {
        const result = await next(args)
        state.hasStatus = true
        const response = result.response as SdkResponse
        const { bytes, ...body } = await collectBody(client, response.body)
        // the SDK deserializes a collected body as well as a stream
        response.body = bytes
        const headers = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value])
        )
        state.response = { status: response.statusCode, headers, ...body }
        return result
      } catch (error) {
        state.failure = error
        throw error
      }
    },
    // innermost: only the network comes after it
    { name: "effectMarketplaceMetering", step: "deserialize", priority: "low" }
  )
  try {
    const output = await client.send(command, { abortSignal })
    state.response ??= responseOfOutput(output)
  } catch (error) {
    // the captured response or network error wins over the SDK's reading of it
    if (state.response === undefined && !("failure" in state)) {
      state.response = responseOfException(error)
      state.failure = error
    }
  }
}

const toSignedRequest = ({ headers, hostname, port, protocol }: SdkRequest) => {
  const authorization = headers.authorization ?? ""
  return {
    origin: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`,
    accessKeyId: /Credential=([^/]+)/.exec(authorization)?.[1],
    sessionToken: headers["x-amz-security-token"],
    signature: /Signature=(\w+)/.exec(authorization)?.[1]
  }
}

/** Reads a body up to the size limit. Leaving the iteration early cancels the stream. */
const collectBody = async ({ config }: sdk.MarketplaceMeteringClient, body: unknown) => {
  if (isAsyncIterable(body)) {
    const { add, end } = bodyReader()
    for await (const chunk of body) if (!add(chunk)) break
    const read = end()
    return { ...read, bytes: new TextEncoder().encode(read.body) }
  }
  // streams of browsers without async iteration
  const bytes: Uint8Array =
    body instanceof Uint8Array ? body : body ? await config.streamCollector(body) : new Uint8Array()
  return bytes.length > responseSizeLimit
    ? { ...tooLongBody, bytes: new Uint8Array() }
    : { body: new TextDecoder().decode(bytes), bytes }
}

const isAsyncIterable = (body: unknown): body is AsyncIterable<Uint8Array> =>
  typeof body === "object" && body !== null && Symbol.asyncIterator in body

// A stubbed `send` or a middleware may respond without the network. Then its output or exception stands for a response.

interface ResponseMetadata {
  readonly httpStatusCode?: number
  readonly requestId?: string
}

const toRawResponse = (
  { httpStatusCode, requestId }: ResponseMetadata = {},
  defaultStatus: number,
  body: object
): RawResponse => ({
  status: httpStatusCode ?? defaultStatus,
  headers: { "x-amzn-requestid": requestId },
  body: JSON.stringify(body)
})

/** Dates become ISO text, which the decoder reads as well as seconds. */
const responseOfOutput = (output: unknown): RawResponse => {
  const { $metadata, ...members } = (output ?? {}) as { readonly $metadata?: ResponseMetadata }
  return toRawResponse($metadata, 200, members)
}

/** `undefined` for an error that is not a service exception. */
const responseOfException = (error: unknown): RawResponse | undefined => {
  const { $fault, $metadata, message, name } = (error ?? {}) as {
    readonly $fault?: unknown
    readonly $metadata?: ResponseMetadata
    readonly message?: unknown
    readonly name?: unknown
  }
  return $fault === "client" || $fault === "server"
    ? toRawResponse($metadata, $fault === "server" ? 500 : 400, { __type: name, message })
    : undefined
}
