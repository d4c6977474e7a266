/** What a request is for. One to a proxy and a web `Request` have a whole URL where others have a path. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"

type Request = Pick<HttpServerRequest.HttpServerRequest, "originalUrl" | "headers">

const origin = /^https?:\/\/([^/?#]*)/i

/** Path and query, as they came. */
export const pathAndQueryOf = ({ originalUrl }: Request): string => {
  const target = originalUrl.replace(origin, "")
  return target.startsWith("/") ? target : `/${target}`
}

export const pathOf = (request: Request): string => pathAndQueryOf(request).split("?", 1)[0] ?? ""

/** The headers, among them the host, which a web `Request` has in its URL alone. */
export const headersOf = ({ headers, originalUrl }: Request): Request["headers"] => {
  const host = origin.exec(originalUrl)?.[1]
  return host === undefined || headers.host !== undefined ? headers : { ...headers, host }
}
