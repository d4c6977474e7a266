/** Sending through an SDK client that nobody else has. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import type { Send } from "./exchange.js"
import { makeSend as makeKeptSend, type Passed, type Stack } from "./ways.js"

export const makeSend = (client: MarketplaceMeteringClient): Send => {
  keepSigner(client)
  return makeKeptSend(client, keepHead)
}

/** The SDK makes a signer for each request, and copies its whole configuration for it. */
const keepSigner = ({ config }: MarketplaceMeteringClient): void => {
  const { signer } = config
  let kept: ReturnType<typeof signer> | undefined
  config.signer = (scheme) => (kept ??= signer(scheme))
}

type Next = (passed: Passed) => Promise<never>

/**
 * Keeps what the SDK has made of an operation's first request: where it goes, and the headers. These are the same for
 * all, but for those that the SDK takes from around a call, and those are set after this.
 */
const keepHead = (stack: Stack): void => {
  let kept: Next | undefined

  const skip = (next: Next) => (passed: Passed) => (kept ?? next)(passed)

  const keep = (next: Next) => (first: Passed) => {
    const { headers, ...head } = first.request
    kept = ({ exchange, input }) =>
      next({
        exchange,
        input,
        request: {
          ...head,
          headers: { ...headers, "content-length": String(exchange.length) },
          body: exchange.body
        }
      })
    return kept(first)
  }

  // both pass on whatever there is, of which the SDK's types only know the input
  stack.add(skip as never, { name: "keptHead", step: "initialize", priority: "high" })
  stack.addRelativeTo(keep as never, {
    name: "keepHead",
    relation: "before",
    toMiddleware: "recursionDetectionMiddleware"
  })
}
