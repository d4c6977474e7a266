/** What a page of another site can have its visitor's browser send here, and no program has reason to. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"

export interface Rejection {
  readonly status: number
  readonly reason: string
}

type Request = Pick<HttpServerRequest.HttpServerRequest, "method" | "headers">

/**
 * Why a request may be the doing of another site, if it may. A name that its owner has made to point here is
 * no name of a server that `isLocal`; and a form is not JSON, whatever it holds.
 */
export const rejectionOf = (
  { headers, method }: Request,
  isLocal: boolean
): Rejection | undefined => {
  const { host = "", origin, "content-type": type } = headers
  if (isLocal && !loopback.test(host)) {
    return { status: 403, reason: "The Host is not localhost, which this sandbox listens on." }
  }
  if (method === "GET" || method === "HEAD") return undefined
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    return { status: 403, reason: "The Origin is another site." }
  }
  return method === "POST" && type !== undefined && !/^application\/json\b/i.test(type)
    ? { status: 415, reason: "The content type of a POST is application/json." }
    : undefined
}

/** Every way to name this machine and no other. */
const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i
