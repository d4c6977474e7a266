/** The delivery of requests that ended with an error, in one table for all errors of all operations. */

/**
 * The delivery of a request that ended with an error.
 *
 * - `notSent`: nothing of the request has left this machine.
 * - `rejected`: the service answered, and has certainly stored nothing.
 * - `unknown`: the request may have arrived. Unless it was a dry run, its usage may have been metered. Only sending the same
 *   request again cannot meter the usage twice.
 *
 * @since 0.1.0
 * @category models
 */
export type Delivery = "notSent" | "rejected" | "unknown"

interface ErrorStatus {
  readonly isRetryable: boolean
  readonly isThrottling: boolean
  readonly statusCode?: number | undefined
  readonly delivery?: Delivery
}

const requestTimeout = 408

/**
 * Returns the delivery of a response without a known exception. Only a redirect, throttling or a 4xx status other than 408
 * certainly stored nothing.
 */
const byStatus = ({ isRetryable, isThrottling, statusCode = 0 }: ErrorStatus): Delivery =>
  isThrottling ||
  (!isRetryable && statusCode >= 300 && statusCode < 500 && statusCode !== requestTimeout)
    ? "rejected"
    : "unknown"

const table = {
  InvalidInputError: "notSent",
  MeteringConfigError: "notSent",
  CredentialsError: "notSent",

  CredentialsExpiredError: "rejected",
  CredentialsRejectedError: "rejected",
  AccessDeniedError: "rejected",
  ClockSkewError: "rejected",

  // a custom transport may set any value
  ConnectionError: ({ delivery }) => (delivery === "notSent" ? "notSent" : "unknown"),
  RequestTimeoutError: "unknown",
  UnexpectedResponseError: byStatus,
  UnknownServiceError: byStatus,

  // usage may have been stored before the internal error
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
} satisfies { readonly [tag: string]: Delivery | ((error: ErrorStatus) => Delivery) }

export const deliveryOf = (
  error: ErrorStatus & { readonly _tag: keyof typeof table }
): Delivery => {
  const delivery: Delivery | ((error: ErrorStatus) => Delivery) = Object.hasOwn(table, error._tag)
    ? table[error._tag]
    : "unknown"
  return typeof delivery === "function" ? delivery(error) : delivery
}

const byCertainty: ReadonlyArray<Delivery> = ["notSent", "rejected", "unknown"]

/** Combines the deliveries of two attempts of one request. Returns the less certain one. */
export const leastCertain = (a: Delivery, b: Delivery): Delivery =>
  byCertainty.indexOf(a) > byCertainty.indexOf(b) ? a : b
