/** What befalls a connection: it is cut, an answer is long under way, or comes drop by drop. */
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import * as Stream from "effect/Stream"

/** Ends a connection without an answer. Only the requests of Node's server have one to end. */
export const cut = ({ source }: HttpServerRequest.HttpServerRequest): Effect.Effect<void> =>
  Effect.sync(() => {
    const socket = hasProperty(source, "socket") ? source.socket : undefined
    if (hasProperty(socket, "destroy") && typeof socket.destroy === "function") socket.destroy()
  })

/** So many drops at most. */
const maxChunks = 100

/** A body that takes so long. */
export const slowBody = (body: Uint8Array, duration: Duration.DurationInput) => {
  const size = Math.ceil(body.length / maxChunks)
  const count = Math.ceil(body.length / size)
  const pause = Effect.sleep(Duration.times(duration, 1 / count))
  return Stream.range(0, count - 1, 1).pipe(
    Stream.tap(() => pause),
    Stream.map((index) => body.subarray(index * size, (index + 1) * size))
  )
}
