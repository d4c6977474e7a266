/** Sending through an SDK client that nobody else has. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as anew from "./anew.js"
import { areSdksOwn, type Entry, entriesOf } from "./entries.js"
import type { Send } from "./sdkCall.js"
import * as ways from "./ways.js"

/** An SDK of another make may have a middleware that sets something else for each call; then nothing is kept. */
export const makeSend = (client: MarketplaceMeteringClient): Send => {
  const sendAnew = anew.makeSend(client)
  const entries = entriesOf(client)
  if (!areSdksOwn(entries)) return sendAnew
  keepSigner(client)
  const followed = firstOfEachCall(entries)
  return ways.makeSend(client, (stack) => keepHead(stack, followed), sendAnew)
}

/** The first middleware that sets what differs from call to call. Not every platform's SDK has the one for traces. */
const firstOfEachCall = (entries: ReadonlyArray<Entry>): string => {
  const forTraces = "recursionDetectionMiddleware"
  return entries.some(({ name }) => name === forTraces) ? forTraces : "retryMiddleware"
}

/** The SDK makes a signer for each request, and copies its whole configuration for it. */
const keepSigner = ({ config }: MarketplaceMeteringClient): void => {
  const { signer } = config
  let kept: ReturnType<typeof signer> | undefined
  config.signer = (scheme) => (kept ??= signer(scheme))
}

type Next = (passed: ways.Passed) => Promise<never>

/**
 * Keeps what the SDK has made of an operation's first request before the middleware that follows: where it goes, and
 * the headers. These are the same for all.
 */
const keepHead = (stack: ways.Stack, followed: string): void => {
  let kept: Next | undefined

  const skip = (next: Next) => (passed: ways.Passed) => (kept ?? next)(passed)

  const keep = (next: Next) => (first: ways.Passed) => {
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
    toMiddleware: followed
  })
}
