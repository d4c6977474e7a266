/** What is printed: in colour on a terminal, as plain text everywhere else. */
import { stripVTControlCharacters } from "node:util"
import * as Arr from "effect/Array"
import type * as Console from "effect/Console"
import * as Logger from "effect/Logger"

/** The parts of a stream that decide how it is written to. */
export interface Stream {
  readonly isTTY?: boolean | undefined
}

/** Whether escape sequences are welcome there. See no-color.org. */
export const isColourful = (stream: Stream, environment: { readonly NO_COLOR?: string }) =>
  stream.isTTY === true && !environment.NO_COLOR

/** The library for command lines styles its texts wherever they go. */
export const plainWhere = (
  console: Console.Console,
  isPlain: { readonly stdout: boolean; readonly stderr: boolean }
): Console.Console => {
  const told = (plain: boolean, args: ReadonlyArray<unknown>) =>
    plain
      ? args.map((arg) => (typeof arg === "string" ? stripVTControlCharacters(arg) : arg))
      : args
  return {
    ...console,
    log: (...args) => console.log(...told(isPlain.stdout, args)),
    error: (...args) => console.error(...told(isPlain.stderr, args))
  }
}

/** A line for each message, beside what a command prints as its result. */
export const logger = Logger.withConsoleError(
  Logger.make<unknown, string>(
    ({ logLevel, message }) => `${logLevel.label}: ${Arr.ensure(message).map(String).join(" ")}`
  )
)
