/** What is in a stack of the SDK's, and whether all of it is known. */
import { MarketplaceMeteringClient } from "@aws-sdk/client-marketplace-metering"

export interface Entry {
  readonly middleware: unknown
  readonly name?: string
}

interface HasStack {
  readonly middlewareStack?: { readonly applyToStack: (to: never) => void }
}

/** A stack tells what is in it only to another one. A stand-in for a client may have none. */
export const entriesOf = ({ middlewareStack }: HasStack): ReadonlyArray<Entry> => {
  const entries: Array<Entry> = []
  const add = (middleware: unknown, options: Omit<Entry, "middleware">) => {
    entries.push({ ...options, middleware })
  }
  // these two are all that is asked of a stack that another is applied to
  middlewareStack?.applyToStack({ add, addRelativeTo: add } as never)
  return entries
}

/**
 * Whether these are middlewares of the SDK's own making and no others, with all those whose places are taken. What the
 * SDK itself does is known by that, and need not be done anew for each command.
 */
export const areSdksOwn = (entries: ReadonlyArray<Entry>): boolean => {
  const codes = (codesOfSdk ??= new Set(
    entriesOf(new MarketplaceMeteringClient({ region: "us-east-1" })).map(codeOf)
  ))
  return (
    entries.every((entry) => known.has(entry.name) && codes.has(codeOf(entry))) &&
    replaced.every((name) => entries.some((entry) => entry.name === name))
  )
}

/** Someone else's can stand in the place of one of the SDK's, by its very name and tags; its code is another. */
const codeOf = ({ middleware }: Entry): string => String(middleware)

let codesOfSdk: ReadonlySet<string> | undefined

/** An SDK of another make may have more than these. */
const known: ReadonlySet<string | undefined> = new Set([
  "contentLengthMiddleware",
  "deserializerMiddleware",
  "getUserAgentMiddleware",
  "hostHeaderMiddleware",
  "httpAuthSchemeMiddleware",
  "httpSigningMiddleware",
  "loggerMiddleware",
  "recursionDetectionMiddleware",
  "retryMiddleware",
  "serializerMiddleware"
])

const replaced = ["deserializerMiddleware", "retryMiddleware", "serializerMiddleware"]
