/**
 * The names of the Haskell package `amazonka-marketplace-metering`: lenses, matchers and smart constructors.
 *
 * They help to port programs from it. New code is simpler with `UsageRecord.make`, property access and `Effect.catchTag`.
 *
 * - Each lens has its names of versions 1.6 and 2.0, such as `urTimestamp` and `usageRecord_timestamp`. Both are the
 *   same optic. Fields and exceptions that AWS added later follow the same pattern.
 * - A `Maybe` is an `Option`. `None` removes the key. A key that holds `undefined` reads as `None`.
 * - An edited value stays an instance of its class.
 * - A lens does not validate, because a rule about several fields can break between two edits. Sending validates, and
 *   so does `makeEither` of the value's module.
 *
 * @example
 * ```ts
 * import { type DateTime, Option, pipe } from "effect"
 * import { Accessors, MeteringClient, Optic } from "effect-marketplace-metering"
 *
 * const report = (timestamp: DateTime.Utc) => {
 *   const record = pipe(
 *     Accessors.usageRecord(timestamp, "9vYkXcDqW7C", "api-calls", 42),
 *     Optic.replace(Accessors.urCustomerIdentifier, Option.none()),
 *     Optic.replace(Accessors.urCustomerAWSAccountId, Option.some("111122223333"))
 *   )
 *   return pipe(
 *     Accessors.batchMeterUsage("4v9hm1u3i5p7l3c0"),
 *     Optic.replace(Accessors.bmuUsageRecords, [record])
 *   )
 * }
 *
 * const program = (usedAt: DateTime.Utc) => MeteringClient.batchMeterUsage(report(usedAt))
 * ```
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import {
  type BatchMeterUsageRequest,
  BatchMeterUsageResponse,
  make as makeBatchMeterUsage
} from "./BatchMeterUsage.js"
import { exception, optionalKey, refined, requiredKey } from "./internal/lenses.js"
import type * as MeteringError from "./MeteringError.js"
import { type MeterUsageRequest, MeterUsageResponse, make as makeMeterUsage } from "./MeterUsage.js"
import type * as Optic from "./Optic.js"
import {
  make as makeRegisterUsage,
  type RegisterUsageRequest,
  RegisterUsageResponse
} from "./RegisterUsage.js"
import {
  make as makeResolveCustomer,
  type ResolveCustomerRequest,
  ResolveCustomerResponse
} from "./ResolveCustomer.js"
import {
  makeTag,
  make as makeUsageAllocation,
  type Tag,
  type UsageAllocation
} from "./UsageAllocation.js"
import {
  make as makeUsageRecord,
  type UsageRecord,
  UsageRecordResult,
  type UsageRecordResultStatus
} from "./UsageRecord.js"

/**
 * Names, API version, endpoint prefix and signing name of the service.
 *
 * @since 0.1.0
 * @category constants
 */
export { marketplaceMetering } from "./Operation.js"

/**
 * The time of the usage, in UTC.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { Accessors, type UsageRecord } from "effect-marketplace-metering"
 *
 * export const onTheHour: (record: UsageRecord.UsageRecord) => UsageRecord.UsageRecord =
 *   Accessors.urTimestamp.modify(DateTime.startOf("hour"))
 * ```
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urTimestamp: Optic.Lens<UsageRecord, DateTime.Utc> = requiredKey("timestamp")

/**
 * The buyer's identifier in older listings. `None` if the record has `customerAWSAccountId`.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urCustomerIdentifier: Optic.Lens<UsageRecord, Option.Option<string>> = optionalKey(
  "customerIdentifier"
)

/**
 * The dimension, as named in the listing. Case-sensitive.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urDimension: Optic.Lens<UsageRecord, string> = requiredKey("dimension")

/**
 * The quantity, in whole units.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urQuantity: Optic.Lens<UsageRecord, number> = requiredKey("quantity")

/**
 * The quantity, allocated by tags.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urUsageAllocations: Optic.Lens<
  UsageRecord,
  Option.Option<Arr.NonEmptyReadonlyArray<UsageAllocation>>
> = optionalKey("usageAllocations")

/**
 * The buyer's AWS account: 12 digits.
 *
 * @example
 * ```ts
 * import { DateTime, Option, pipe } from "effect"
 * import { Accessors, UsageRecord } from "effect-marketplace-metering"
 *
 * const record = UsageRecord.make({
 *   timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
 *   dimension: "api-calls",
 *   quantity: 42,
 *   customerIdentifier: "9vYkXcDqW7C"
 * })
 * const moved = pipe(
 *   record,
 *   Accessors.urCustomerIdentifier.modify(Option.none),
 *   Accessors.urCustomerAWSAccountId.modify(() => Option.some("111122223333"))
 * )
 *
 * Accessors.urCustomerAWSAccountId.get(record) // Option.none()
 * Accessors.urCustomerAWSAccountId.get(moved) // Option.some("111122223333")
 * "customerIdentifier" in moved // false
 * ```
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urCustomerAWSAccountId: Optic.Lens<UsageRecord, Option.Option<string>> = optionalKey(
  "customerAWSAccountId"
)

/**
 * The license of the agreement, for listings from June 2026 on.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urLicenseArn: Optic.Lens<UsageRecord, Option.Option<string>> = optionalKey(
  "licenseArn"
)

/**
 * The status of the record. A value that this version does not know is kept unchanged.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const urrStatus: Optic.Lens<
  UsageRecordResult,
  Option.Option<UsageRecordResultStatus>
> = optionalKey("status")

/**
 * The record, as the service returned it.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const urrUsageRecord: Optic.Lens<
  UsageRecordResult,
  Option.Option<UsageRecord>
> = optionalKey("usageRecord")

/**
 * The id of the metering record.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const urrMeteringRecordId: Optic.Lens<
  UsageRecordResult,
  Option.Option<string>
> = optionalKey("meteringRecordId")

/**
 * The quantity allocated to these tags, in whole units.
 *
 * @since 0.1.0
 * @category UsageAllocation
 */
export const uaAllocatedUsageQuantity: Optic.Lens<UsageAllocation, number> =
  requiredKey("allocatedUsageQuantity")

/**
 * The tags. `None` for the untagged quantity.
 *
 * @since 0.1.0
 * @category UsageAllocation
 */
export const uaTags: Optic.Lens<
  UsageAllocation,
  Option.Option<Arr.NonEmptyReadonlyArray<Tag>>
> = optionalKey("tags")

/**
 * The key of the tag.
 *
 * @since 0.1.0
 * @category Tag
 */
export const tagKey: Optic.Lens<Tag, string> = requiredKey("key")

/**
 * The value of the tag.
 *
 * @since 0.1.0
 * @category Tag
 */
export const tagValue: Optic.Lens<Tag, string> = requiredKey("value")

/**
 * The records to report, at most 25.
 *
 * @since 0.1.0
 * @category BatchMeterUsageRequest
 */
export const bmuUsageRecords: Optic.Lens<
  BatchMeterUsageRequest,
  ReadonlyArray<UsageRecord>
> = requiredKey("usageRecords")

/**
 * The product of all records. `None` if each record has a `licenseArn`.
 *
 * @since 0.1.0
 * @category BatchMeterUsageRequest
 */
export const bmuProductCode: Optic.Lens<
  BatchMeterUsageRequest,
  Option.Option<string>
> = optionalKey("productCode")

/**
 * The results of the records that the service processed.
 *
 * @example
 * ```ts
 * import { Optic } from "effect-marketplace-metering"
 * import { bmursResults, urrStatus } from "effect-marketplace-metering/Accessors"
 *
 * const _statuses = bmursResults.forEach((result) => result.compose(urrStatus).compose(Optic.some()))
 *
 * export const statuses = Optic.getAll(_statuses) // a response's statuses, as an array
 * ```
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const bmursResults: Optic.Lens<
  BatchMeterUsageResponse,
  ReadonlyArray<UsageRecordResult>
> = requiredKey("results")

/**
 * The records that the service did not process. Send them again.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const bmursUnprocessedRecords: Optic.Lens<
  BatchMeterUsageResponse,
  ReadonlyArray<UsageRecord>
> = requiredKey("unprocessedRecords")

/**
 * The HTTP status of the response.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const bmursResponseStatus: Optic.Lens<BatchMeterUsageResponse, number> =
  requiredKey("statusCode")

/**
 * The product code.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muProductCode: Optic.Lens<MeterUsageRequest, string> = requiredKey("productCode")

/**
 * The time of the usage, in UTC.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muTimestamp: Optic.Lens<MeterUsageRequest, DateTime.Utc> = requiredKey("timestamp")

/**
 * The dimension, as named in the listing. Case-sensitive.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muUsageDimension: Optic.Lens<MeterUsageRequest, string> = requiredKey("usageDimension")

/**
 * The quantity, in whole units.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muUsageQuantity: Optic.Lens<MeterUsageRequest, number> = requiredKey("usageQuantity")

/**
 * True for a dry run, which checks the permission and meters nothing.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muDryRun: Optic.Lens<MeterUsageRequest, boolean> = requiredKey("dryRun")

/**
 * The quantity, allocated by tags.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muUsageAllocations: Optic.Lens<
  MeterUsageRequest,
  Option.Option<Arr.NonEmptyReadonlyArray<UsageAllocation>>
> = optionalKey("usageAllocations")

/**
 * The idempotency token. To retry, send the same token, because a new token is a new charge.
 *
 * Each request is made with a token. `None` only in a request decoded from a client that sent none.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muClientToken: Optic.Lens<MeterUsageRequest, Option.Option<string>> = optionalKey(
  "clientToken"
)

/**
 * The id of the metering record.
 *
 * @since 0.1.0
 * @category MeterUsageResponse
 */
export const mursMeteringRecordId: Optic.Lens<
  MeterUsageResponse,
  Option.Option<string>
> = optionalKey("meteringRecordId")

/**
 * The HTTP status of the response.
 *
 * @since 0.1.0
 * @category MeterUsageResponse
 */
export const mursResponseStatus: Optic.Lens<MeterUsageResponse, number> = requiredKey("statusCode")

/**
 * The product code.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const ruProductCode: Optic.Lens<RegisterUsageRequest, string> = requiredKey("productCode")

/**
 * The version of the product's public key, from 1.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const ruPublicKeyVersion: Optic.Lens<RegisterUsageRequest, number> =
  requiredKey("publicKeyVersion")

/**
 * A text chosen by the caller, which the signed token of the response repeats.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const ruNonce: Optic.Lens<RegisterUsageRequest, Option.Option<string>> = optionalKey("nonce")

/**
 * The JWT that proves the entitlement. Verify it with `Entitlement.verify`.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const rursSignature: Optic.Lens<RegisterUsageResponse, Option.Option<string>> = optionalKey(
  "signature"
)

/**
 * The time from which the version of the public key is invalid. Present only if it has expired.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const rursPublicKeyRotationTimestamp: Optic.Lens<
  RegisterUsageResponse,
  Option.Option<DateTime.Utc>
> = optionalKey("publicKeyRotationTimestamp")

/**
 * The HTTP status of the response.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const rursResponseStatus: Optic.Lens<RegisterUsageResponse, number> =
  requiredKey("statusCode")

/**
 * The registration token from the buyer's browser.
 *
 * @since 0.1.0
 * @category ResolveCustomerRequest
 */
export const rcRegistrationToken: Optic.Lens<ResolveCustomerRequest, Redacted.Redacted> =
  requiredKey("registrationToken")

/**
 * The buyer's identifier. `None` for products listed from June 2026 on.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsCustomerIdentifier: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("customerIdentifier")

/**
 * The product code of the subscription.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsProductCode: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("productCode")

/**
 * The buyer's AWS account: 12 digits.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsCustomerAWSAccountId: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("customerAWSAccountId")

/**
 * The license of the agreement.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsLicenseArn: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("licenseArn")

/**
 * The HTTP status of the response.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsResponseStatus: Optic.Lens<ResolveCustomerResponse, number> =
  requiredKey("statusCode")

/**
 * Matches `InvalidEndpointRegionException`: the endpoint is not in the Region of the instance, task or pod.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidEndpointRegionException = exception("InvalidEndpointRegionException")

/**
 * Matches `InvalidProductCodeException`: this account has no product with this code.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidProductCodeException = exception("InvalidProductCodeException")

/**
 * Matches `InvalidUsageDimensionException`: the product does not have this dimension.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidUsageDimensionException = exception("InvalidUsageDimensionException")

/**
 * Matches `DuplicateRequestException`: another quantity was already metered for this hour and dimension.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _DuplicateRequestException = exception("DuplicateRequestException")

/**
 * Matches `TimestampOutOfBoundsException`: the timestamp is too far in the past or future.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _TimestampOutOfBoundsException = exception("TimestampOutOfBoundsException")

/**
 * Matches `ThrottlingException`: the rate of calls exceeds the quota.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Accessors, type MeteringError } from "effect-marketplace-metering"
 *
 * export const isThrottled = (error: MeteringError.MeteringError) =>
 *   Either.isRight(Accessors._ThrottlingException.getResult(error))
 * ```
 *
 * @since 0.1.0
 * @category matchers
 */
export const _ThrottlingException = exception("ThrottlingException")

/**
 * Matches `InternalServiceErrorException`: an internal error of the service.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InternalServiceErrorException = exception("InternalServiceErrorException")

/**
 * Matches `InvalidTokenException`: the registration token is not valid.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidTokenException = exception("InvalidTokenException")

/**
 * Matches `ExpiredTokenException`: the registration token has expired; expired AWS credentials are `CredentialsExpiredError`.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _ExpiredTokenException = exception("ExpiredTokenException")

/**
 * Matches `InvalidCustomerIdentifierException`: the product does not have this customer.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidCustomerIdentifierException = exception("InvalidCustomerIdentifierException")

/**
 * Matches `CustomerNotEntitledException`: the customer has no agreement for this product.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _CustomerNotEntitledException = exception("CustomerNotEntitledException")

/**
 * Matches `DisabledApiException`: the operation is disabled in this Region.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _DisabledApiException = exception("DisabledApiException")

/**
 * Matches `InvalidPublicKeyVersionException`: the product has no public key of this version.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidPublicKeyVersionException = exception("InvalidPublicKeyVersionException")

/**
 * Matches `InvalidRegionException`: RegisterUsage was not called in the Region of the task or pod.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidRegionException = exception("InvalidRegionException")

/**
 * Matches `InvalidTagException`: a tag is not valid, or an allocation has too many.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidTagException = exception("InvalidTagException")

/**
 * Matches `InvalidUsageAllocationsException`: allocations do not sum to the quantity, repeat a tag set, or are too many.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidUsageAllocationsException = exception("InvalidUsageAllocationsException")

/**
 * Matches `PlatformNotSupportedException`: RegisterUsage does not support the caller's platform.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _PlatformNotSupportedException = exception("PlatformNotSupportedException")

/**
 * Matches `IdempotencyConflictException`: the client token was already used with other parameters.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _IdempotencyConflictException = exception("IdempotencyConflictException")

/**
 * Matches `InvalidLicenseException`: the license belongs to another customer, or is not active.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidLicenseException = exception("InvalidLicenseException")

/**
 * An error that the service returned: an exception of its model, or an error that has the service's `code`.
 *
 * @since 0.1.0
 * @category models
 */
export type ServiceError =
  | MeteringError.ModelledException
  | Extract<MeteringError.CommonError, { readonly code: string }>

/**
 * Narrows the errors `E` to those that have this code.
 *
 * @since 0.1.0
 * @category models
 */
export type WithCode<E, Code extends string> = E extends ServiceError
  ? E extends { readonly code: string }
    ? E & { readonly code: Code }
    : E extends { readonly _tag: Code }
      ? E
      : never
  : never

/**
 * Narrows the errors `E` to those of a response with this HTTP status.
 *
 * @since 0.1.0
 * @category models
 */
export type WithStatus<E, Status extends number> = E extends
  | ServiceError
  | MeteringError.UnexpectedResponseError
  ? E & { readonly statusCode: Status }
  : never

// the type requires all tags of client errors, and no other
const clientErrors: {
  readonly [Tag in Exclude<MeteringError.MeteringError, ServiceError>["_tag"]]: true
} = {
  ConnectionError: true,
  CredentialsError: true,
  InvalidInputError: true,
  RequestTimeoutError: true,
  UnexpectedResponseError: true
}

const isServiceError = (error: MeteringError.MeteringError): error is ServiceError =>
  !Object.hasOwn(clientErrors, error._tag)

/**
 * Matches each error that the service returned. Errors of the client, such as `ConnectionError`, do not match.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _ServiceError: Optic.Prism<MeteringError.MeteringError, ServiceError> = refined(
  isServiceError,
  "an error of the service"
)

/**
 * Matches by the service's error code: the tag of an exception, or `code`.
 *
 * A code that the model does not have for the operation is an `UnknownServiceError`. `hasCode` also matches such an error,
 * whereas a matcher such as `_InvalidTokenException` does not.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { Accessors, type MeteringError } from "effect-marketplace-metering"
 *
 * export const isUnavailable = (error: MeteringError.MeteringError) =>
 *   Either.isRight(Accessors.hasCode("ServiceUnavailable").getResult(error))
 *
 * export const _badGateway = Accessors._ServiceError.compose(Accessors.hasStatus(502))
 * ```
 *
 * @since 0.1.0
 * @category matchers
 */
export const hasCode = <E extends MeteringError.MeteringError, Code extends string>(
  code: Code
): Optic.Prism<E, WithCode<E, Code>> =>
  refined(
    (error): error is WithCode<E, Code> =>
      isServiceError(error) && ("code" in error ? error.code : error._tag) === code,
    `the code ${JSON.stringify(code)}`
  )

const statusOf = (error: MeteringError.MeteringError): number | undefined =>
  "statusCode" in error ? error.statusCode : undefined

/**
 * Matches by the HTTP status of the response.
 *
 * @since 0.1.0
 * @category matchers
 */
export const hasStatus = <E extends MeteringError.MeteringError, Status extends number>(
  status: Status
): Optic.Prism<E, WithStatus<E, Status>> =>
  refined(
    (error): error is WithStatus<E, Status> => statusOf(error) === status,
    `the HTTP status ${status}`
  )

const makeHttpStatus = (): Optic.Optional<MeteringError.MeteringError, number> =>
  refined(
    (
      error: MeteringError.MeteringError
    ): error is WithStatus<MeteringError.MeteringError, number> => statusOf(error) !== undefined,
    "an HTTP status"
  ).compose(requiredKey("statusCode"))

/**
 * The HTTP status of the response. Does not match an error without a response.
 *
 * @example
 * ```ts
 * import { Either, Option } from "effect"
 * import { Accessors, type MeteringError } from "effect-marketplace-metering"
 *
 * export const isServerFault = (error: MeteringError.MeteringError) =>
 *   Option.exists(Either.getRight(Accessors.httpStatus.getResult(error)), (status) => status >= 500)
 * ```
 *
 * @since 0.1.0
 * @category matchers
 */
export const httpStatus: Optic.Optional<MeteringError.MeteringError, number> = makeHttpStatus()

/**
 * Makes a record for a customer identifier. Throws `InvalidInputError` if a field is invalid.
 *
 * @example
 * ```ts
 * import { DateTime, Option } from "effect"
 * import { Accessors, UsageAllocation } from "effect-marketplace-metering"
 *
 * const record = Accessors.usageRecord(DateTime.unsafeMake("2026-11-24T10:15:00Z"), "9vYkXcDqW7C", "api-calls", 42)
 *
 * export const allocated = Accessors.urUsageAllocations.replace(
 *   Option.some([UsageAllocation.UsageAllocation.make({ allocatedUsageQuantity: 42 })]),
 *   record
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const usageRecord = (
  timestamp: DateTime.Utc,
  customerIdentifier: string,
  dimension: string,
  quantity: number
): UsageRecord => makeUsageRecord({ timestamp, customerIdentifier, dimension, quantity })

/**
 * Makes an empty result of a record.
 *
 * @since 0.1.0
 * @category constructors
 */
export const usageRecordResult = (): UsageRecordResult => new UsageRecordResult({})

/**
 * Makes an untagged allocation. Throws `InvalidInputError` if the quantity is not a whole number from 0 to 2147483647.
 *
 * @since 0.1.0
 * @category constructors
 */
export const usageAllocation = (allocatedUsageQuantity: number): UsageAllocation =>
  makeUsageAllocation({ allocatedUsageQuantity })

/**
 * Makes a tag. Throws `InvalidInputError` if the key or value is too long or has invalid characters.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tag = (key: string, value: string): Tag => makeTag({ key, value })

/**
 * Makes a request for one product, without records. Throws `InvalidInputError` if the product code is invalid.
 *
 * For records with a `licenseArn`, remove the product code.
 *
 * @example
 * ```ts
 * import { Option, pipe } from "effect"
 * import { Accessors, Optic, type UsageRecord } from "effect-marketplace-metering"
 *
 * const ofProduct = (records: ReadonlyArray<UsageRecord.UsageRecord>) =>
 *   Accessors.bmuUsageRecords.replace(records, Accessors.batchMeterUsage("4v9hm1u3i5p7l3c0"))
 *
 * export const byLicense = (records: ReadonlyArray<UsageRecord.UsageRecord>) =>
 *   pipe(ofProduct(records), Optic.replace(Accessors.bmuProductCode, Option.none()))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const batchMeterUsage = (productCode: string): BatchMeterUsageRequest =>
  makeBatchMeterUsage({ productCode, usageRecords: [] })

/**
 * Makes an empty BatchMeterUsage response with this HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const batchMeterUsageResponse = (statusCode: number): BatchMeterUsageResponse =>
  new BatchMeterUsageResponse({ statusCode })

/**
 * Makes a MeterUsage request with a new client token. Throws `InvalidInputError` if a field is invalid.
 *
 * @example
 * ```ts
 * import type { DateTime } from "effect"
 * import { Accessors, MeteringClient } from "effect-marketplace-metering"
 *
 * export const program = (usedAt: DateTime.Utc) =>
 *   MeteringClient.meterUsage(Accessors.meterUsage("4v9hm1u3i5p7l3c0", usedAt, "hosts", 3, false))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const meterUsage = (
  productCode: string,
  timestamp: DateTime.Utc,
  usageDimension: string,
  usageQuantity: number,
  dryRun: boolean
): MeterUsageRequest =>
  makeMeterUsage({ productCode, timestamp, usageDimension, usageQuantity, dryRun })

/**
 * Makes an empty MeterUsage response with this HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const meterUsageResponse = (statusCode: number): MeterUsageResponse =>
  new MeterUsageResponse({ statusCode })

/**
 * Makes a RegisterUsage request. Throws `InvalidInputError` if a field is invalid.
 *
 * @since 0.1.0
 * @category constructors
 */
export const registerUsage = (
  productCode: string,
  publicKeyVersion: number
): RegisterUsageRequest => makeRegisterUsage({ productCode, publicKeyVersion })

/**
 * Makes an empty RegisterUsage response with this HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const registerUsageResponse = (statusCode: number): RegisterUsageResponse =>
  new RegisterUsageResponse({ statusCode })

/**
 * Makes a ResolveCustomer request. Throws `InvalidInputError` if the token is empty. The error does not show the token.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import { Accessors } from "effect-marketplace-metering"
 *
 * export const request = (token: string) => Accessors.resolveCustomer(Redacted.make(token))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveCustomer = (registrationToken: Redacted.Redacted): ResolveCustomerRequest =>
  makeResolveCustomer({ registrationToken })

/**
 * Makes an empty ResolveCustomer response with this HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveCustomerResponse = (statusCode: number): ResolveCustomerResponse =>
  new ResolveCustomerResponse({ statusCode })

/**
 * The lens's name in version 2.0 of `amazonka-marketplace-metering`: the same optic.
 *
 * @since 0.1.0
 * @category 2.0 names
 */
export {
  bmuProductCode as batchMeterUsage_productCode,
  bmursResponseStatus as batchMeterUsageResponse_httpStatus,
  bmursResults as batchMeterUsageResponse_results,
  bmursUnprocessedRecords as batchMeterUsageResponse_unprocessedRecords,
  bmuUsageRecords as batchMeterUsage_usageRecords,
  httpStatus as _HttpStatus,
  muClientToken as meterUsage_clientToken,
  muDryRun as meterUsage_dryRun,
  muProductCode as meterUsage_productCode,
  mursMeteringRecordId as meterUsageResponse_meteringRecordId,
  mursResponseStatus as meterUsageResponse_httpStatus,
  muTimestamp as meterUsage_timestamp,
  muUsageAllocations as meterUsage_usageAllocations,
  muUsageDimension as meterUsage_usageDimension,
  muUsageQuantity as meterUsage_usageQuantity,
  rcRegistrationToken as resolveCustomer_registrationToken,
  rcrsCustomerAWSAccountId as resolveCustomerResponse_customerAWSAccountId,
  rcrsCustomerIdentifier as resolveCustomerResponse_customerIdentifier,
  rcrsLicenseArn as resolveCustomerResponse_licenseArn,
  rcrsProductCode as resolveCustomerResponse_productCode,
  rcrsResponseStatus as resolveCustomerResponse_httpStatus,
  ruNonce as registerUsage_nonce,
  ruProductCode as registerUsage_productCode,
  ruPublicKeyVersion as registerUsage_publicKeyVersion,
  rursPublicKeyRotationTimestamp as registerUsageResponse_publicKeyRotationTimestamp,
  rursResponseStatus as registerUsageResponse_httpStatus,
  rursSignature as registerUsageResponse_signature,
  tagKey as tag_key,
  tagValue as tag_value,
  uaAllocatedUsageQuantity as usageAllocation_allocatedUsageQuantity,
  uaTags as usageAllocation_tags,
  urCustomerAWSAccountId as usageRecord_customerAWSAccountId,
  urCustomerIdentifier as usageRecord_customerIdentifier,
  urDimension as usageRecord_dimension,
  urLicenseArn as usageRecord_licenseArn,
  urQuantity as usageRecord_quantity,
  urrMeteringRecordId as usageRecordResult_meteringRecordId,
  urrStatus as usageRecordResult_status,
  urrUsageRecord as usageRecordResult_usageRecord,
  urTimestamp as usageRecord_timestamp,
  urUsageAllocations as usageRecord_usageAllocations
}
