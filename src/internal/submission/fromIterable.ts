/** Converts an iterable to a stream. Emits the elements before a thrown error, which `Stream.fromIterable` drops. */
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Elements per chunk. */
const chunkSize = 4_096

export const fromIterable = <A>(iterable: Iterable<A>): Stream.Stream<A> =>
  Stream.fromPull(
    Effect.sync(() => {
      let iterator: Iterator<A> | undefined
      let end: Option.Option<Cause.Cause<never>> | undefined

      const readChunk = (): Array<A> => {
        const elements: Array<A> = []
        try {
          iterator ??= iterable[Symbol.iterator]()
          while (elements.length < chunkSize) {
            const { done, value } = iterator.next()
            if (done) {
              end = Option.none()
              break
            }
            elements.push(value)
          }
        } catch (thrown) {
          end = Option.some(Cause.die(thrown))
        }
        return elements
      }

      const pull: Effect.Effect<Chunk.Chunk<A>, Option.Option<never>> = Effect.suspend(() => {
        const elements = end === undefined ? readChunk() : []
        if (elements.length > 0 || end === undefined) {
          return Effect.succeed(Chunk.unsafeFromArray(elements))
        }
        return Option.match(end, {
          onNone: () => Effect.fail(Option.none()),
          onSome: Effect.failCause
        })
      })
      return pull
    })
  )
