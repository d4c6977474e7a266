/** Output that is no faster than its reader. */
import type { Writable } from "node:stream"
import * as Effect from "effect/Effect"

const untilWritable = (stream: Writable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const events = ["drain", "error", "close"]
    const done = () => {
      for (const event of events) stream.off(event, done)
      resume(Effect.void)
    }
    for (const event of events) stream.on(event, done)
    return Effect.sync(() => {
      for (const event of events) stream.off(event, done)
    })
  })

/**
 * Writes a text, and waits until the stream takes more, or until `giveUp`. A reader that has gone is no failure here:
 * the stream itself tells of it.
 */
export const write = (
  stream: Writable,
  text: string,
  abort: Effect.Effect<unknown>
): Effect.Effect<void> =>
  Effect.suspend(() =>
    !stream.writable || stream.write(text)
      ? Effect.void
      : Effect.raceFirst(untilWritable(stream), Effect.asVoid(abort))
  )
