/** Prints to terminals, pipes and files. */
import type { Writable } from "node:stream"
import { stripVTControlCharacters } from "node:util"
import * as Arr from "effect/Array"
import type * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { printableLines } from "./format.js"

/** @see https://no-color.org */
export const supportsColor = (
  stream: { readonly isTTY?: boolean | undefined },
  environment: { readonly NO_COLOR?: string }
) => stream.isTTY === true && !environment.NO_COLOR

/** Escape sequences of styles, which @effect/cli prints to any stream. */
const styles = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;]*m)`)

/** Escapes control characters, which could move the cursor or forge a line. Removes styles from plain text. */
const sanitize = (text: string, isPlain: boolean): string =>
  isPlain
    ? printableLines(stripVTControlCharacters(text))
    : text
        .split(styles)
        .map((part, i) => (i % 2 === 1 ? part : printableLines(part)))
        .join("")

/** Wraps a console to print no control characters, and no styles to the streams that are plain. */
export const sanitizeConsole = (
  console: Console.Console,
  isPlain: { readonly stdout: boolean; readonly stderr: boolean }
): Console.Console => {
  const sanitizeArgs = (plain: boolean, args: ReadonlyArray<unknown>) =>
    args.map((arg) => (typeof arg === "string" ? sanitize(arg, plain) : arg))
  return {
    ...console,
    log: (...args) => console.log(...sanitizeArgs(isPlain.stdout, args)),
    error: (...args) => console.error(...sanitizeArgs(isPlain.stderr, args)),
    // loggers use the unsafe console
    unsafe: {
      ...console.unsafe,
      log: (...args) => console.unsafe.log(...sanitizeArgs(isPlain.stdout, args)),
      error: (...args) => console.unsafe.error(...sanitizeArgs(isPlain.stderr, args))
    }
  }
}

/** Logs one line per message, to standard error. */
export const logger = Logger.withConsoleError(
  Logger.make<unknown, string>(
    ({ logLevel, message }) => `${logLevel.label}: ${Arr.ensure(message).map(String).join(" ")}`
  )
)

const untilWritable = (stream: Writable): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const events = ["drain", "error", "close"]
    const cleanUp = () => {
      for (const event of events) stream.off(event, done)
    }
    const done = () => {
      cleanUp()
      resume(Effect.void)
    }
    for (const event of events) stream.on(event, done)
    return Effect.sync(cleanUp)
  })

/**
 * Writes a text, and waits until the stream can take more, or until `abort` completes. Does not fail on a closed stream, which
 * emits its own error event.
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
