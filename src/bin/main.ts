#!/usr/bin/env node
/** The entry point: runs the command line, handles signals, and sets the exit code. */
import { writeSync } from "node:fs"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Runtime from "@effect/platform/Runtime"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { cli } from "./cli.js"
import {
  makeEscalation,
  type SignalHandlers,
  Signals,
  shutdownTimeout
} from "./internal/signals.js"
import { logger, sanitizeConsole, supportsColor } from "./output/terminal.js"

let handlers: Partial<SignalHandlers> = {}
let isSignalExpected = false

const SignalsLive = Layer.succeed(Signals, {
  handle: (own) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const previous = handlers
        handlers = { ...previous, ...own }
        return previous
      }),
      (previous) =>
        Effect.sync(() => {
          handlers = previous
        })
    ),
  expectSignal: Effect.sync(() => {
    isSignalExpected = true
  })
})

const Live = Layer.mergeAll(
  NodeFileSystem.layer,
  NodePath.layer,
  NodeTerminal.layer,
  SignalsLive,
  Logger.replace(Logger.defaultLogger, logger)
)

const program = cli(process.argv.slice(2)).pipe(
  Effect.as(0),
  Effect.catchAll((error) =>
    ValidationError.isValidationError(error)
      ? // @effect/cli has printed the error
        Effect.succeed(2)
      : Effect.as(Console.error(error.message), error.exitCode)
  ),
  Effect.tapErrorCause((cause) =>
    Cause.isInterruptedOnly(cause) ? Effect.void : Console.error(Cause.pretty(cause))
  ),
  Effect.provide(Live),
  (run) =>
    Effect.consoleWith((console) =>
      Effect.withConsole(
        run,
        sanitizeConsole(console, {
          stdout: !supportsColor(process.stdout, process.env),
          stderr: !supportsColor(process.stderr, process.env)
        })
      )
    )
)

/** The exit code of shells for SIGINT. */
const interruptedExitCode = 130

/** A defect exits with 1, since something may have been sent before it. */
const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number =>
  Exit.match(exit, {
    onSuccess: (code) => (typeof code === "number" ? code : 0),
    onFailure: (cause) => {
      if (!Cause.isInterruptedOnly(cause)) return 1
      return isSignalExpected ? 0 : interruptedExitCode
    }
  })

/** Prints synchronously, because the process may exit before a stream is flushed. */
const printSync = (text: string) => {
  try {
    writeSync(process.stderr.fd, `${text}\n`)
  } catch {
    // standard error is closed
  }
}

const exitInterrupted = () => process.exit(interruptedExitCode)

const unfinished = () => handlers.unfinished?.()

const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const nextLevel = makeEscalation()
  const onSignal = () => {
    const level = nextLevel(Effect.runSync(Clock.currentTimeMillis))
    if (level === undefined) return
    if (level === "exit") {
      const text = unfinished()
      if (text !== undefined) printSync(text)
      return exitInterrupted()
    }
    if (handlers.onSignal !== undefined) handlers.onSignal(level)
    else if (level === "stop") {
      if (!isSignalExpected) printSync("Stopping.")
      fiber.unsafeInterruptAsFork(fiber.id())
    } else if (unfinished() === undefined) exitInterrupted()
    // exits in any case, because output that is not read would block the shutdown forever
    if (level === "abort") {
      Effect.runFork(Effect.zipRight(shutdownTimeout(unfinished), Effect.sync(exitInterrupted)))
    }
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal)
  // stops when the reader of standard output has closed it
  process.stdout.on("error", () => handlers.onSignal?.("stop"))
  // messages that cannot be printed do not end the work
  process.stderr.on("error", () => {})
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1)
  fiber.addObserver((exit) => {
    clearInterval(keepAlive)
    // waits for output that slow pipes have not taken yet
    teardown(exit, (code) =>
      process.stdout.write("", () => process.stderr.write("", () => process.exit(code)))
    )
  })
})

runMain(program, {
  disableErrorReporting: true,
  disablePrettyLogger: true,
  teardown: (exit, end) => end(exitCodeOf(exit))
})
