/** One command through the SDK, once, with its answer read before the SDK makes something of it. */
import {
  BatchMeterUsageCommand,
  type MarketplaceMeteringClient,
  MeterUsageCommand,
  RegisterUsageCommand,
  ResolveCustomerCommand
} from "@aws-sdk/client-marketplace-metering"
import type { HttpAnswer } from "../../internal/httpAnswer.js"
import type { OperationName } from "../../MeteringError.js"

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
  /** Why there is no answer: only to be classified, never to be kept. */
  failure?: unknown
}

const commands: Record<OperationName, new (input: never) => unknown> = {
  MeterUsage: MeterUsageCommand,
  BatchMeterUsage: BatchMeterUsageCommand,
  RegisterUsage: RegisterUsageCommand,
  ResolveCustomer: ResolveCustomerCommand
}

/** Makes one attempt, whatever the client's retry strategy is, and notes what it saw. Never rejects. */
export const send = async (
  client: MarketplaceMeteringClient,
  name: OperationName,
  input: unknown,
  abortSignal: AbortSignal,
  seen: Seen
): Promise<void> => {
  // the input is the command's own: a checked request's JSON with dates for times. Which of the four it is
  // matters neither to `send` nor to a middleware
  const command = new commands[name](input as never) as MeterUsageCommand
  command.middlewareStack.add(
    // takes the place of the SDK's own, with the headers that it would set
    (next) => (args) => {
      const { headers } = args.request as SdkRequest
      headers["amz-sdk-invocation-id"] = globalThis.crypto.randomUUID()
      headers["amz-sdk-request"] = "attempt=1; max=1"
      return next(args)
    },
    { name: "retryMiddleware", step: "finalizeRequest", priority: "high", override: true }
  )
  command.middlewareStack.add(
    (next) => async (args) => {
      seen.request = signedPart(args.request as SdkRequest)
      try {
        const result = await next(args)
        const response = result.response as SdkResponse
        // the SDK reads a body that has been collected as well as one that streams
        const body = await collect(client, response.body)
        response.body = body
        seen.answer = {
          status: response.statusCode,
          headers: lowerCased(response.headers),
          body: new TextDecoder().decode(body)
        }
        return result
      } catch (error) {
        seen.failure = error
        throw error
      }
    },
    // the innermost: what comes after it is the network
    { name: "effectMarketplaceMetering", step: "deserialize", priority: "low" }
  )
  try {
    const output: unknown = await client.send(command, { abortSignal })
    seen.answer ??= answerOfOutput(output)
  } catch (error) {
    // with an answer or the network's own error in hand, what the SDK makes of it does not matter
    if (seen.answer === undefined && !("failure" in seen)) {
      seen.answer = answerOfException(error)
      seen.failure = error
    }
  }
}

// what the SDK's middlewares pass on is unknown to the compiler, and is this over HTTP

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

const signedPart = ({ headers, hostname, port, protocol }: SdkRequest): Signed => {
  const authorization = headers.authorization ?? ""
  return {
    origin: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`,
    accessKeyId: /Credential=([^/]+)/.exec(authorization)?.[1],
    sessionToken: headers["x-amz-security-token"],
    signature: /Signature=(\w+)/.exec(authorization)?.[1]
  }
}

const collect = async (client: MarketplaceMeteringClient, body: unknown): Promise<Uint8Array> =>
  body instanceof Uint8Array ? body : body ? client.config.streamCollector(body) : new Uint8Array()

const lowerCased = (headers: Record<string, string>): HttpAnswer["headers"] =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

// ---------------------------------------------------------------------------------------------------
// a client whose `send` is a stub, or whose own middleware answers, never reaches the network
// ---------------------------------------------------------------------------------------------------

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
