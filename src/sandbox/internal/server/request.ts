/** Path, headers and body of a request. The URL of a proxy's or a web `Request` has scheme and host. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

type Request = Pick<HttpServerRequest.HttpServerRequest, "originalUrl" | "headers">

const origin = /^https?:\/\/([^/?#]*)/i

export const pathAndQueryOf = ({ originalUrl }: Request): string => {
  const target = originalUrl.replace(origin, "")
  return target.startsWith("/") ? target : `/${target}`
}

export const pathOf = (request: Request): string => pathAndQueryOf(request).split("?", 1)[0] ?? ""

/** The headers with the host, which a web `Request` has only in its URL. */
export const headersOf = ({ headers, originalUrl }: Request): Request["headers"] => {
  const host = origin.exec(originalUrl)?.[1]
  return host === undefined || headers.host !== undefined ? headers : { ...headers, host }
}

/** Bytes of a too long body that are read, so that the client receives the response. */
const maxDrainedBytes = 16 * 1024 * 1024

/** Reads a body. Gives none if it is longer than `maxBytes`. Fails if the client disconnects. */
export const readBody = (request: HttpServerRequest.HttpServerRequest, maxBytes: number) =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return request.stream.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          size += chunk.length
          if (size <= maxBytes) chunks.push(chunk)
          else chunks.length = 0
          return size <= maxDrainedBytes
        })
      ),
      Effect.map(() => (size <= maxBytes ? Option.some(concat(chunks, size)) : Option.none()))
    )
  })

const concat = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const all = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    all.set(chunk, offset)
    offset += chunk.length
  }
  return all
}
