/** Sending as the SDK does, with everything done for each command. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import {
  captureResponse,
  commandOf,
  resolveAttempt,
  type SdkRequest,
  type Send
} from "./sdkCall.js"
import * as ways from "./ways.js"

export const makeSend =
  (client: MarketplaceMeteringClient): Send =>
  ({ abortSignal, input, name, state: seen }) => {
    const command = commandOf(name, input)
    const { middlewareStack: stack } = command
    ways.once(stack)
    stack.add(
      (next) => (args) =>
        captureResponse(client.config, seen, args.request as SdkRequest, () => next(args)),
      // the innermost: what comes after it is the network
      { name: "effectMarketplaceMetering", step: "deserialize", priority: "low" }
    )
    return resolveAttempt(seen, () => client.send(command, { abortSignal }))
  }
