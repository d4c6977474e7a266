/** One request through the SDK and its answer, read before the SDK makes something of it. */
import {
  BatchMeterUsageCommand,
  type MarketplaceMeteringClient,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import {
  bodyReader,
  type RawResponse,
  responseSizeLimit,
  tooLongBody
} from "../../internal/protocol/rawResponse.js"
import type { OperationName } from "../../MeteringError.js"

/** A request that has been checked, in the two forms that the SDK can take. */
export interface EncodedRequest {
  /** A command's own input: the JSON with dates for times. */
  readonly input: unknown
  readonly body: string
  /** Of the body, in bytes. */
  readonly length: number
}

/** One attempt. */
export interface SdkCall extends EncodedRequest {
  readonly name: OperationName
  readonly abortSignal: AbortSignal
  readonly state: AttemptState
}

/** Makes one attempt, whatever the client's retry strategy is, and notes what it saw. Never rejects. */
export type Send = (call: SdkCall) => Promise<void>

/** What tells where a request went, and by whom it was signed. */
export interface SignedRequest {
  readonly origin: string
  readonly accessKeyId: string | undefined
  readonly sessionToken: string | undefined
  readonly signature: string | undefined
}

/** What has been seen of one attempt. None of it is the SDK's own object. */
export interface AttemptState {
  /** The request as it was signed, from the moment that it was handed to the network. */
  request?: SignedRequest
  response?: RawResponse | undefined
  /** Whether a status has come, also where the rest of the response has not. */
  hasStatus?: boolean
  /** Why there is no answer: only to be classified, never to be kept. */
  failure?: unknown
}

const commands: Record<OperationName, new (input: never) => unknown> = {
  MeterUsage: MeterUsageCommand,
  BatchMeterUsage: BatchMeterUsageCommand,
  RegisterUsage: RegisterUsageCommand,
  ResolveCustomer: ResolveCustomerCommand
}

/** The input is the command's own. Which of the four it is matters neither to `send` nor to a middleware. */
export const commandOf = (name: OperationName, input: unknown) =>
  new commands[name](input as never) as MeterUsageCommand

// what the SDK's middlewares pass on is unknown to the compiler, and is this over HTTP

export interface SdkRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly headers: Record<string, string>
  readonly body?: unknown
}

interface SdkResponse {
  readonly statusCode: number
  readonly headers: Record<string, string>
  body: unknown
}

const textEncoder = new TextEncoder()

const textDecoder = new TextDecoder()

/** Hands a request to the network, and notes it and what came back. */
export const captureResponse = async <A extends { readonly response: unknown }>(
  config: MarketplaceMeteringClient["config"],
  state: AttemptState,
  request: SdkRequest,
  network: () => Promise<A>
): Promise<A> => {
  state.request = toSignedRequest(request)
  state.hasStatus = false
  try {
    const result = await network()
    state.hasStatus = true
    const response = result.response as SdkResponse
    // the SDK reads a body that has been collected as well as one that streams
    const { bytes, ...body } = await collectBody(config, response.body)
    response.body = bytes
    state.response = {
      status: response.statusCode,
      headers: lowerCased(response.headers),
      ...body
    }
    return result
  } catch (error) {
    state.failure = error
    throw error
  }
}

const toSignedRequest = ({ headers, hostname, port, protocol }: SdkRequest): SignedRequest => {
  const authorization = headers.authorization ?? ""
  return {
    origin: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`,
    accessKeyId: /Credential=([^/]+)/.exec(authorization)?.[1],
    sessionToken: headers["x-amz-security-token"],
    signature: /Signature=(\w+)/.exec(authorization)?.[1]
  }
}

type CollectedBody = Pick<RawResponse, "body" | "isTooLong"> & { readonly bytes: Uint8Array }

/** Reads a body as far as the limit. To leave a stream's iteration is to end the stream. */
const collectBody = async (
  { streamCollector }: MarketplaceMeteringClient["config"],
  body: unknown
): Promise<CollectedBody> => {
  if (isAsyncIterable(body)) {
    const { add, end } = bodyReader()
    for await (const chunk of body) if (!add(chunk)) break
    const read = end()
    return { ...read, bytes: textEncoder.encode(read.body) }
  }
  const bytes: Uint8Array =
    body instanceof Uint8Array ? body : body ? await streamCollector(body) : new Uint8Array()
  return bytes.length > responseSizeLimit
    ? { ...tooLongBody, bytes: new Uint8Array() }
    : { body: textDecoder.decode(bytes), bytes }
}

/** Streams of Node are, and those of the web in most places; the SDK collects any other. */
const isAsyncIterable = (body: unknown): body is AsyncIterable<Uint8Array> =>
  typeof body === "object" && body !== null && Symbol.asyncIterator in body

const lowerCased = (headers: Record<string, string>): RawResponse["headers"] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

// ---------------------------------------------------------------------------------------------------
// what has been read is not read again by the SDK, but whoever has wrapped its `send` is to see how a call ended
// ---------------------------------------------------------------------------------------------------

/** The output that an answer came to, or what is thrown for a refusal, with all of it that is no member. */
export const toSdkOutput = (
  sdkResponse: unknown,
  { response }: AttemptState
): { readonly $metadata: ResponseMetadata } => {
  const { body, headers, status } = response ?? { status: 0, headers: {}, body: "" }
  const requestId = headers["x-amzn-requestid"]
  const $metadata = { httpStatusCode: status, ...(requestId !== undefined && { requestId }) }
  if (status < 300) return { $metadata }
  throw Object.assign(new Error(`HTTP ${status}`), {
    name: /"__type"\s*:\s*"(?:[^"]*#)?(\w+)/.exec(body)?.[1] ?? "Error",
    $fault: status < 500 ? "client" : "server",
    $metadata,
    $response: sdkResponse
  })
}

// ---------------------------------------------------------------------------------------------------
// a client whose `send` is a stub, or whose own middleware answers, never reaches the network
// ---------------------------------------------------------------------------------------------------

/** Waits for the SDK, whose own word only matters where nothing was seen of the network. */
export const resolveAttempt = async (
  state: AttemptState,
  send: () => Promise<unknown>
): Promise<void> => {
  try {
    const output = await send()
    state.response ??= responseOfOutput(output)
  } catch (error) {
    // with an answer or the network's own error in hand, what the SDK makes of it does not matter
    if (state.response === undefined && !("failure" in state)) {
      state.response = responseOfException(error)
      state.failure = error
    }
  }
}

interface ResponseMetadata {
  readonly httpStatusCode?: number
  readonly requestId?: string
}

const requestIdHeaders = ({ requestId }: ResponseMetadata): RawResponse["headers"] =>
  requestId === undefined ? {} : { "x-amzn-requestid": requestId }

/** An output as the answer that it would have come from. Dates become text, which the codec reads as well. */
const responseOfOutput = (output: unknown): RawResponse => {
  const { $metadata = {}, ...members } = (output ?? {}) as { readonly $metadata?: ResponseMetadata }
  return {
    status: $metadata.httpStatusCode ?? 200,
    headers: requestIdHeaders($metadata),
    body: JSON.stringify(members)
  }
}

/** The service's exception as the answer that it would have come from; nothing for an error that is no answer. */
const responseOfException = (error: unknown): RawResponse | undefined => {
  const {
    $fault,
    $metadata = {},
    message,
    name
  } = (error ?? {}) as {
    readonly $fault?: unknown
    readonly $metadata?: ResponseMetadata
    readonly message?: unknown
    readonly name?: unknown
  }
  return $fault === "client" || $fault === "server"
    ? {
        status: $metadata.httpStatusCode ?? ($fault === "server" ? 500 : 400),
        headers: requestIdHeaders($metadata),
        body: JSON.stringify({ __type: name, message })
      }
    : undefined
}
