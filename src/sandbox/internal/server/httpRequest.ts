/** Path, headers and body of a request. The URL of a proxy's or a web `Request` has scheme and host. */
import { Readable } from "node:stream"
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
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
export const readBody = (request: HttpServerRequest.HttpServerRequest, maxBytes: number) => {
  const { headers, source } = request
  // Node.js reads no more than this of a request that declares its length
  const isShort = Number(headers["content-length"] ?? Number.NaN) <= maxBytes
  return isShort && source instanceof Readable && source.readableFlowing === null
    ? Effect.asSome(readShortBody(request, source))
    : readStream(request, maxBytes)
}

/** A request whose body has at most `maxBytes`. Gives none if it is longer. */
export const limitBody = (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number
): Effect.Effect<
  Option.Option<HttpServerRequest.HttpServerRequest>,
  HttpServerError.RequestError
> => {
  const { headers, source } = request
  // a request of the web without a body has no stream
  const isEmpty = hasProperty(source, "body") && source.body === null
  return isEmpty || Number(headers["content-length"] ?? Number.NaN) <= maxBytes
    ? Effect.succeedSome(request)
    : Effect.map(
        readBody(request, maxBytes),
        Option.map((body) => withText(request, new TextDecoder().decode(body)))
      )
}

/** A request whose body was read. The platform parses JSON from its text. */
const withText = (
  request: HttpServerRequest.HttpServerRequest,
  text: string
): HttpServerRequest.HttpServerRequest =>
  Object.create(request, { text: { value: Effect.succeed(text) } })

/** Reads a body without the machinery of streams, which takes longer than handling a call. */
const readShortBody = (request: HttpServerRequest.HttpServerRequest, source: Readable) =>
  Effect.async<Uint8Array, HttpServerError.RequestError>((resume) => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    const onData = (chunk: Uint8Array) => {
      chunks.push(chunk)
      size += chunk.length
    }
    const onEnd = () => {
      stop()
      resume(Effect.succeed(concat(chunks, size)))
    }
    const onFailure = () => {
      stop()
      resume(new HttpServerError.RequestError({ request, reason: "Decode" }))
    }
    const stop = () => {
      source.off("data", onData).off("end", onEnd).off("close", onFailure)
    }
    // an error is thrown if it has no listener, also after the end
    source.on("error", onFailure)
    source.on("data", onData).on("end", onEnd).on("close", onFailure)
    return Effect.sync(stop)
  })

const readStream = (request: HttpServerRequest.HttpServerRequest, maxBytes: number) =>
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
