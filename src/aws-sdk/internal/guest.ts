/** Sending through an SDK client that the user has built and goes on to own. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import * as anew from "./anew.js"
import { areSdksOwn, type Entry, entriesOf } from "./entries.js"
import type { Send } from "./sdkCall.js"
import * as ways from "./ways.js"

/**
 * Keeps its ways for as long as there are no middlewares but the SDK's own. Any other may look at inputs and outputs
 * and change them, and has a context of its own for each command.
 */
export const makeSend = (client: MarketplaceMeteringClient): Send => {
  const sendAnew = anew.makeSend(client)
  let known: ReadonlyArray<Entry> = []
  let send = sendAnew
  return (exchange) => {
    const entries = entriesOf(client)
    if (!isSame(entries, known)) {
      known = entries
      send = areSdksOwn(entries) ? ways.makeSend(client, withoutLog, sendAnew) : sendAnew
    }
    return isLogging(client) ? sendAnew(exchange) : send(exchange)
  }
}

const isSame = (a: ReadonlyArray<Entry>, b: ReadonlyArray<Entry>): boolean =>
  a.length === b.length && a.every(({ middleware }, i) => middleware === b[i]?.middleware)

/** The SDK's own test of whether it was given a logger. */
const isLogging = ({ config }: MarketplaceMeteringClient): boolean =>
  config.logger?.constructor?.name !== "NoOpLogger"

/** The SDK prepares an entry of the log even where nobody writes one. */
const withoutLog = (stack: ways.Stack): void =>
  stack.add((next) => next, { name: "loggerMiddleware", step: "initialize", override: true })
