/** What is printed: in colour on a terminal, as plain text everywhere else. */
import { stripVTControlCharacters } from "node:util"
import * as Arr from "effect/Array"
import type * as Console from "effect/Console"
import * as Logger from "effect/Logger"
import { printableLines } from "./printable.js"

/** The parts of a stream that decide how it is written to. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined
}

/** Whether escape sequences are welcome there. See no-color.org. */
export const supportsColor = (
  stream: TerminalStream,
  environment: { readonly NO_COLOR?: string }
) => stream.isTTY === true && !environment.NO_COLOR

/** Styles, which the library for command lines gives its texts wherever they go. */
const styles = new RegExp(`(${String.fromCharCode(27)}\\[[\\d;]*m)`)

/** Nothing printed moves the cursor or forges a line by control characters. Styles are left where they are welcome. */
const sanitize = (text: string, isPlain: boolean): string =>
  isPlain
    ? printableLines(stripVTControlCharacters(text))
    : text
        .split(styles)
        .map((part, i) => (i % 2 === 1 ? part : printableLines(part)))
        .join("")

/** Makes what is printed harmless, and plain where styles are not welcome. */
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
    // what is logged goes there
    unsafe: {
      ...console.unsafe,
      log: (...args) => console.unsafe.log(...sanitizeArgs(isPlain.stdout, args)),
      error: (...args) => console.unsafe.error(...sanitizeArgs(isPlain.stderr, args))
    }
  }
}

/** A line for each message, beside what a command prints as its result. */
export const logger = Logger.withConsoleError(
  Logger.make<unknown, string>(
    ({ logLevel, message }) => `${logLevel.label}: ${Arr.ensure(message).map(String).join(" ")}`
  )
)
