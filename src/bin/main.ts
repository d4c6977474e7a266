#!/usr/bin/env node
/** The one place that is run as a process: arguments in, an exit code out. */
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
import { makeEscalation, Signals, shutdownTimeout } from "./internal/signals.js"
import { logger, sanitizeConsole, supportsColor } from "./output/terminal.js"

const signals: {
  handler: ((wanted: "stop" | "abort") => void) | undefined
  unfinished: () => string | undefined
  isExpected: boolean
} = {
  handler: undefined,
  unfinished: () => undefined,
  isExpected: false
}

const SignalsLive = Layer.succeed(Signals, {
  handle: (handler) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        signals.handler = handler
      }),
      () =>
        Effect.sync(() => {
          signals.handler = undefined
        })
    ),
  holdExit: (unfinished) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        signals.unfinished = unfinished
      }),
      () =>
        Effect.sync(() => {
          signals.unfinished = () => undefined
        })
    ),
  expectSignal: Effect.sync(() => {
    signals.isExpected = true
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
      ? // it has been told already
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

/** As shells have it for SIGINT. */
const interruptedExitCode = 130

/** The code that the program came to. After a defect nobody can promise that nothing was sent. */
const exitCodeOf = (exit: Exit.Exit<unknown, unknown>): number =>
  Exit.match(exit, {
    onSuccess: (code) => (typeof code === "number" ? code : 0),
    onFailure: (cause) =>
      !Cause.isInterruptedOnly(cause) ? 1 : signals.isExpected ? 0 : interruptedExitCode
  })

/** Where the process ends before a stream would have been written. */
const printSync = (text: string) => {
  try {
    writeSync(process.stderr.fd, `${text}\n`)
  } catch {
    // the reader has gone
  }
}

/** Runs until its end or until a signal; the command that has taken signals ends by itself. */
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  const nextLevel = makeEscalation()
  const onSignal = () => {
    const level = nextLevel(Effect.runSync(Clock.currentTimeMillis))
    if (level === undefined) return
    const unfinished = signals.unfinished()
    if (level === "exit") {
      if (unfinished !== undefined) printSync(unfinished)
      process.exit(interruptedExitCode)
    }
    if (signals.handler !== undefined) signals.handler(level)
    else if (level === "stop") {
      if (!signals.isExpected) printSync("Stopping.")
      fiber.unsafeInterruptAsFork(fiber.id())
    } else if (unfinished === undefined) process.exit(interruptedExitCode)
    // a reader that takes nothing would hold up the end for ever
    if (level === "abort") {
      Effect.runFork(
        Effect.zipRight(
          shutdownTimeout(() => signals.unfinished()),
          Effect.sync(() => process.exit(interruptedExitCode))
        )
      )
    }
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, onSignal)
  // the reader of the output has gone, and wants no more of it
  process.stdout.on("error", () => signals.handler?.("stop"))
  // without a reader of messages the rest is to be done all the same
  process.stderr.on("error", () => {})
  const keepAlive = setInterval(() => {}, 2 ** 31 - 1)
  fiber.addObserver((exit) => {
    clearInterval(keepAlive)
    // what has been printed may still be under way where pipes are slow
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
