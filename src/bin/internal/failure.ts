/** How a command ends that does not end well. */
import * as Data from "effect/Data"

/**
 * What a process says by its end:
 *
 * - 1: it ran, and the answer is no
 * - 2: it could not run; nothing was asked
 */
export type ExitCode = 1 | 2

/** A failure that was foreseen: a text for a person, and no trace. */
export class Failure extends Data.TaggedError("Failure")<{
  readonly exitCode: ExitCode
  readonly message: string
}> {}

export const refused = (message: string) => new Failure({ exitCode: 1, message })

export const cannotRun = (message: string) => new Failure({ exitCode: 2, message })
