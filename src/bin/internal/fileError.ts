/** What went wrong with a file, in few words. */
import type { PlatformError } from "@effect/platform/Error"

const reasons: { readonly [reason: string]: string } = {
  NotFound: "there is no such file",
  PermissionDenied: "this user may not",
  AlreadyExists: "it exists already",
  Busy: "it is busy",
  BadResource: "it is not a file of text"
}

export const fileErrorReason = (error: PlatformError): string =>
  (error._tag === "SystemError" ? reasons[error.reason] : undefined) ??
  error.description ??
  error.message
