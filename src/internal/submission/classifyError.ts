/** Classifies the error of a call: the delivery of its records, and the scope of the cause. */
import { hasProperty } from "effect/Predicate"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import type { Delivery } from "../../MeteringError.js"
import { deliveryOf } from "../protocol/delivery.js"

export interface ErrorClassification {
  readonly delivery: Delivery
  /** The scope of the cause: temporary, one record of the call, its product, or all calls of this caller. */
  readonly scope: "transient" | "record" | "product" | "caller"
}

type ErrorScope = ErrorClassification["scope"]

type ScopeTable = {
  readonly [E in BatchMeterUsageError as E["_tag"]]: ErrorScope | ((error: E) => ErrorScope)
}

const scopes: ScopeTable = {
  InternalServiceErrorException: "transient",
  ThrottlingException: "transient",

  // the service validates all records before it stores the first
  InvalidUsageDimensionException: "record",
  InvalidTagException: "record",
  InvalidUsageAllocationsException: "record",
  InvalidCustomerIdentifierException: "record",
  TimestampOutOfBoundsException: "record",
  InvalidLicenseException: "record",
  InvalidInputError: "record",

  InvalidProductCodeException: "product",
  DisabledApiException: "product",
  AccessDeniedError: "product",

  CredentialsError: "caller",
  CredentialsExpiredError: "caller",
  CredentialsRejectedError: "caller",
  ClockSkewError: "caller",

  ConnectionError: ({ isRetryable }) => (isRetryable ? "transient" : "caller"),
  RequestTimeoutError: "transient",
  UnexpectedResponseError: ({ isRetryable }) => (isRetryable ? "transient" : "caller"),
  UnknownServiceError: ({ code, isRetryable }) =>
    isRetryable ? "transient" : recordErrorCodes.has(code) ? "record" : "product"
}

/** Codes that are not in the service's model, for a record that the service cannot accept. */
const recordErrorCodes: ReadonlySet<string> = new Set([
  "CustomerNotSubscribedException",
  "SerializationException",
  "ValidationException"
])

/** Returns whether a value is an error of a call. A custom client or transport may fail with another value. */
export const isCallError = (error: unknown): error is BatchMeterUsageError =>
  hasProperty(error, "_tag") && Object.hasOwn(scopes, error._tag as PropertyKey)

export const classifyError = (error: BatchMeterUsageError): ErrorClassification => {
  const scope = scopes[error._tag]
  return {
    delivery: deliveryOf(error),
    // the cast is safe because the function under an error's tag takes that error
    scope: typeof scope === "function" ? scope(error as never) : scope
  }
}
