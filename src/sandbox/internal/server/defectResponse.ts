/** A defect while a call was handled: told on the log, and to the sender, without any value of the call. */
import type { PlatformError } from "@effect/platform/Error"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { hasProperty } from "effect/Predicate"
import { type HttpResponse, internalFailure } from "./awsJsonServer.js"

/** Logs what broke, and gives the reply that says so. */
export const logAndRespond = (cause: Cause.Cause<unknown>): Effect.Effect<HttpResponse> => {
  // it was ended on purpose
  if (Cause.isInterruptedOnly(cause)) return Effect.succeed(internalFailure(defectMessage))
  const error = Cause.squash(cause)
  const reason = isPlatformError(error) ? writeErrorMessage(error) : undefined
  return Effect.as(
    Effect.logError(reason ?? `The handling of a call broke: ${stackOf(error)}`),
    internalFailure(reason ?? defectMessage)
  )
}

const defectMessage = "The handling of this call broke."

const isPlatformError = (error: unknown): error is PlatformError =>
  hasProperty(error, "_tag") && (error._tag === "SystemError" || error._tag === "BadArgument")

/** Files are written by nothing but the state. */
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

/** A defect's kind and where it was thrown: its message may quote what was sent. */
const stackOf = (error: unknown): string =>
  error instanceof Error
    ? [error.name, ...(error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line))].join(
        "\n"
      )
    : typeof error
