/** How a command ends that does not end well. */
import * as Data from "effect/Data"

/** The code of a process that failed, as `exitCodes` describes it. */
export type ExitCode = 1 | 2 | 130

/** A failure that was foreseen: a text for a person, and no trace. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly exitCode: ExitCode
  readonly message: string
}> {}

export const refused = (message: string) => new Failure({ exitCode: 1, message })

export const cannotRun = (message: string) => new Failure({ exitCode: 2, message })

export const stopped = (message: string) => new Failure({ exitCode: 130, message })
