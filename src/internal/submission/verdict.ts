/** What an error tells of the records that its call carried, and of others. */
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import { deliveryOf } from "../delivery.js"

export interface Verdict {
  /**
   * What became of the records: they never left, they were answered and are certainly not stored, or nobody can
   * tell.
   */
  readonly delivery: "unsent" | "refused" | "doubtful"
  /**
   * What it is about: a passing state that the same call may find gone, one record of the call, the product, or
   * whoever calls and from where.
   */
  readonly about: "passing" | "record" | "product" | "caller"
}

type About = Verdict["about"]

type Table = {
  readonly [E in BatchMeterUsageError as E["_tag"]]: About | ((error: E) => About)
}

const table: Table = {
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
    isRetryable ? "passing" : codesOfRecords.has(code) ? "record" : "product"
}

/** What the front door says of a request whose form it does not like. */
const codesOfRecords: ReadonlySet<string> = new Set([
  "CustomerNotSubscribedException",
  "SerializationException",
  "ValidationException"
])

const deliveries = { notSent: "unsent", rejected: "refused", unknown: "doubtful" } as const

export const verdictOf = (error: BatchMeterUsageError): Verdict => {
  const about = table[error._tag]
  return {
    delivery: deliveries[deliveryOf(error)],
    // the entry under an error's own tag is about that error
    about: typeof about === "function" ? about(error as never) : about
  }
}
