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
  type HttpAnswer,
  responseSizeLimit,
  tooLong
} from "../../internal/httpAnswer.js"
import type { OperationName } from "../../MeteringError.js"

/** A request that has been checked, in the two forms that the SDK can take. */
export interface Encoded {
  /** A command's own input: the JSON with dates for times. */
  readonly input: unknown
  readonly body: string
  /** Of the body, in bytes. */
  readonly length: number
}

/** One attempt. */
export interface Exchange extends Encoded {
  readonly name: OperationName
  readonly abortSignal: AbortSignal
  readonly seen: Seen
}

/** Makes one attempt, whatever the client's retry strategy is, and notes what it saw. Never rejects. */
export type Send = (exchange: Exchange) => Promise<void>

/** What tells where a request went, and by whom it was signed. */
export interface Signed {
  readonly origin: string
  readonly accessKeyId: string | undefined
  readonly sessionToken: string | undefined
  readonly signature: string | undefined
}

/** What has been seen of one attempt. None of it is the SDK's own object. */
export interface Seen {
  /** The request as it was signed, from the moment that it was handed to the network. */
  request?: Signed
  answer?: HttpAnswer | undefined
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
export const observe = async <A extends { readonly response: unknown }>(
  config: MarketplaceMeteringClient["config"],
  seen: Seen,
  request: SdkRequest,
  network: () => Promise<A>
): Promise<A> => {
  seen.request = signedPart(request)
  seen.hasStatus = false
  try {
    const result = await network()
    seen.hasStatus = true
    const response = result.response as SdkResponse
    // the SDK reads a body that has been collected as well as one that streams
    const { bytes, ...body } = await collect(config, response.body)
    response.body = bytes
    seen.answer = {
      status: response.statusCode,
      headers: lowerCased(response.headers),
      ...body
    }
    return result
  } catch (error) {
    seen.failure = error
    throw error
  }
}

const signedPart = ({ headers, hostname, port, protocol }: SdkRequest): Signed => {
  const authorization = headers.authorization ?? ""
  return {
    origin: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`,
    accessKeyId: /Credential=([^/]+)/.exec(authorization)?.[1],
    sessionToken: headers["x-amz-security-token"],
    signature: /Signature=(\w+)/.exec(authorization)?.[1]
  }
}

type Collected = Pick<HttpAnswer, "body" | "isTooLong"> & { readonly bytes: Uint8Array }

/** Reads a body as far as the limit. To leave a stream's iteration is to end the stream. */
const collect = async (
  { streamCollector }: MarketplaceMeteringClient["config"],
  body: unknown
): Promise<Collected> => {
  if (isIterable(body)) {
    const { add, end } = bodyReader()
    for await (const chunk of body) if (!add(chunk)) break
    const read = end()
    return { ...read, bytes: textEncoder.encode(read.body) }
  }
  const bytes: Uint8Array =
    body instanceof Uint8Array ? body : body ? await streamCollector(body) : new Uint8Array()
  return bytes.length > responseSizeLimit
    ? { ...tooLong, bytes: new Uint8Array() }
    : { body: textDecoder.decode(bytes), bytes }
}

/** Streams of Node are, and those of the web in most places; the SDK collects any other. */
const isIterable = (body: unknown): body is AsyncIterable<Uint8Array> =>
  typeof body === "object" && body !== null && Symbol.asyncIterator in body

const lowerCased = (headers: Record<string, string>): HttpAnswer["headers"] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

// ---------------------------------------------------------------------------------------------------
// what has been read is not read again by the SDK, but whoever has wrapped its `send` is to see how a call ended
// ---------------------------------------------------------------------------------------------------

/** The output that an answer came to, or what is thrown for a refusal, with all of it that is no member. */
export const briefOf = (response: unknown, { answer }: Seen): { readonly $metadata: Metadata } => {
  const { body, headers, status } = answer ?? { status: 0, headers: {}, body: "" }
  const requestId = headers["x-amzn-requestid"]
  const $metadata = { httpStatusCode: status, ...(requestId !== undefined && { requestId }) }
  if (status < 300) return { $metadata }
  throw Object.assign(new Error(`HTTP ${status}`), {
    name: /"__type"\s*:\s*"(?:[^"]*#)?(\w+)/.exec(body)?.[1] ?? "Error",
    $fault: status < 500 ? "client" : "server",
    $metadata,
    $response: response
  })
}

// ---------------------------------------------------------------------------------------------------
// a client whose `send` is a stub, or whose own middleware answers, never reaches the network
// ---------------------------------------------------------------------------------------------------

/** Waits for the SDK, whose own word only matters where nothing was seen of the network. */
export const settle = async (seen: Seen, send: () => Promise<unknown>): Promise<void> => {
  try {
    const output = await send()
    seen.answer ??= answerOfOutput(output)
  } catch (error) {
    // with an answer or the network's own error in hand, what the SDK makes of it does not matter
    if (seen.answer === undefined && !("failure" in seen)) {
      seen.answer = answerOfException(error)
      seen.failure = error
    }
  }
}

interface Metadata {
  readonly httpStatusCode?: number
  readonly requestId?: string
}

const aboutRequest = ({ requestId }: Metadata): HttpAnswer["headers"] =>
  requestId === undefined ? {} : { "x-amzn-requestid": requestId }

/** An output as the answer that it would have come from. Dates become text, which the codec reads as well. */
const answerOfOutput = (output: unknown): HttpAnswer => {
  const { $metadata = {}, ...members } = (output ?? {}) as { readonly $metadata?: Metadata }
  return {
    status: $metadata.httpStatusCode ?? 200,
    headers: aboutRequest($metadata),
    body: JSON.stringify(members)
  }
}

/** The service's exception as the answer that it would have come from; nothing for an error that is no answer. */
const answerOfException = (error: unknown): HttpAnswer | undefined => {
  const {
    $fault,
    $metadata = {},
    message,
    name
  } = (error ?? {}) as {
    readonly $fault?: unknown
    readonly $metadata?: Metadata
    readonly message?: unknown
    readonly name?: unknown
  }
  return $fault === "client" || $fault === "server"
    ? {
        status: $metadata.httpStatusCode ?? ($fault === "server" ? 500 : 400),
        headers: aboutRequest($metadata),
        body: JSON.stringify({ __type: name, message })
      }
    : undefined
}
