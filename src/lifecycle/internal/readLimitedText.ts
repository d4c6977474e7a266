/** Reads the body of an HTTP request or response, up to a limit. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/** Decodes a body as UTF-8. Returns `None` if the body is longer than `maxBytes`, and stops reading there. */
export const readLimitedText = <E, R>(
  body: Stream.Stream<Uint8Array, E, R>,
  maxBytes: number
): Effect.Effect<Option.Option<string>, E, R> =>
  Effect.suspend(() => {
    const decoder = new TextDecoder()
    let text = ""
    let size = 0
    return body.pipe(
      Stream.runForEachWhile((chunk) =>
        Effect.sync(() => {
          size += chunk.length
          if (size > maxBytes) return false
          text += decoder.decode(chunk, { stream: true })
          return true
        })
      ),
      Effect.map(() => (size > maxBytes ? Option.none() : Option.some(text + decoder.decode())))
    )
  })
