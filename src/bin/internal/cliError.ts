/** How a command ends that does not end well. */
import * as Data from "effect/Data"

/** The code of a process that failed, as `exitCodes` describes it. */
export type ExitCode = 1 | 2 | 130

/** A failure that was foreseen: a text for a person, and no trace. */
export class CliError extends Data.TaggedError("CliError")<{
  readonly exitCode: ExitCode
  readonly message: string
}> {}

export const failed = (message: string) => new CliError({ exitCode: 1, message })

export const cannotRun = (message: string) => new CliError({ exitCode: 2, message })

export const interrupted = (message: string) => new CliError({ exitCode: 130, message })
