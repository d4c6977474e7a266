/** What an error tells of the records that its call carried, and of others. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import { deliveryOf } from "../protocol/delivery.js"

export interface ErrorClassification {
  /**
   * What became of the records: they never left, they were answered and are certainly not stored, or nobody can
   * tell.
   */
  readonly delivery: "unsent" | "refused" | "doubtful"
  /**
   * What it is about: a passing state that the same call may find gone, one record of the call, the product, or
   * whoever calls and from where.
   */
  readonly scope: "passing" | "record" | "product" | "caller"
}

type ErrorScope = ErrorClassification["scope"]

type ScopeTable = {
  readonly [E in BatchMeterUsageError as E["_tag"]]: ErrorScope | ((error: E) => ErrorScope)
}

const scopes: ScopeTable = {
  InternalServiceErrorException: "passing",
  ThrottlingException: "passing",

  // all records are looked at before the first is stored
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

  ConnectionError: ({ isRetryable }) => (isRetryable ? "passing" : "caller"),
  RequestTimeoutError: "passing",
  UnexpectedResponseError: ({ isRetryable }) => (isRetryable ? "passing" : "caller"),
  UnknownServiceError: ({ code, isRetryable }) =>
    isRetryable ? "passing" : recordErrorCodes.has(code) ? "record" : "product"
}

/** What the front door says of a request whose form it does not like. */
const recordErrorCodes: ReadonlySet<string> = new Set([
  "CustomerNotSubscribedException",
  "SerializationException",
  "ValidationException"
])

const deliveries = { notSent: "unsent", rejected: "refused", unknown: "doubtful" } as const

export const classifyError = (error: BatchMeterUsageError): ErrorClassification => {
  const scope = scopes[error._tag]
  return {
    delivery: deliveries[deliveryOf(error)],
    // the entry under an error's own tag is about that error
    scope: typeof scope === "function" ? scope(error as never) : scope
  }
}
