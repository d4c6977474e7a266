/** Sends one command through the SDK and captures the raw response before the SDK deserializes it. */
import * as Sdk from "@aws-sdk/client-marketplace-metering"
import type { HttpRequest, HttpResponse } from "@smithy/core/protocols"
import { bodyReader, type RawResponse } from "../../internal/protocol/rawResponse.js"
import * as millis from "../../internal/schema/millis.js"
import type { OperationName } from "../../MeteringError.js"

/** Facts about one attempt. None of them is an object of the SDK but `failure`, which may hold secrets and is dropped. */
export interface AttemptState {
  /** The signed request. Present from the moment that it is handed to the network. */
  request?: {
    readonly origin: string
    readonly authorization: string
    readonly sessionToken: string | undefined
  }
  /** `true` if the request may have reached the service, whatever the error says. */
  mayBeDelivered?: boolean
  response?: RawResponse | undefined
  failure?: unknown
}

/** Makes one attempt with this JSON body and records it in `state`. Never rejects. */
export const sendCommand = async (
  client: Sdk.MarketplaceMeteringClient,
  name: OperationName,
  body: string,
  abortSignal: AbortSignal,
  state: AttemptState
): Promise<void> => {
  // the SDK takes a `Date` for each time; `Timestamp` is the only member that is one
  const input = JSON.parse(body, (member, value) =>
    member === "Timestamp" ? new Date(millis.fromSeconds(value)) : value
  )
  // which command it is matters neither to `send` nor to a middleware
  // biome-ignore lint/performance/noDynamicNamespaceImportAccess: every command is used
  const Command = Sdk[`${name}Command`] as new (input: never) => Sdk.MeterUsageCommand
  const command = new Command(input as never)
  // one attempt in place of the client's retries, with the headers that they would set
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
      // a middleware of the user may send again: the last request decides, and the first may have been delivered
      state.response = undefined
      state.mayBeDelivered = state.request !== undefined
      state.request = {
        origin: `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`,
        authorization: headers.authorization ?? "",
        sessionToken: headers["x-amz-security-token"]
      }
      try {
        const result = await next(args)
        state.mayBeDelivered = true
        const response = result.response as HttpResponse
        const body = await readBody(client, response.body)
        // the SDK deserializes these bytes as well as a stream
        response.body = new TextEncoder().encode(body.body)
        const headers = Object.entries(response.headers)
        state.response = {
          status: response.statusCode,
          headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
          ...body
        }
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
    state.response ??= toResponse(output, true)
  } catch (error) {
    // the captured response or network error wins over the SDK's reading of it
    if (state.response === undefined && !("failure" in state)) {
      state.response = toResponse(error, false)
      state.failure = error
    }
  }
}

/** Reads up to the size limit. Leaving the iteration early cancels a stream. */
const readBody = async ({ config }: Sdk.MarketplaceMeteringClient, body: unknown) => {
  const { add, end } = bodyReader()
  if (typeof body === "object" && body !== null && Symbol.asyncIterator in body) {
    for await (const chunk of body as AsyncIterable<Uint8Array>) if (!add(chunk)) break
  } else if (body) {
    add(body instanceof Uint8Array ? body : await config.streamCollector(body))
  }
  return end()
}

/** Makes a response from an output or exception that came without the network: from a stub, or a user's middleware. */
const toResponse = (result: unknown, isOutput: boolean): RawResponse | undefined => {
  const outcome = (result ?? {}) as Partial<Sdk.ThrottlingException>
  const { $fault, $metadata, ...members } = outcome
  const status = isOutput ? 200 : $fault === "client" ? 400 : $fault && 500
  return status === undefined
    ? undefined
    : {
        status: $metadata?.httpStatusCode ?? status,
        headers: { "x-amzn-requestid": $metadata?.requestId },
        // the rest would lack an exception's `message`, which is not enumerable
        body: JSON.stringify(
          isOutput ? members : { __type: outcome.name, message: outcome.message }
        )
      }
}
