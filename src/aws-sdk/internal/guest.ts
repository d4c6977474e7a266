/** Sending through an SDK client that the user has built and goes on to own. */
import type { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"
import { commandOf, observe, type SdkRequest, type Send, settle } from "./exchange.js"
import * as ways from "./ways.js"

/**
 * Keeps its ways for as long as there are no middlewares but the SDK's own. Any other may look at inputs and outputs
 * and change them, and has a context of its own for each command.
 */
export const makeSend = (client: MarketplaceMeteringClient): Send => {
  const sendAnew = makeSendAnew(client)
  let known: ReadonlyArray<Entry> = []
  let send = sendAnew
  return (exchange) => {
    const entries = entriesOf(client)
    if (!isSame(entries, known)) {
      known = entries
      send = entries.every(isSdksOwn) ? ways.makeSend(client, withoutLog) : sendAnew
    }
    return isLogging(client) ? sendAnew(exchange) : send(exchange)
  }
}

/** As the SDK sends it. */
const makeSendAnew =
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

interface Entry {
  readonly middleware: unknown
  readonly name?: string
  readonly tags?: ReadonlyArray<string>
}

/** A stack tells what is in it only to another one. */
const entriesOf = ({ middlewareStack }: MarketplaceMeteringClient): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  const add = (middleware: unknown, options: Omit<Entry, "middleware">) => {
    entries.push({ ...options, middleware })
  }
  // these two are all that is asked of a stack that another is applied to
  middlewareStack.applyToStack({ add, addRelativeTo: add } as never)
  return entries
}

const isSame = (a: ReadonlyArray<Entry>, b: ReadonlyArray<Entry>): boolean =>
  a.length === b.length && a.every(({ middleware }, i) => middleware === b[i]?.middleware)

/** The SDK's middlewares by their names, and the tags that tell them from others put in their places. */
const sdksOwn = new Map([
  ["contentLengthMiddleware", "CONTENT_LENGTH"],
  ["deserializerMiddleware", "DESERIALIZER"],
  ["getUserAgentMiddleware", "USER_AGENT"],
  ["hostHeaderMiddleware", "HOST"],
  ["httpAuthSchemeMiddleware", "HTTP_AUTH_SCHEME"],
  ["httpSigningMiddleware", "HTTP_SIGNING"],
  ["loggerMiddleware", "LOGGER"],
  ["recursionDetectionMiddleware", "RECURSION_DETECTION"],
  ["retryMiddleware", "RETRY"],
  ["serializerMiddleware", "SERIALIZER"]
])

const isSdksOwn = ({ name = "", tags = [] }: Entry): boolean => {
  const tag = sdksOwn.get(name)
  return tag !== undefined && tags.includes(tag)
}

/** The SDK's own test of whether it was given a logger. */
const isLogging = ({ config }: MarketplaceMeteringClient): boolean =>
  config.logger?.constructor?.name !== "NoOpLogger"

/** The SDK prepares an entry of the log even where nobody writes one. */
const withoutLog = (stack: ways.Stack): void =>
  stack.add((next) => next, { name: "loggerMiddleware", step: "initialize", override: true })
