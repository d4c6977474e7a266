/** What this package puts in the way of a command through the SDK, and ways that are kept from one to the next. */
import type {
  MarketplaceMeteringClient,
  MeterUsageCommand
} from "@aws-sdk/client-marketplace-metering"
import type { OperationName } from "../../MeteringError.js"
import { entriesOf } from "./entries.js"
import {
  captureResponse,
  commandOf,
  resolveAttempt,
  type SdkCall,
  type SdkRequest,
  type Send,
  toSdkOutput
} from "./sdkCall.js"

export type Stack = MeterUsageCommand["middlewareStack"]

/** A command's way through all middlewares, to the network and back. */
type Way = ReturnType<MeterUsageCommand["resolveMiddleware"]>

/** What middlewares pass on along a kept way: all that a command has, and the request once it is made. */
export interface Passed {
  readonly input: object
  readonly exchange: SdkCall
  readonly request: SdkRequest
}

/** Takes the place of the SDK's retries, with the headers that they would set. */
export const once = (stack: Stack): void =>
  stack.add(
    (next) => (args) => {
      const { headers } = args.request as SdkRequest
      headers["amz-sdk-invocation-id"] = globalThis.crypto.randomUUID()
      headers["amz-sdk-request"] = "attempt=1; max=1"
      return next(args)
    },
    { name: "retryMiddleware", step: "finalizeRequest", priority: "high", override: true }
  )

/** Whether the SDK puts nothing into the stack of such a command, when it finds its way, but what sets the endpoint. */
const isPlain = (name: OperationName, { config, middlewareStack }: MarketplaceMeteringClient) => {
  const command = commandOf(name, {})
  command.resolveMiddleware(middlewareStack, config, {})
  return entriesOf(command).every((entry) => entry.name === "endpointV2Middleware")
}

/**
 * Sends commands by a way that is found once for each operation; the SDK finds it anew for each command. No middleware
 * may be in it that looks at an output: an answer is only read by this package, and not by the SDK as well. Where the SDK
 * puts something unknown into the way, `otherwise` sends.
 */
export const makeSend = (
  client: MarketplaceMeteringClient,
  prepare: (stack: Stack) => void,
  otherwise: Send
): Send => {
  const { config } = client
  const ways = new Map<OperationName, Way | undefined>()

  const find = (name: OperationName): Way => {
    // the SDK keeps this command with its way, so it is nobody's
    const command = commandOf(name, {})
    const { middlewareStack: stack } = command
    prepare(stack)
    once(stack)
    stack.add(
      () => async (args) => {
        // a command that has been sent by this way has an exchange, which the compiler cannot know
        const { exchange, request } = args as unknown as Passed
        const { response } = await captureResponse(config, exchange.state, request, () =>
          config.requestHandler.handle(request, { abortSignal: exchange.abortSignal })
        )
        return { response, output: toSdkOutput(response, exchange.state) }
      },
      { name: "deserializerMiddleware", step: "deserialize", override: true }
    )
    return command.resolveMiddleware(client.middlewareStack, config, {})
  }

  return (exchange) => {
    const { abortSignal, input, name, state: seen } = exchange
    if (!ways.has(name)) ways.set(name, isPlain(name, client) ? find(name) : undefined)
    const way = ways.get(name)
    if (way === undefined) return otherwise(exchange)
    const command = Object.assign(commandOf(name, input), {
      exchange,
      resolveMiddleware: () => way
    })
    // with options, since without any the SDK may keep the way for the user's own commands
    return resolveAttempt(seen, () => client.send(command, { abortSignal }))
  }
}
