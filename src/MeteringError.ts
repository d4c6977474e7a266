/**
 * The errors of a call, one class each.
 *
 * The 19 exceptions of the service's model keep their AWS names; errors that the model does not have, such as
 * `ConnectionError`, have classes of their own. The `message` says what to do, and `isRetryable` whether another attempt can
 * help. After a response of the service, the error has its status, request id and message. No error contains a request, its
 * headers, or anything that was signed.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, MeteringError } from "effect-marketplace-metering"
 *
 * const program = MeteringClient.batchMeterUsage({ usageRecords: [] }).pipe(
 *   Effect.tapError((error) =>
 *     Effect.logError(error.message, { requestId: error.requestId, retry: error.isRetryable })
 *   ),
 *   Effect.catchTag("DisabledApiException", () => Effect.succeed("not in this Region"))
 * )
 *
 * // an error for a test
 * const throttled = Effect.fail(
 *   new MeteringError.ThrottlingException({ operation: "BatchMeterUsage", statusCode: 400 })
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import {
  DurationFromMillis,
  define,
  errorFields,
  exception,
  type Kind,
  OperationName
} from "./internal/callError.js"
import { isCertificateError, isInvalidRequest } from "./internal/protocol/connectionFailures.js"
import * as delivery from "./internal/protocol/delivery.js"
import { responseSizeLimit } from "./internal/protocol/rawResponse.js"
import { Rule } from "./Preflight.js"

export {
  type CallError,
  OperationName,
  type Retryable,
  type ServiceException
} from "./internal/callError.js"

/**
 * The service had an internal error.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InternalServiceErrorException extends exception<InternalServiceErrorException>()(
  "InternalServiceErrorException",
  "The service had an internal error; send the same request again.",
  "transient"
) {}

/**
 * The calls exceed the rate that the service allows.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class ThrottlingException extends exception<ThrottlingException>()(
  "ThrottlingException",
  "Too many calls; send the same request again later.",
  "throttling"
) {}

/**
 * This account has no product with this code, or the product is not allowed for this operation.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidProductCodeException extends exception<InvalidProductCodeException>()(
  "InvalidProductCodeException",
  "The product code is not one of this account's products, or not allowed for this operation."
) {}

/**
 * The product does not have this dimension. Dimensions are case-sensitive.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidUsageDimensionException extends exception<InvalidUsageDimensionException>()(
  "InvalidUsageDimensionException",
  "A dimension is not one of the product's; case counts."
) {}

/**
 * A tag is not valid, or an allocation has more than 5.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidTagException extends exception<InvalidTagException>()(
  "InvalidTagException",
  "A tag is not valid, or an allocation has more than 5."
) {}

/**
 * Allocations do not add up to the quantity, repeat a set of tags, or exceed 2500.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidUsageAllocationsException extends exception<InvalidUsageAllocationsException>()(
  "InvalidUsageAllocationsException",
  "Allocations do not add up to the quantity, repeat a set of tags, or exceed 2500."
) {}

/**
 * The product does not have this customer identifier.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidCustomerIdentifierException extends exception<InvalidCustomerIdentifierException>()(
  "InvalidCustomerIdentifierException",
  "A customer identifier is not valid for this product."
) {}

/**
 * The timestamp is too far in the past or the future. Usage is accepted for 24 hours by BatchMeterUsage, for 6 hours by
 * MeterUsage, and usage of the last month until 06:00 UTC on the first.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class TimestampOutOfBoundsException extends exception<TimestampOutOfBoundsException>()(
  "TimestampOutOfBoundsException",
  "A timestamp is too far in the past or the future; do not send the usage again with another one."
) {}

/**
 * The operation is disabled in this Region.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class DisabledApiException extends exception<DisabledApiException>()(
  "DisabledApiException",
  "The operation is disabled in this Region; call another Region."
) {}

/**
 * The license belongs to another customer, or is not active.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidLicenseException extends exception<InvalidLicenseException>()(
  "InvalidLicenseException",
  "A license is not valid, not active, or another customer's."
) {}

/**
 * The endpoint is not in the Region of the instance, task or pod.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidEndpointRegionException extends exception<InvalidEndpointRegionException>()(
  "InvalidEndpointRegionException",
  "Call the Region that the task, pod or instance runs in."
) {}

/**
 * Another quantity was already metered for this hour and dimension.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class DuplicateRequestException extends exception<DuplicateRequestException>()(
  "DuplicateRequestException",
  "Another quantity was already metered for this hour and dimension, and stays billed."
) {}

/**
 * The client token was already used for another request.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class IdempotencyConflictException extends exception<IdempotencyConflictException>()(
  "IdempotencyConflictException",
  "The client token was already used for another request; a new charge needs a new token."
) {}

/**
 * The customer has no agreement for this product.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class CustomerNotEntitledException extends exception<CustomerNotEntitledException>()(
  "CustomerNotEntitledException",
  "The customer has no agreement for this product."
) {}

/**
 * RegisterUsage was not called in the Region of the task or pod.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidRegionException extends exception<InvalidRegionException>()(
  "InvalidRegionException",
  "Call the Region that the task or pod runs in."
) {}

/**
 * The product has no public key of this version.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidPublicKeyVersionException extends exception<InvalidPublicKeyVersionException>()(
  "InvalidPublicKeyVersionException",
  "The version of the public key is not one of the product's."
) {}

/**
 * RegisterUsage does not support the caller's platform.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class PlatformNotSupportedException extends exception<PlatformNotSupportedException>()(
  "PlatformNotSupportedException",
  "The service does not support this platform; call it from ECS, EKS or Fargate."
) {}

/**
 * The registration token is not valid.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_ResolveCustomer.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidTokenException extends exception<InvalidTokenException>()(
  "InvalidTokenException",
  "The registration token is not valid; the buyer has to start again from AWS Marketplace."
) {}

/**
 * The buyer's registration token has expired. Expired AWS credentials are a `CredentialsExpiredError`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_ResolveCustomer.html
 * @since 0.1.0
 * @category exceptions
 */
export class ExpiredTokenException extends exception<ExpiredTokenException>()(
  "ExpiredTokenException",
  "The registration token has expired; the buyer has to start again from AWS Marketplace."
) {}

/**
 * A violation of a rule by one field of a request.
 *
 * `index` is the position of the record in a list of records, from 0. `expected` says what the `rule` expects of the
 * `field`. `value` is absent if the field is missing or a secret.
 *
 * @since 0.1.0
 * @category models
 */
export const Violation = Schema.Struct({
  index: Schema.optional(Schema.Number),
  field: Schema.String,
  rule: Schema.Union(Rule, Schema.Literal("required", "type")),
  expected: Schema.String,
  value: Schema.optional(Schema.Unknown)
})

/**
 * @since 0.1.0
 * @category models
 */
export type Violation = typeof Violation.Type

/**
 * The input breaks a rule of the service or has the wrong type. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInputError extends define<InvalidInputError>()(
  "InvalidInputError",
  () => ({
    operation: Schema.optional(OperationName),
    violations: Schema.NonEmptyArray(Violation)
  }),
  (self) => {
    const all = self.violations ?? []
    const listed = all.slice(0, 3).map((violation) => {
      const record = violation.index === undefined ? "" : `record ${violation.index}, `
      const actual = violation.value === undefined ? "" : `, got ${formatValue(violation.value)}`
      return `${record}${violation.field}: expected ${violation.expected}${actual} [${violation.rule}]`
    })
    const more = all.length > listed.length ? `; and ${all.length - listed.length} more` : ""
    return `Nothing was sent. ${listed.join("; ")}${more}`
  }
) {}

/**
 * Quotes only text, because JSON would show NaN as null. A summary such as "a list of 26" is not quoted, because it is not
 * the value.
 */
const formatValue = (value: unknown): string =>
  typeof value === "string" && !summaryPattern.test(value) ? JSON.stringify(value) : String(value)

const summaryPattern = /^(a list of \d+|an object|a Date|a (bigint|function|symbol))$/

/**
 * The configuration is not valid, and the client cannot be built.
 *
 * @since 0.1.0
 * @category errors
 */
export class MeteringConfigError extends define<MeteringConfigError>()(
  "MeteringConfigError",
  () => ({ reason: Schema.String }),
  (self) => self.reason
) {}

/**
 * No source has AWS credentials. `tried` names the sources. Nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsError extends define<CredentialsError>()(
  "CredentialsError",
  () => ({
    operation: Schema.optional(OperationName),
    tried: Schema.Array(Schema.String),
    reason: Schema.String
  }),
  (self) => `No AWS credentials from ${self.tried?.join(", ")}: ${self.reason}. Nothing was sent.`
) {}

/**
 * The AWS credentials have expired, and refreshing them did not help. `refreshError` is the reason why refreshing failed.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsExpiredError extends define<CredentialsExpiredError>()(
  "CredentialsExpiredError",
  () => ({ ...errorFields(), code: Schema.String, refreshError: Schema.optional(Schema.String) }),
  (self) => {
    const refreshError =
      self.refreshError === undefined ? "" : ` Refreshing them failed: ${self.refreshError}.`
    return `The AWS credentials have expired; renew their session.${refreshError}`
  }
) {}

/**
 * The service rejected the AWS credentials, or the signature made with them.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsRejectedError extends define<CredentialsRejectedError>()(
  "CredentialsRejectedError",
  () => ({ ...errorFields(), code: Schema.String }),
  (self) => `The service rejected the AWS credentials (${self.code}); check key, secret and token.`
) {}

/**
 * The AWS identity lacks the permission `aws-marketplace:<operation>`.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/userguide/iam-user-policy-for-aws-marketplace-actions.html
 * @since 0.1.0
 * @category errors
 */
export class AccessDeniedError extends define<AccessDeniedError>()(
  "AccessDeniedError",
  () => ({ ...errorFields(), code: Schema.String }),
  (self) =>
    `Access denied (${self.code}); allow aws-marketplace:${self.operation} in the caller's policy.`
) {}

/**
 * The service rejected a signature because of this machine's clock, and correcting it by the service's `Date` did not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class ClockSkewError extends define<ClockSkewError>()(
  "ClockSkewError",
  () => ({ ...errorFields(), code: Schema.String }),
  (self) => `This machine's clock is off (${self.code}); set it by NTP.`
) {}

/** Present when the call was a dry run, which meters nothing. */
const dryRun = Schema.optional(Schema.Literal(true))

/**
 * The connection failed before a response arrived.
 *
 * `delivery` is `notSent` if certainly nothing was sent, for example because the TLS handshake failed. Otherwise it is
 * `unknown`: the service may have metered the request. Sending the same request again is safe either way.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionError extends define<ConnectionError>()(
  "ConnectionError",
  () => ({
    operation: OperationName,
    /** Scheme, host and port. */
    endpoint: Schema.String,
    /** The network's error code, such as `ECONNREFUSED`, or the status by which a proxy rejected the connection. */
    reason: Schema.String,
    delivery: Schema.Literal("notSent", "unknown"),
    dryRun
  }),
  (self) =>
    `No response from ${self.endpoint}: ${self.reason}. ${
      self.delivery === "notSent"
        ? isInvalidRequest(self.reason ?? "")
          ? "Nothing was sent; a header has an invalid character: look for line breaks in the credentials."
          : "Nothing was sent; check endpoint and network, and send the same request."
        : retryAdvice(self)
    }`,
  (self) => (isPermanent(self.reason ?? "") ? "final" : "transient")
) {}

/**
 * No response arrived in time. The service may have metered the request nevertheless.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestTimeoutError extends define<RequestTimeoutError>()(
  "RequestTimeoutError",
  () => ({
    operation: OperationName,
    endpoint: Schema.String,
    timeout: DurationFromMillis(),
    dryRun
  }),
  (self) =>
    `No response from ${self.endpoint} within ${self.timeout === undefined ? "the time" : Duration.format(self.timeout)}. ${retryAdvice(self)}`,
  () => "transient"
) {}

/**
 * The response is not one of the service: a proxy's page, an empty or a broken body, or a body of more than 4 MiB. Or it
 * lacks the field that `missing` names, such as the receipt of MeterUsage.
 *
 * The error does not contain the body, which may contain anything. After a status of 2xx the usage may have been metered;
 * sending the same request again is safe.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnexpectedResponseError extends define<UnexpectedResponseError>()(
  "UnexpectedResponseError",
  () => ({
    ...errorFields(),
    contentType: Schema.optional(Schema.String),
    /** Length of the body in characters. At most 4 MiB are read. */
    bodyLength: Schema.Number,
    /** The required field that the response lacks, such as `MeteringRecordId`. */
    missing: Schema.optional(Schema.String),
    dryRun
  }),
  (self) => {
    const problem =
      self.missing === undefined ? "is not one of the service" : `has no ${self.missing}`
    const length =
      self.bodyLength > responseSizeLimit ? "more than 4 MiB" : `${self.bodyLength} characters`
    return `The response ${problem} (${self.contentType ?? "no content type"}, ${length}). ${adviceFor(self)}`
  },
  ({ statusCode = 0 }) =>
    statusCode >= 200 && statusCode < 300 ? "transient" : kindOf({ statusCode })
) {}

/**
 * The service returned the error `code`, which its model does not have for this operation.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownServiceError extends define<UnknownServiceError>()(
  "UnknownServiceError",
  () => ({ ...errorFields(), code: Schema.String }),
  (self) => `The service returned ${self.code}, which its model does not have for this operation.`,
  (self) => kindOf(self)
) {}

interface RetryContext {
  readonly operation?: OperationName | undefined
  readonly dryRun?: true | undefined
}

/** Warns of metered usage only for the two operations that meter usage, and not for a dry run. */
const retryAdvice = ({ dryRun, operation }: RetryContext): string =>
  dryRun !== true && (operation === "MeterUsage" || operation === "BatchMeterUsage")
    ? "It may have been metered; sending the same request again is safe."
    : "Sending the same request again is safe."

/**
 * Returns advice by status. An unexpected response is a truncated response of the service, or comes from a gateway that is
 * down or from a wrong endpoint.
 */
const adviceFor = ({
  statusCode = 0,
  ...attempted
}: RetryContext & { readonly statusCode?: number | undefined }): string =>
  statusCode >= 200 && statusCode < 300
    ? retryAdvice(attempted)
    : transientStatus.has(statusCode) || statusCode === 429
      ? "Send the same request again later."
      : "Look for a proxy or a wrong endpoint."

/** Returns whether another attempt fails in the same way until the configuration or the network changes. */
const isPermanent = (reason: string): boolean =>
  /^(EndpointError|InvalidUrl|Encode|the proxy answers CONNECT with HTTP 4(?!08|29).*)$/.test(
    reason
  ) ||
  isCertificateError(reason) ||
  isInvalidRequest(reason)

/** Classifies codes and statuses as the official SDK does. */
const kindOf = ({
  code = "",
  statusCode = 0
}: {
  readonly code?: string | undefined
  readonly statusCode?: number | undefined
}): Kind =>
  statusCode === 429 || throttlingCode.test(code)
    ? "throttling"
    : transientCode.test(code) || transientStatus.has(statusCode)
      ? "transient"
      : "final"

const throttlingCode =
  /^((Bandwidth|Request)LimitExceeded|(EC2Throttled|LimitExceeded|ProvisionedThroughputExceeded|Throttled|TooManyRequests|TransactionInProgress)Exception|(RequestThrottled|Throttling)(Exception)?|PriorRequestNotComplete|SlowDown)$/

const transientCode = /^(InternalServiceErrorException|RequestTimeout(Exception)?|TimeoutError)$/

const transientStatus: ReadonlySet<number> = new Set([500, 502, 503, 504])

/**
 * The errors that every operation can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type CommonError =
  | InvalidInputError
  | CredentialsError
  | CredentialsExpiredError
  | CredentialsRejectedError
  | AccessDeniedError
  | ClockSkewError
  | ConnectionError
  | RequestTimeoutError
  | UnexpectedResponseError
  | UnknownServiceError

/**
 * The exceptions of the service's model.
 *
 * @since 0.1.0
 * @category models
 */
export type ModelledException =
  | InternalServiceErrorException
  | ThrottlingException
  | InvalidProductCodeException
  | InvalidUsageDimensionException
  | InvalidTagException
  | InvalidUsageAllocationsException
  | InvalidCustomerIdentifierException
  | TimestampOutOfBoundsException
  | DisabledApiException
  | InvalidLicenseException
  | InvalidEndpointRegionException
  | DuplicateRequestException
  | IdempotencyConflictException
  | CustomerNotEntitledException
  | InvalidRegionException
  | InvalidPublicKeyVersionException
  | PlatformNotSupportedException
  | InvalidTokenException
  | ExpiredTokenException

/**
 * Every error that a call can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type MeteringError = ModelledException | CommonError

export type { Delivery } from "./internal/protocol/delivery.js"

/**
 * Returns the delivery of the failed attempt. An earlier attempt of the same request may have arrived: see
 * `MeteringRetry.trackDelivery`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { MeteringClient, MeteringError } from "effect-marketplace-metering"
 *
 * const program = MeteringClient.batchMeterUsage({ usageRecords: [] }).pipe(
 *   Effect.tapError((error) =>
 *     MeteringError.deliveryOf(error) === "unknown"
 *       ? Effect.logWarning("perhaps metered: keep the records, and send the same again")
 *       : Effect.logError(error.message)
 *   )
 * )
 * ```
 *
 * @since 0.1.0
 * @category utils
 */
export const deliveryOf: (error: MeteringError | MeteringConfigError) => delivery.Delivery =
  delivery.deliveryOf
