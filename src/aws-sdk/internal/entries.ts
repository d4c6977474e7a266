/** What is in the stack of a client, and whether all of it is known. */
export interface Entry {
  readonly middleware: unknown
  readonly name?: string
  readonly tags?: ReadonlyArray<string>
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
export const areSdksOwn = (entries: ReadonlyArray<Entry>): boolean =>
  entries.every(({ name = "", tags = [] }) => tags.includes(tagOf[name] ?? "")) &&
  replaced.every((name) => entries.some((entry) => entry.name === name))

/** The SDK's middlewares by their names, and the tags that tell them from others put in their places. */
const tagOf: { readonly [name: string]: string } = {
  contentLengthMiddleware: "CONTENT_LENGTH",
  deserializerMiddleware: "DESERIALIZER",
  getUserAgentMiddleware: "USER_AGENT",
  hostHeaderMiddleware: "HOST",
  httpAuthSchemeMiddleware: "HTTP_AUTH_SCHEME",
  httpSigningMiddleware: "HTTP_SIGNING",
  loggerMiddleware: "LOGGER",
  recursionDetectionMiddleware: "RECURSION_DETECTION",
  retryMiddleware: "RETRY",
  serializerMiddleware: "SERIALIZER"
}

const replaced = ["deserializerMiddleware", "retryMiddleware", "serializerMiddleware"]
