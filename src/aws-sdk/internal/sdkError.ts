/** Why the SDK has no answer to show, in the words of this package. */
import type * as Duration from "effect/Duration"
import { connectionError } from "../../internal/client/connectionError.js"
import { withOperation } from "../../internal/client/recovery.js"
import * as credentialProvider from "../../internal/credentials/credentialProvider.js"
import * as MeteringError from "../../MeteringError.js"
import type { AttemptState } from "./sdkCall.js"

/** Where the SDK had not yet settled where to send. */
export const unknownEndpoint = "the SDK client's endpoint"

/** Classifies a failure of the SDK. Nothing of it is kept but a name, a code, or what a credential provider says without its secrets. */
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
    // what precedes a request is its endpoint and its credentials, the signing included
    return name === "EndpointError"
      ? new MeteringError.ConnectionError(
          { operation, endpoint: unknownEndpoint, reason: "EndpointError", delivery: "notSent" },
          true
        )
      : withOperation(operation)(credentialsError(failure))
  }
  // the SDK's handlers also give this name to connections that broke, which keep their code
  const isTimeout =
    name === "TimeoutError" &&
    (code === undefined || (code === "ETIMEDOUT" && syscall === undefined))
  if (isTimeout) {
    return timeoutError(operation, request.origin, elapsed)
  }
  return connectionError(
    operation,
    request.origin,
    hasStatus
      ? { _tag: "ResponseError", reason: "Decode", cause: failure }
      : { _tag: "RequestError", reason: "Transport", cause: failure }
  )
}

export const timeoutError = (
  operation: MeteringError.OperationName,
  endpoint: string,
  timeout: Duration.Duration
) => new MeteringError.RequestTimeoutError({ operation, endpoint, timeout }, true)

/** No credentials from the provider of the SDK's client. */
export const credentialsError = (failure: unknown): MeteringError.CredentialsError =>
  credentialProvider.credentialsError(
    ["the SDK client's credential provider"],
    credentialProvider.describeError(failure)
  )
