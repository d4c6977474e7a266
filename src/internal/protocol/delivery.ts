/** What became of a request that ended with an error: one table for all errors of all operations. */
import type { Delivery, MeteringConfigError, MeteringError } from "../../MeteringError.js"

type AnyError = MeteringError | MeteringConfigError

type Table = { readonly [E in AnyError as E["_tag"]]: Delivery | ((error: E) => Delivery) }

interface ErrorStatus {
  readonly isRetryable: boolean
  readonly isThrottling: boolean
  readonly statusCode?: number | undefined
}

/** A response without a known name: only a redirect, a throttle and a client's fault certainly stored nothing. */
const byStatus = ({ isRetryable, isThrottling, statusCode = 0 }: ErrorStatus): Delivery =>
  isThrottling ||
  (!isRetryable && statusCode >= 300 && statusCode < 500 && statusCode !== requestTimeout)
    ? "rejected"
    : "unknown"

const requestTimeout = 408

const table: Table = {
  InvalidInputError: "notSent",
  MeteringConfigError: "notSent",
  CredentialsError: "notSent",

  CredentialsExpiredError: "rejected",
  CredentialsRejectedError: "rejected",
  AccessDeniedError: "rejected",
  ClockSkewError: "rejected",

  ConnectionError: ({ delivery }) => delivery,
  RequestTimeoutError: "unknown",
  UnexpectedResponseError: byStatus,
  UnknownServiceError: byStatus,

  // an error inside says nothing of what had been stored before it
  InternalServiceErrorException: "unknown",
  ThrottlingException: "rejected",
  InvalidProductCodeException: "rejected",
  InvalidUsageDimensionException: "rejected",
  InvalidTagException: "rejected",
  InvalidUsageAllocationsException: "rejected",
  InvalidCustomerIdentifierException: "rejected",
  TimestampOutOfBoundsException: "rejected",
  DisabledApiException: "rejected",
  InvalidLicenseException: "rejected",
  InvalidEndpointRegionException: "rejected",
  DuplicateRequestException: "rejected",
  IdempotencyConflictException: "rejected",
  CustomerNotEntitledException: "rejected",
  InvalidRegionException: "rejected",
  InvalidPublicKeyVersionException: "rejected",
  PlatformNotSupportedException: "rejected",
  InvalidTokenException: "rejected",
  ExpiredTokenException: "rejected"
}

export const deliveryOf = (error: AnyError): Delivery => {
  const delivery = table[error._tag]
  // the entry under an error's own tag is about that error
  return typeof delivery === "function" ? delivery(error as never) : delivery
}

/** From what the service certainly does not have to what it may have. */
const byCertainty: ReadonlyArray<Delivery> = ["notSent", "rejected", "unknown"]

/** What became of a request that was sent more than once: what is least certain of its attempts. */
export const leastCertain = (a: Delivery, b: Delivery): Delivery =>
  byCertainty.indexOf(a) > byCertainty.indexOf(b) ? a : b
