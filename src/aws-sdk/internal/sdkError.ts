/** Classifies an error of the SDK that came without a response. Only its name, code or sanitized message is kept. */
import type * as Duration from "effect/Duration"
import { connectionError } from "../../internal/client/connectionError.js"
import { withOperation } from "../../internal/client/recovery.js"
import { describeError } from "../../internal/credentials/credentialProvider.js"
import * as credentials from "../../internal/credentials/credentials.js"
import * as MeteringError from "../../MeteringError.js"
import type { AttemptState } from "./sendCommand.js"

/** Stands for the endpoint until the SDK has resolved it. */
export const unknownEndpoint = "the SDK client's endpoint"

export const toMeteringError = (
  operation: MeteringError.OperationName,
  { failure, hasStatus, request }: AttemptState,
  elapsed: Duration.Duration
):
  | MeteringError.ConnectionError
  | MeteringError.RequestTimeoutError
  | MeteringError.CredentialsError => {
  const { code, name, syscall } = (failure ?? {}) as Record<string, unknown>
  if (request === undefined) {
    // before the request is handed to the network, only the endpoint and the credentials can fail
    return name === "EndpointError"
      ? new MeteringError.ConnectionError(
          { operation, endpoint: unknownEndpoint, reason: "EndpointError", delivery: "notSent" },
          true
        )
      : withOperation(operation)(credentialsError(failure))
  }
  // the SDK's handlers also name broken connections so; these keep their code
  const isTimeout =
    name === "TimeoutError" &&
    (code === undefined || (code === "ETIMEDOUT" && syscall === undefined))
  return isTimeout
    ? new MeteringError.RequestTimeoutError(
        { operation, endpoint: request.origin, timeout: elapsed },
        true
      )
    : connectionError(
        operation,
        request.origin,
        hasStatus
          ? { _tag: "ResponseError", reason: "Decode", cause: failure }
          : { _tag: "RequestError", reason: "Transport", cause: failure }
      )
}

export const credentialsError = (failure: unknown): MeteringError.CredentialsError =>
  credentials.credentialsError(["the SDK client's credential provider"], describeError(failure))
