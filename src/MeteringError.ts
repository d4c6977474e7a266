/**
 * Everything that can go wrong with a call, one class each.
 *
 * The 19 exceptions of the service's model keep their AWS names. The situations that the model does not
 * know but that happen have classes of their own. Each error says what to do in its `message`, knows
 * whether trying again can help, and where the service answered, carries status, request id and the
 * service's own words. None holds a request, its headers, or anything that was signed.
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
 * // a client that fails, for a test
 * const throttled = Effect.fail(
 *   new MeteringError.ThrottlingException({ operation: "BatchMeterUsage", statusCode: 400 })
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { isCertificateError, isInvalidRequest } from "./internal/protocol/connectionFailures.js"
import * as delivery from "./internal/protocol/delivery.js"
import { responseSizeLimit } from "./internal/protocol/rawResponse.js"
import { Rule } from "./Preflight.js"

/**
 * The operations of the service.
 *
 * @since 0.1.0
 * @category models
 */
export const OperationName = Schema.Literal(
  "MeterUsage",
  "BatchMeterUsage",
  "RegisterUsage",
  "ResolveCustomer"
)

/**
 * @since 0.1.0
 * @category models
 */
export type OperationName = typeof OperationName.Type

/**
 * What every error of a call knows about itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Retryable {
  /** Whether the same request, sent again, may well succeed. */
  readonly isRetryable: boolean
  /** Whether the service asked for a slower pace. */
  readonly isThrottling: boolean
}

/**
 * What can be asked of every error of a call; what the service did not answer is absent. `serviceMessage` is what it
 * said, without anything that was signed, and `retryAfter` how long it asked to wait.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallError extends Retryable {
  /** The operation that was called. */
  readonly operation?: OperationName | undefined
  /** The HTTP status of the answer. */
  readonly statusCode?: number | undefined
  /** The id by which AWS can find the call. */
  readonly requestId?: string | undefined
  readonly serviceMessage?: string | undefined
  readonly retryAfter?: Duration.Duration | undefined
}

/** As `Schema.DurationFromMillis`, with no more than it takes to write and read one. */
const DurationFromMillis = Schema.transform(
  Schema.Number.pipe(Schema.filter((millis) => millis >= 0)),
  Schema.declare(Duration.isDuration, {
    arbitrary: () => (fc) => fc.nat().map(Duration.millis),
    pretty: () => String
  }),
  { strict: true, decode: Duration.millis, encode: Duration.toMillis }
)

type Kind = "final" | "transient" | "throttling"

const errorFields = {
  operation: OperationName,
  statusCode: Schema.optional(Schema.Number),
  requestId: Schema.optional(Schema.String),
  /** What the service said, without anything that was signed. */
  serviceMessage: Schema.optional(Schema.String),
  /** How long the service asked to wait. */
  retryAfter: Schema.optional(DurationFromMillis)
}

/** Made once for all the exceptions, and not for each when a program starts. */
const ErrorFields = Schema.Struct(errorFields)

/** A spread would keep a class in every bundle; a call can be dropped. */
const withErrorFields = <F extends Schema.Struct.Fields>(fields: F): typeof errorFields & F => ({
  ...errorFields,
  ...fields
})

/** Present when the call was a dry run, by which nothing is metered. */
const dryRun = Schema.optional(Schema.Literal(true))

type MessageParts = {
  readonly [K in keyof typeof errorFields]?: Schema.Struct.Type<typeof errorFields>[K] | undefined
}

/** An error as `Schema.TaggedError` makes it, that can classify and explain itself. */
type ErrorClass<Self, Tag extends string, F extends Schema.Struct.Fields> = Schema.Class<
  Self,
  { readonly _tag: Schema.tag<Tag> } & F,
  Schema.Struct.Encoded<{ readonly _tag: Schema.tag<Tag> } & F>,
  Schema.Struct.Context<F>,
  Schema.Struct.Constructor<F>,
  CallError,
  Cause.YieldableError
> & { readonly _tag: Tag }

const define =
  <Self>() =>
  <const Tag extends string, F extends Schema.Struct.Fields>(
    tag: Tag,
    fields: F | Schema.Struct<F>,
    advise: (self: Schema.Struct.Type<F>) => string,
    kind: (self: Schema.Struct.Type<F>) => Kind = () => "final"
  ): ErrorClass<Self, Tag, F> => {
    type Fields = Schema.Struct.Type<F>
    const Base = Schema.TaggedError<Retryable & Cause.YieldableError>(
      `effect-marketplace-metering/${tag}`
    )(tag, fields)
    Object.defineProperties(Base.prototype, {
      message: {
        configurable: true,
        get(this: Fields & MessageParts) {
          return formatMessage(this, advise(this))
        }
      },
      isRetryable: {
        get(this: Fields) {
          return kind(this) !== "final"
        }
      },
      isThrottling: {
        get(this: Fields) {
          return kind(this) === "throttling"
        }
      }
    })
    // the getters are on the prototype, where the type of Schema.TaggedError cannot show them
    return Base as never
  }

/** "BatchMeterUsage: <advice> The service says: <message> (HTTP 400, request 1a2b)" */
const formatMessage = (
  { operation, requestId, serviceMessage, statusCode }: MessageParts,
  advice: string
): string => {
  const where = [statusCode && `HTTP ${statusCode}`, requestId && `request ${requestId}`]
    .filter(Boolean)
    .join(", ")
  return [
    operation && `${operation}:`,
    advice,
    serviceMessage && `The service says: ${serviceMessage}`,
    where && `(${where})`
  ]
    .filter(Boolean)
    .join(" ")
}

const exception =
  <Self>() =>
  <const Tag extends string>(
    tag: Tag,
    advice: string,
    kind: Kind = "final"
  ): ErrorClass<Self, Tag, typeof errorFields> =>
    define<Self>()(
      tag,
      ErrorFields,
      () => advice,
      () => kind
    )

/**
 * An internal fault of the service.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InternalServiceErrorException extends exception<InternalServiceErrorException>()(
  "InternalServiceErrorException",
  "The service failed; send the same request again.",
  "transient"
) {}

/**
 * Calls come faster than the service allows.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class ThrottlingException extends exception<ThrottlingException>()(
  "ThrottlingException",
  "Too many calls; send the same request again, slower.",
  "throttling"
) {}

/**
 * The product code does not match a product of this account.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidProductCodeException extends exception<InvalidProductCodeException>()(
  "InvalidProductCodeException",
  "The product code is not one of this account's products, or may not be used here."
) {}

/**
 * The dimension is not one of the product's; case counts.
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
 * A tag is not valid, or there are more than 5 on an allocation.
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
 * Allocations do not add up to the quantity, repeat a set of tags, or are more than 2500.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidUsageAllocationsException extends exception<InvalidUsageAllocationsException>()(
  "InvalidUsageAllocationsException",
  "Allocations do not add up, repeat a set of tags, or are too many."
) {}

/**
 * The customer identifier is not one of this product's.
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
 * The timestamp is too far back or ahead: 24 hours for BatchMeterUsage, 6 hours for MeterUsage, and 06:00 UTC on the first for last month.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class TimestampOutOfBoundsException extends exception<TimestampOutOfBoundsException>()(
  "TimestampOutOfBoundsException",
  "A timestamp is too far back or ahead; do not send the usage again with another."
) {}

/**
 * The operation is switched off in this Region.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class DisabledApiException extends exception<DisabledApiException>()(
  "DisabledApiException",
  "This operation is disabled in this Region."
) {}

/**
 * The licence is not one of this customer's, or not active.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidLicenseException extends exception<InvalidLicenseException>()(
  "InvalidLicenseException",
  "A licence is not valid, not active, or another customer's."
) {}

/**
 * The endpoint's Region is not the one of the instance, task or pod.
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
 * A metering record was already sent for this hour and dimension with another quantity.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class DuplicateRequestException extends exception<DuplicateRequestException>()(
  "DuplicateRequestException",
  "Another quantity was metered for this hour and dimension, and stays billed."
) {}

/**
 * The client token was already used with other parameters.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_MeterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class IdempotencyConflictException extends exception<IdempotencyConflictException>()(
  "IdempotencyConflictException",
  "This client token was used for another request; a new charge needs a new request."
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
 * RegisterUsage must be called in the Region that the task or pod runs in.
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
 * The version of the public key is not valid.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class InvalidPublicKeyVersionException extends exception<InvalidPublicKeyVersionException>()(
  "InvalidPublicKeyVersionException",
  "The public key version is not one of the product's."
) {}

/**
 * RegisterUsage does not support the platform that called.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_RegisterUsage.html
 * @since 0.1.0
 * @category exceptions
 */
export class PlatformNotSupportedException extends exception<PlatformNotSupportedException>()(
  "PlatformNotSupportedException",
  "The service does not know this platform; call it from ECS, EKS or Fargate."
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
 * The buyer's registration token has expired. Never the seller's AWS credentials: that is `CredentialsExpiredError`.
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
 * What is wrong with one field of a request: which record (`index`, from 0, where there are several), which
 * field, which rule, what the rule expects, and the value unless the field is a secret or has none.
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
 * The input breaks a rule of the service or is not of the right type; nothing was sent.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidInputError extends define<InvalidInputError>()(
  "InvalidInputError",
  { operation: Schema.optional(OperationName), violations: Schema.NonEmptyArray(Violation) },
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

/** JSON would say null for NaN, and what a value is described by is no text of its own. */
const formatValue = (value: unknown): string =>
  typeof value === "string" && !summaryPattern.test(value) ? JSON.stringify(value) : String(value)

const summaryPattern = /^(a list of \d+|an object|a Date|a (bigint|function|symbol))$/

/**
 * The client cannot be built from this configuration.
 *
 * @since 0.1.0
 * @category errors
 */
export class MeteringConfigError extends define<MeteringConfigError>()(
  "MeteringConfigError",
  { reason: Schema.String },
  (self) => self.reason
) {}

/**
 * No AWS credentials could be had; nothing was sent. `tried` names the sources that were asked.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsError extends define<CredentialsError>()(
  "CredentialsError",
  {
    operation: Schema.optional(OperationName),
    tried: Schema.Array(Schema.String),
    reason: Schema.String
  },
  (self) => `No AWS credentials from ${self.tried?.join(", ")}: ${self.reason}. Nothing was sent.`
) {}

/**
 * The AWS credentials have expired: others that were asked for have as well, are the same, or could not be had,
 * and then `refreshError` says why.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsExpiredError extends define<CredentialsExpiredError>()(
  "CredentialsExpiredError",
  withErrorFields({ code: Schema.String, refreshError: Schema.optional(Schema.String) }),
  (self) => {
    const refreshError =
      self.refreshError === undefined ? "" : ` No others could be had: ${self.refreshError}.`
    return `The AWS credentials have expired; renew the session that they come from.${refreshError}`
  }
) {}

/**
 * The service does not accept the AWS credentials or the signature made with them.
 *
 * @since 0.1.0
 * @category errors
 */
export class CredentialsRejectedError extends define<CredentialsRejectedError>()(
  "CredentialsRejectedError",
  withErrorFields({ code: Schema.String }),
  (self) => `The service refused the AWS credentials (${self.code}); check key, secret and token.`
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
  withErrorFields({ code: Schema.String }),
  (self) =>
    `Access denied (${self.code}); allow aws-marketplace:${self.operation} in the caller's policy.`
) {}

/**
 * The service refuses this machine's clock, and correcting it by the service's `Date` did not help.
 *
 * @since 0.1.0
 * @category errors
 */
export class ClockSkewError extends define<ClockSkewError>()(
  "ClockSkewError",
  withErrorFields({ code: Schema.String }),
  (self) => `This machine's clock is off (${self.code}); set it by NTP.`
) {}

/**
 * The connection failed before an answer came.
 *
 * `delivery` tells what became of the request: `notSent` when no connection was ever made, its TLS handshake
 * included, and otherwise `unknown`: the service may have metered it. Sending the same request again is safe either way.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionError extends define<ConnectionError>()(
  "ConnectionError",
  {
    operation: OperationName,
    /** Scheme, host and port that were to be reached. */
    endpoint: Schema.String,
    /** What the network said, such as `ECONNREFUSED`, or with what status a proxy refused to connect. */
    reason: Schema.String,
    delivery: Schema.Literal("notSent", "unknown"),
    dryRun
  },
  (self) =>
    `No answer from ${self.endpoint}: ${self.reason}. ${
      self.delivery === "notSent"
        ? isInvalidRequest(self.reason ?? "")
          ? "Nothing was sent; a header holds what none may: look for line breaks in the credentials."
          : "Nothing was sent; check endpoint and network, and send the same request."
        : retryAdvice(self)
    }`,
  (self) => (isPermanent(self.reason ?? "") ? "final" : "transient")
) {}

/**
 * No answer came in time; the service may have metered the request all the same.
 *
 * @since 0.1.0
 * @category errors
 */
export class RequestTimeoutError extends define<RequestTimeoutError>()(
  "RequestTimeoutError",
  { operation: OperationName, endpoint: Schema.String, timeout: DurationFromMillis, dryRun },
  (self) =>
    `No answer from ${self.endpoint} within ${self.timeout === undefined ? "the time" : Duration.format(self.timeout)}. ${retryAdvice(self)}`,
  () => "transient"
) {}

/**
 * The answer is not one of the service: a proxy's page, an empty or a broken body, or more than 4 MiB of anything. Or it
 * lacks what the call was made for, which `missing` names: a success of MeterUsage without a receipt is none.
 *
 * The body is not kept, since nobody knows whose words it holds. An answer of status 2xx that cannot be
 * read leaves open whether the usage was metered; sending the same request again is safe.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnexpectedResponseError extends define<UnexpectedResponseError>()(
  "UnexpectedResponseError",
  withErrorFields({
    contentType: Schema.optional(Schema.String),
    /** Length of the body in characters. A longer one than 4 MiB is not read to its end. */
    bodyLength: Schema.Number,
    /** What the call was made for and the response lacks, such as `MeteringRecordId`. */
    missing: Schema.optional(Schema.String),
    dryRun
  }),
  (self) => {
    const what = self.missing === undefined ? "is not one of the service" : `has no ${self.missing}`
    const length =
      self.bodyLength > responseSizeLimit ? "more than 4 MiB" : `${self.bodyLength} characters`
    return `The answer ${what} (${self.contentType ?? "no content type"}, ${length}). ${adviceFor(self)}`
  },
  ({ statusCode = 0 }) =>
    statusCode >= 200 && statusCode < 300 ? "transient" : kindOf({ statusCode })
) {}

/**
 * The service answered with a code that its model does not have for this operation; `code` is its name.
 *
 * @since 0.1.0
 * @category errors
 */
export class UnknownServiceError extends define<UnknownServiceError>()(
  "UnknownServiceError",
  withErrorFields({ code: Schema.String }),
  (self) => `The service answered ${self.code}, which its model does not have for this operation.`,
  (self) => kindOf(self)
) {}

interface RetryContext {
  readonly operation?: OperationName | undefined
  readonly dryRun?: true | undefined
}

/** Not every operation meters, and no dry run does. */
const retryAdvice = ({ dryRun, operation }: RetryContext): string =>
  dryRun !== true && (operation === "MeterUsage" || operation === "BatchMeterUsage")
    ? "It may have been metered; to send the same request again is safe."
    : "To send the same request again is safe."

/** A stranger's answer is a gateway's that is down, an answer of the service cut short, or the wrong address. */
const adviceFor = ({
  statusCode = 0,
  ...attempted
}: RetryContext & { readonly statusCode?: number | undefined }): string =>
  statusCode >= 200 && statusCode < 300
    ? retryAdvice(attempted)
    : transientStatus.has(statusCode) || statusCode === 429
      ? "Send the same request again later."
      : "Look for a proxy or a wrong endpoint."

/** Where trying again meets the same until a person has changed something. */
const isPermanent = (reason: string): boolean =>
  /^(EndpointError|InvalidUrl|Encode|the proxy answers CONNECT with HTTP 4(?!08|29).*)$/.test(
    reason
  ) ||
  isCertificateError(reason) ||
  isInvalidRequest(reason)

/** Classifies what the model does not, as the official SDK does. */
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
 * What can happen to any call, whatever the operation.
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
 * What became of the request of one attempt. An earlier attempt may have come to more: see
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
