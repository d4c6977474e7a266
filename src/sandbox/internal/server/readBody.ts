/** A request's body, up to a limit. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Of a body that is too long, so much is read and forgotten, so that the sender gets to hear of it. */
const maxDrainedBytes = 16 * 1024 * 1024

/** Nothing, when it is longer than `limit` bytes; fails when its sender has gone. */
export const read = (request: HttpServerRequest.HttpServerRequest, limit: number) =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return request.stream.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          size += chunk.length
          if (size <= limit) chunks.push(chunk)
          else chunks.length = 0
          return size <= maxDrainedBytes
        })
      ),
      Effect.map(() => (size <= limit ? Option.some(concat(chunks, size)) : Option.none()))
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
