/** From the errors of a call to the end of a command. */
import * as ConfigError from "effect/ConfigError"
import type { CommonError, MeteringConfigError, ModelledException } from "../../MeteringError.js"
import { cannotRun, type Failure, refused } from "./failure.js"

export type CallError = CommonError | ModelledException | MeteringConfigError

/** Whether no byte of a request has left this machine. */
const isUnsent = (error: CallError): boolean =>
  error._tag === "InvalidInputError" ||
  error._tag === "CredentialsError" ||
  error._tag === "MeteringConfigError" ||
  (error._tag === "ConnectionError" && error.delivery === "notSent")

export const failureOf = (error: CallError | ConfigError.ConfigError): Failure =>
  ConfigError.isConfigError(error)
    ? cannotRun(String(error))
    : isUnsent(error)
      ? cannotRun(error.message)
      : refused(error.message)

/** Whether the service may have done what it was asked for, though it did not say so. */
export const isDoubtful = (error: CallError | ConfigError.ConfigError): boolean =>
  !ConfigError.isConfigError(error) &&
  ((error._tag === "ConnectionError" && error.delivery === "unknown") ||
    error._tag === "RequestTimeoutError" ||
    error._tag === "UnexpectedResponseError" ||
    error._tag === "InternalServiceErrorException")
