/** The expected failures of a command. */
import * as ConfigError from "effect/ConfigError"
import * as Data from "effect/Data"
import * as MeteringError from "../../MeteringError.js"

/** Exit codes of every command, with the meanings that help and README give. */
export const exitCodes = [
  [0, "done; everything was accepted"],
  [1, "it ran, and something was rejected or is not known"],
  [2, "it could not run; nothing was sent or recorded"],
  [130, "it was stopped by a signal; `submit` by a second one"]
] as const

type ErrorExitCode = Exclude<(typeof exitCodes)[number][0], 0>

/** An expected failure. Only its message is printed, without a stack trace. */
export class CliError extends Data.TaggedError("CliError")<{
  readonly exitCode: ErrorExitCode
  readonly message: string
}> {}

export const failed = (message: string) => new CliError({ exitCode: 1, message })

export const cannotRun = (message: string) => new CliError({ exitCode: 2, message })

export const interrupted = (message: string) => new CliError({ exitCode: 130, message })

export type CallError = MeteringError.MeteringError | MeteringError.MeteringConfigError

/** Converts the failure of the only call of a command. The exit code is 2 only if nothing was sent. */
export const toCliError = (error: CallError | ConfigError.ConfigError): CliError => {
  if (ConfigError.isConfigError(error)) return cannotRun(String(error))
  return MeteringError.deliveryOf(error) === "notSent"
    ? cannotRun(error.message)
    : failed(error.message)
}
