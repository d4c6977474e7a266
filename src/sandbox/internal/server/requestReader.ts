/**
 * Reads the path, the headers and the body of a request.
 *
 * `originalUrl` is a path on Node.js. It is an absolute URL if the request came through a proxy or is a Fetch API `Request`.
 */
import { Readable } from "node:stream"
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as Stream from "effect/Stream"

type Request = Pick<HttpServerRequest.HttpServerRequest, "originalUrl" | "headers">

const origin = /^https?:\/\/([^/?#]*)/i

/** Returns the path and the query, without the scheme and host of an absolute URL. */
export const pathAndQueryOf = ({ originalUrl }: Request): string => {
  const target = originalUrl.replace(origin, "")
  return target.startsWith("/") ? target : `/${target}`
}

export const pathOf = (request: Request): string => pathAndQueryOf(request).split("?", 1)[0] ?? ""

/** Returns the headers. Adds `host` from the URL if it is missing, as it is in a Fetch API `Request`. */
export const headersOf = ({ headers, originalUrl }: Request): Request["headers"] => {
  const host = origin.exec(originalUrl)?.[1]
  return host === undefined || headers.host !== undefined ? headers : { ...headers, host }
}

/** Maximum number of bytes to read of a body that is too long. Many clients read no response before. */
const maxDrainedBytes = 16 * 1024 * 1024

/** Reads the body. Returns `None` if it is longer than `maxBytes`. Fails if the client disconnects. */
export const readBody = (request: HttpServerRequest.HttpServerRequest, maxBytes: number) => {
  const { headers, source } = request
  // the declared length is reliable, because Node.js reads at most `content-length` bytes of a body
  const isShort = Number(headers["content-length"] ?? Number.NaN) <= maxBytes
  return isShort && source instanceof Readable && source.readableFlowing === null
    ? Effect.asSome(readShortBody(request, source))
    : readStream(request, maxBytes)
}

/** Returns a request whose body has at most `maxBytes`, or `None` if the body is longer. Reads the body only if necessary. */
export const limitBody = (
  request: HttpServerRequest.HttpServerRequest,
  maxBytes: number
): Effect.Effect<
  Option.Option<HttpServerRequest.HttpServerRequest>,
  HttpServerError.RequestError
> => {
  const { headers, source } = request
  // a Fetch API `Request` without a body has no stream to read
  const isEmpty = hasProperty(source, "body") && source.body === null
  return isEmpty || Number(headers["content-length"] ?? Number.NaN) <= maxBytes
    ? Effect.succeedSome(request)
    : Effect.map(
        readBody(request, maxBytes),
        Option.map((body) => withText(request, new TextDecoder().decode(body)))
      )
}

/** Replaces the text of a request whose body was already read. The platform parses JSON from this text. */
const withText = (
  request: HttpServerRequest.HttpServerRequest,
  text: string
): HttpServerRequest.HttpServerRequest =>
  Object.create(request, { text: { value: Effect.succeed(text) } })

/** Reads a body by Node.js events, because an Effect `Stream` takes longer than the rest of a call. */
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
    // stays after the end, because Node.js throws an error that has no listener
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
