/** Converts file system errors to messages with the reason. */
import type { PlatformError } from "@effect/platform/Error"
import { type CliError, cannotRun } from "./cliError.js"

const reasons: { readonly [reason: string]: string } = {
  NotFound: "no such file",
  PermissionDenied: "permission denied",
  AlreadyExists: "the file already exists",
  Busy: "the file is busy",
  BadResource: "not a regular file"
}

export const fileErrorReason = (error: PlatformError): string =>
  (error._tag === "SystemError" ? reasons[error.reason] : undefined) ??
  error.description ??
  error.message

/** Appends the reason to a text such as "usage.csv cannot be read". */
export const toFileError =
  (failure: string) =>
  (error: PlatformError): CliError =>
    cannotRun(`${failure}: ${fileErrorReason(error)}.`)
