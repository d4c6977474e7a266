/** Logs a defect and returns a response for it. Log and response contain no values of the call. */
import type { PlatformError } from "@effect/platform/Error"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { type HttpResponse, internalFailure } from "../model/serviceResponse.js"

export const logAndRespond = (cause: Cause.Cause<unknown>): Effect.Effect<HttpResponse> => {
  // the server is shutting down, so there is nothing to log
  if (Cause.isInterruptedOnly(cause)) return Effect.succeed(internalFailure(defectMessage))
  const error = Cause.squash(cause)
  const reason = isPlatformError(error) ? writeErrorMessage(error) : undefined
  return Effect.as(
    Effect.logError(reason ?? `A call failed unexpectedly: ${stackOf(error)}`),
    internalFailure(reason ?? defectMessage)
  )
}

const defectMessage = "The call failed unexpectedly."

const isPlatformError = (error: unknown): error is PlatformError =>
  hasProperty(error, "_tag") && (error._tag === "SystemError" || error._tag === "BadArgument")

/** Describes a failed write of the state file. Calls use no other file, so every `PlatformError` is such a failure. */
const writeErrorMessage = (error: PlatformError): string => {
  const path = error._tag === "SystemError" ? (error.pathOrDescriptor ?? "") : ""
  const code = hasProperty(error.cause, "code") ? String(error.cause.code) : undefined
  const reason = (code && reasons[code]) ?? error.description ?? error.message
  return `The sandbox cannot write its state${typeof path === "string" && path !== "" ? ` to ${path}` : ""}: ${reason}. This change was not made.`
}

const reasons: { readonly [code: string]: string } = {
  ENOSPC: "no space left on the device (ENOSPC); free some, and send the request again",
  EDQUOT: "the disk quota is used up (EDQUOT); free some, and send the request again",
  EROFS: "the file system is read-only (EROFS)",
  EIO: "the device failed (EIO)"
}

/** Returns the name and the stack of an error, without its message, because the message may quote the request. */
const stackOf = (error: unknown): string =>
  error instanceof Error
    ? [error.name, ...(error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line))].join(
        "\n"
      )
    : typeof error
