/** Sending as the SDK does, with everything done for each command. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import { commandOf, observe, type SdkRequest, type Send, settle } from "./exchange.js"
import * as ways from "./ways.js"

export const makeSend =
  (client: MarketplaceMeteringClient): Send =>
  ({ abortSignal, input, name, seen }) => {
    const command = commandOf(name, input)
    const { middlewareStack: stack } = command
    ways.once(stack)
    stack.add(
      (next) => (args) =>
        observe(client.config, seen, args.request as SdkRequest, () => next(args)),
      // the innermost: what comes after it is the network
      { name: "effectMarketplaceMetering", step: "deserialize", priority: "low" }
    )
    return settle(seen, () => client.send(command, { abortSignal }))
  }
