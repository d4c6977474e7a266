/** Reasons of file errors, and the identity of files. */
import { type BigIntStats, fstatSync, statSync } from "node:fs"
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

const statOf = (file: string | number): BigIntStats | undefined => {
  try {
    return typeof file === "number"
      ? fstatSync(file, { bigint: true })
      : statSync(file, { bigint: true })
  } catch {
    return undefined
  }
}

/**
 * True if two paths or descriptors lead to one file, by device and inode. Missing files and character devices such as a
 * terminal are never the same.
 */
export const isSameFile = (one: string | number, other: string | number): boolean => {
  const [left, right] = [statOf(one), statOf(other)]
  return (
    left !== undefined &&
    right !== undefined &&
    !left.isCharacterDevice() &&
    left.dev === right.dev &&
    left.ino === right.ino
  )
}

/** The output that is redirected into this regular file, if any. */
export const redirectedOutput = (file: string | number): string | undefined => {
  if (statOf(file)?.isFile() !== true) return undefined
  if (isSameFile(file, 1)) return "standard output"
  return isSameFile(file, 2) ? "standard error" : undefined
}
