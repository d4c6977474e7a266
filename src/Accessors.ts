/**
 * The names of `amazonka-marketplace-metering`: a lens for every field, a matcher for every exception, and the
 * smart constructors, so that a program written for it can be carried over name by name.
 *
 * - Every lens has its name of 1.6 and its name of 2.0, as in `urTimestamp` and `usageRecord_timestamp`: the
 *   same optic. The fields and exceptions that the service gained later are named in the same manner.
 * - What was a `Maybe` is an `Option`. `None` removes the key; a key that holds `undefined` reads as `None`.
 * - A lens keeps a value an instance of its class and validates nothing, because rules that concern several
 *   fields break between one edit and the next. Sending validates, and so does `makeEither` of the value's module.
 *
 * New code has less to learn with `UsageRecord.make` and its like, with the fields themselves, and with
 * `Effect.catchTag`.
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
 * Facts of the service: its names, its API version, what its requests are signed for.
 *
 * @since 0.1.0
 * @category constants
 */
export { marketplaceMetering } from "./Operation.js"

/**
 * When the usage happened, UTC.
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
 * The 2.0 name of {@link urTimestamp}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_timestamp = urTimestamp

/**
 * The buyer's identifier in older listings; `None` where the buyer is named by the AWS account.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urCustomerIdentifier: Optic.Lens<UsageRecord, Option.Option<string>> = optionalKey(
  "customerIdentifier"
)

/**
 * The 2.0 name of {@link urCustomerIdentifier}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_customerIdentifier = urCustomerIdentifier

/**
 * The dimension that was used, as in the listing; case counts.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urDimension: Optic.Lens<UsageRecord, string> = requiredKey("dimension")

/**
 * The 2.0 name of {@link urDimension}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_dimension = urDimension

/**
 * How much was used, in whole units.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urQuantity: Optic.Lens<UsageRecord, number> = requiredKey("quantity")

/**
 * The 2.0 name of {@link urQuantity}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_quantity = urQuantity

/**
 * The quantity, split by tags.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urUsageAllocations: Optic.Lens<
  UsageRecord,
  Option.Option<Arr.NonEmptyReadonlyArray<UsageAllocation>>
> = optionalKey("usageAllocations")

/**
 * The 2.0 name of {@link urUsageAllocations}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_usageAllocations = urUsageAllocations

/**
 * The buyer's AWS account, in digits.
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
 * The 2.0 name of {@link urCustomerAWSAccountId}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_customerAWSAccountId = urCustomerAWSAccountId

/**
 * The licence that names product and agreement, in listings from June 2026 on.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const urLicenseArn: Optic.Lens<UsageRecord, Option.Option<string>> = optionalKey(
  "licenseArn"
)

/**
 * The 2.0 name of {@link urLicenseArn}.
 *
 * @since 0.1.0
 * @category UsageRecord
 */
export const usageRecord_licenseArn = urLicenseArn

/**
 * What the service did with the record; a word that it added later is kept as it is.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const urrStatus: Optic.Lens<
  UsageRecordResult,
  Option.Option<UsageRecordResultStatus>
> = optionalKey("status")

/**
 * The 2.0 name of {@link urrStatus}.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const usageRecordResult_status = urrStatus

/**
 * The record, as the service repeats it.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const urrUsageRecord: Optic.Lens<
  UsageRecordResult,
  Option.Option<UsageRecord>
> = optionalKey("usageRecord")

/**
 * The 2.0 name of {@link urrUsageRecord}.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const usageRecordResult_usageRecord = urrUsageRecord

/**
 * The receipt's number.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const urrMeteringRecordId: Optic.Lens<
  UsageRecordResult,
  Option.Option<string>
> = optionalKey("meteringRecordId")

/**
 * The 2.0 name of {@link urrMeteringRecordId}.
 *
 * @since 0.1.0
 * @category UsageRecordResult
 */
export const usageRecordResult_meteringRecordId = urrMeteringRecordId

/**
 * How much of the quantity falls to these tags, in whole units.
 *
 * @since 0.1.0
 * @category UsageAllocation
 */
export const uaAllocatedUsageQuantity: Optic.Lens<UsageAllocation, number> =
  requiredKey("allocatedUsageQuantity")

/**
 * The 2.0 name of {@link uaAllocatedUsageQuantity}.
 *
 * @since 0.1.0
 * @category UsageAllocation
 */
export const usageAllocation_allocatedUsageQuantity = uaAllocatedUsageQuantity

/**
 * The tags; `None` for what is untagged.
 *
 * @since 0.1.0
 * @category UsageAllocation
 */
export const uaTags: Optic.Lens<
  UsageAllocation,
  Option.Option<Arr.NonEmptyReadonlyArray<Tag>>
> = optionalKey("tags")

/**
 * The 2.0 name of {@link uaTags}.
 *
 * @since 0.1.0
 * @category UsageAllocation
 */
export const usageAllocation_tags = uaTags

/**
 * The name of the tag.
 *
 * @since 0.1.0
 * @category Tag
 */
export const tagKey: Optic.Lens<Tag, string> = requiredKey("key")

/**
 * The 2.0 name of {@link tagKey}.
 *
 * @since 0.1.0
 * @category Tag
 */
export const tag_key = tagKey

/**
 * The value of the tag.
 *
 * @since 0.1.0
 * @category Tag
 */
export const tagValue: Optic.Lens<Tag, string> = requiredKey("value")

/**
 * The 2.0 name of {@link tagValue}.
 *
 * @since 0.1.0
 * @category Tag
 */
export const tag_value = tagValue

/**
 * The records to report.
 *
 * @since 0.1.0
 * @category BatchMeterUsageRequest
 */
export const bmuUsageRecords: Optic.Lens<
  BatchMeterUsageRequest,
  ReadonlyArray<UsageRecord>
> = requiredKey("usageRecords")

/**
 * The 2.0 name of {@link bmuUsageRecords}.
 *
 * @since 0.1.0
 * @category BatchMeterUsageRequest
 */
export const batchMeterUsage_usageRecords = bmuUsageRecords

/**
 * The product of all records; `None` where each record names its licence.
 *
 * @since 0.1.0
 * @category BatchMeterUsageRequest
 */
export const bmuProductCode: Optic.Lens<
  BatchMeterUsageRequest,
  Option.Option<string>
> = optionalKey("productCode")

/**
 * The 2.0 name of {@link bmuProductCode}.
 *
 * @since 0.1.0
 * @category BatchMeterUsageRequest
 */
export const batchMeterUsage_productCode = bmuProductCode

/**
 * What became of each record that the service looked at.
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
 * The 2.0 name of {@link bmursResults}.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const batchMeterUsageResponse_results = bmursResults

/**
 * The records that were not looked at, to be sent again.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const bmursUnprocessedRecords: Optic.Lens<
  BatchMeterUsageResponse,
  ReadonlyArray<UsageRecord>
> = requiredKey("unprocessedRecords")

/**
 * The 2.0 name of {@link bmursUnprocessedRecords}.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const batchMeterUsageResponse_unprocessedRecords = bmursUnprocessedRecords

/**
 * The HTTP status of the answer.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const bmursResponseStatus: Optic.Lens<BatchMeterUsageResponse, number> =
  requiredKey("statusCode")

/**
 * The 2.0 name of {@link bmursResponseStatus}.
 *
 * @since 0.1.0
 * @category BatchMeterUsageResponse
 */
export const batchMeterUsageResponse_httpStatus = bmursResponseStatus

/**
 * The product.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muProductCode: Optic.Lens<MeterUsageRequest, string> = requiredKey("productCode")

/**
 * The 2.0 name of {@link muProductCode}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_productCode = muProductCode

/**
 * When the usage happened, UTC.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muTimestamp: Optic.Lens<MeterUsageRequest, DateTime.Utc> = requiredKey("timestamp")

/**
 * The 2.0 name of {@link muTimestamp}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_timestamp = muTimestamp

/**
 * The dimension that was used, as in the listing; case counts.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muUsageDimension: Optic.Lens<MeterUsageRequest, string> = requiredKey("usageDimension")

/**
 * The 2.0 name of {@link muUsageDimension}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_usageDimension = muUsageDimension

/**
 * How much was used, in whole units.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muUsageQuantity: Optic.Lens<MeterUsageRequest, number> = requiredKey("usageQuantity")

/**
 * The 2.0 name of {@link muUsageQuantity}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_usageQuantity = muUsageQuantity

/**
 * Whether only to ask if the caller may do this; nothing is metered then.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muDryRun: Optic.Lens<MeterUsageRequest, boolean> = requiredKey("dryRun")

/**
 * The 2.0 name of {@link muDryRun}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_dryRun = muDryRun

/**
 * The quantity, split by tags.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muUsageAllocations: Optic.Lens<
  MeterUsageRequest,
  Option.Option<Arr.NonEmptyReadonlyArray<UsageAllocation>>
> = optionalKey("usageAllocations")

/**
 * The 2.0 name of {@link muUsageAllocations}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_usageAllocations = muUsageAllocations

/**
 * The token by which the service knows a retry from a new charge. Every request is made with one; it is an
 * `Option` because a request decoded from a client that sent none has none. To retry, send the same token.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const muClientToken: Optic.Lens<MeterUsageRequest, Option.Option<string>> = optionalKey(
  "clientToken"
)

/**
 * The 2.0 name of {@link muClientToken}.
 *
 * @since 0.1.0
 * @category MeterUsageRequest
 */
export const meterUsage_clientToken = muClientToken

/**
 * The receipt's number.
 *
 * @since 0.1.0
 * @category MeterUsageResponse
 */
export const mursMeteringRecordId: Optic.Lens<
  MeterUsageResponse,
  Option.Option<string>
> = optionalKey("meteringRecordId")

/**
 * The 2.0 name of {@link mursMeteringRecordId}.
 *
 * @since 0.1.0
 * @category MeterUsageResponse
 */
export const meterUsageResponse_meteringRecordId = mursMeteringRecordId

/**
 * The HTTP status of the answer.
 *
 * @since 0.1.0
 * @category MeterUsageResponse
 */
export const mursResponseStatus: Optic.Lens<MeterUsageResponse, number> = requiredKey("statusCode")

/**
 * The 2.0 name of {@link mursResponseStatus}.
 *
 * @since 0.1.0
 * @category MeterUsageResponse
 */
export const meterUsageResponse_httpStatus = mursResponseStatus

/**
 * The product.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const ruProductCode: Optic.Lens<RegisterUsageRequest, string> = requiredKey("productCode")

/**
 * The 2.0 name of {@link ruProductCode}.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const registerUsage_productCode = ruProductCode

/**
 * The version of the product's public key, from 1.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const ruPublicKeyVersion: Optic.Lens<RegisterUsageRequest, number> =
  requiredKey("publicKeyVersion")

/**
 * The 2.0 name of {@link ruPublicKeyVersion}.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const registerUsage_publicKeyVersion = ruPublicKeyVersion

/**
 * Text that ties the answer to this one instance.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const ruNonce: Optic.Lens<RegisterUsageRequest, Option.Option<string>> = optionalKey("nonce")

/**
 * The 2.0 name of {@link ruNonce}.
 *
 * @since 0.1.0
 * @category RegisterUsageRequest
 */
export const registerUsage_nonce = ruNonce

/**
 * The JWT that proves the entitlement, once `Entitlement.verify` has verified it.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const rursSignature: Optic.Lens<RegisterUsageResponse, Option.Option<string>> = optionalKey(
  "signature"
)

/**
 * The 2.0 name of {@link rursSignature}.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const registerUsageResponse_signature = rursSignature

/**
 * From when on the key's version is no longer used, only when it has expired.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const rursPublicKeyRotationTimestamp: Optic.Lens<
  RegisterUsageResponse,
  Option.Option<DateTime.Utc>
> = optionalKey("publicKeyRotationTimestamp")

/**
 * The 2.0 name of {@link rursPublicKeyRotationTimestamp}.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const registerUsageResponse_publicKeyRotationTimestamp = rursPublicKeyRotationTimestamp

/**
 * The HTTP status of the answer.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const rursResponseStatus: Optic.Lens<RegisterUsageResponse, number> =
  requiredKey("statusCode")

/**
 * The 2.0 name of {@link rursResponseStatus}.
 *
 * @since 0.1.0
 * @category RegisterUsageResponse
 */
export const registerUsageResponse_httpStatus = rursResponseStatus

/**
 * The token that the buyer's browser brought; it stays `Redacted`.
 *
 * @since 0.1.0
 * @category ResolveCustomerRequest
 */
export const rcRegistrationToken: Optic.Lens<ResolveCustomerRequest, Redacted.Redacted> =
  requiredKey("registrationToken")

/**
 * The 2.0 name of {@link rcRegistrationToken}.
 *
 * @since 0.1.0
 * @category ResolveCustomerRequest
 */
export const resolveCustomer_registrationToken = rcRegistrationToken

/**
 * The buyer's identifier, only for products listed before June 2026.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsCustomerIdentifier: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("customerIdentifier")

/**
 * The 2.0 name of {@link rcrsCustomerIdentifier}.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const resolveCustomerResponse_customerIdentifier = rcrsCustomerIdentifier

/**
 * The product that the buyer subscribed to.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsProductCode: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("productCode")

/**
 * The 2.0 name of {@link rcrsProductCode}.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const resolveCustomerResponse_productCode = rcrsProductCode

/**
 * The buyer's AWS account, in digits.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsCustomerAWSAccountId: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("customerAWSAccountId")

/**
 * The 2.0 name of {@link rcrsCustomerAWSAccountId}.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const resolveCustomerResponse_customerAWSAccountId = rcrsCustomerAWSAccountId

/**
 * The licence that names product and agreement.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsLicenseArn: Optic.Lens<
  ResolveCustomerResponse,
  Option.Option<string>
> = optionalKey("licenseArn")

/**
 * The 2.0 name of {@link rcrsLicenseArn}.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const resolveCustomerResponse_licenseArn = rcrsLicenseArn

/**
 * The HTTP status of the answer.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const rcrsResponseStatus: Optic.Lens<ResolveCustomerResponse, number> =
  requiredKey("statusCode")

/**
 * The 2.0 name of {@link rcrsResponseStatus}.
 *
 * @since 0.1.0
 * @category ResolveCustomerResponse
 */
export const resolveCustomerResponse_httpStatus = rcrsResponseStatus

/**
 * Matches `InvalidEndpointRegionException`: the endpoint's Region is not the one of the instance, task or pod.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidEndpointRegionException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidEndpointRegionException
> = exception("InvalidEndpointRegionException")

/**
 * Matches `InvalidProductCodeException`: the product code does not match a product of this account.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidProductCodeException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidProductCodeException
> = exception("InvalidProductCodeException")

/**
 * Matches `InvalidUsageDimensionException`: the dimension is not one of the product's.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidUsageDimensionException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidUsageDimensionException
> = exception("InvalidUsageDimensionException")

/**
 * Matches `DuplicateRequestException`: another quantity was already metered for this hour and dimension.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _DuplicateRequestException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.DuplicateRequestException
> = exception("DuplicateRequestException")

/**
 * Matches `TimestampOutOfBoundsException`: the timestamp is too far back or ahead.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _TimestampOutOfBoundsException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.TimestampOutOfBoundsException
> = exception("TimestampOutOfBoundsException")

/**
 * Matches `ThrottlingException`: calls come faster than the service allows.
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
export const _ThrottlingException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.ThrottlingException
> = exception("ThrottlingException")

/**
 * Matches `InternalServiceErrorException`: an internal fault of the service.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InternalServiceErrorException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InternalServiceErrorException
> = exception("InternalServiceErrorException")

/**
 * Matches `InvalidTokenException`: the registration token is not valid.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidTokenException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidTokenException
> = exception("InvalidTokenException")

/**
 * Matches `ExpiredTokenException`: the registration token has expired; expired AWS credentials are `CredentialsExpiredError`.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _ExpiredTokenException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.ExpiredTokenException
> = exception("ExpiredTokenException")

/**
 * Matches `InvalidCustomerIdentifierException`: the customer identifier is not one of this product's.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidCustomerIdentifierException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidCustomerIdentifierException
> = exception("InvalidCustomerIdentifierException")

/**
 * Matches `CustomerNotEntitledException`: the customer has no agreement for this product.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _CustomerNotEntitledException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.CustomerNotEntitledException
> = exception("CustomerNotEntitledException")

/**
 * Matches `DisabledApiException`: the operation is switched off in this Region.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _DisabledApiException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.DisabledApiException
> = exception("DisabledApiException")

/**
 * Matches `InvalidPublicKeyVersionException`: the version of the public key is not one of this product's.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidPublicKeyVersionException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidPublicKeyVersionException
> = exception("InvalidPublicKeyVersionException")

/**
 * Matches `InvalidRegionException`: RegisterUsage was called in another Region than the task or pod runs in.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidRegionException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidRegionException
> = exception("InvalidRegionException")

/**
 * Matches `InvalidTagException`: a tag is not valid, or an allocation has too many.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidTagException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidTagException
> = exception("InvalidTagException")

/**
 * Matches `InvalidUsageAllocationsException`: allocations do not add up, repeat a set of tags, or are too many.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidUsageAllocationsException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidUsageAllocationsException
> = exception("InvalidUsageAllocationsException")

/**
 * Matches `PlatformNotSupportedException`: RegisterUsage does not support the platform that called.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _PlatformNotSupportedException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.PlatformNotSupportedException
> = exception("PlatformNotSupportedException")

/**
 * Matches `IdempotencyConflictException`: the client token was already used with other parameters.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _IdempotencyConflictException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.IdempotencyConflictException
> = exception("IdempotencyConflictException")

/**
 * Matches `InvalidLicenseException`: the licence is not one of this customer's, or not active.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _InvalidLicenseException: Optic.Prism<
  MeteringError.MeteringError,
  MeteringError.InvalidLicenseException
> = exception("InvalidLicenseException")

/**
 * An error by which the service itself answered: an exception of the model, or an error that carries the
 * service's word for it in `code`.
 *
 * @since 0.1.0
 * @category models
 */
export type ServiceError =
  | MeteringError.ModelledException
  | Extract<MeteringError.CommonError, { readonly code: string }>

/**
 * Those of the errors `E` by which the service answered with this code.
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
 * Those of the errors `E` that came with an answer of this HTTP status.
 *
 * @since 0.1.0
 * @category models
 */
export type WithStatus<E, Status extends number> = E extends
  | ServiceError
  | MeteringError.UnexpectedResponseError
  ? E & { readonly statusCode: Status }
  : never

// does not compile unless it names all of them, and none but them
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
 * Matches every error by which the service itself answered, and none that arose on the way to it.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _ServiceError: Optic.Prism<MeteringError.MeteringError, ServiceError> = refined(
  isServiceError,
  "an error of the service"
)

/**
 * Matches by the service's own code, be it that of an exception (its tag) or one in `code`.
 *
 * A matcher such as `_InvalidTokenException` matches an exception only where the model has it for the
 * operation; what comes elsewhere, or is not in the model at all, is an `UnknownServiceError` with that code.
 * This matches either.
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
 * Matches by the HTTP status of the answer.
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
 * The HTTP status of the answer, where there was one.
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
 * The 2.0 name of {@link httpStatus}.
 *
 * @since 0.1.0
 * @category matchers
 */
export const _HttpStatus = httpStatus

/**
 * Makes a record for a customer identifier. Throws `InvalidInputError` when a field breaks a rule, as
 * `UsageRecord.make` does; what lenses add later is checked when it is sent.
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
 * Makes the result of a record, with nothing in it yet.
 *
 * @since 0.1.0
 * @category constructors
 */
export const usageRecordResult = (): UsageRecordResult => new UsageRecordResult({})

/**
 * Makes an untagged allocation. Throws `InvalidInputError` when the quantity is not a whole number in range.
 *
 * @since 0.1.0
 * @category constructors
 */
export const usageAllocation = (allocatedUsageQuantity: number): UsageAllocation =>
  makeUsageAllocation({ allocatedUsageQuantity })

/**
 * Makes a tag. Throws `InvalidInputError` when key or value is too long or has characters that the service refuses.
 *
 * @since 0.1.0
 * @category constructors
 */
export const tag = (key: string, value: string): Tag => makeTag({ key, value })

/**
 * Makes a request for one product, without records yet. Throws `InvalidInputError` when the product code
 * breaks a rule. For records that name their licence, take the product code out again.
 *
 * @example
 * ```ts
 * import { Option, pipe } from "effect"
 * import { Accessors, Optic, type UsageRecord } from "effect-marketplace-metering"
 *
 * const ofProduct = (records: ReadonlyArray<UsageRecord.UsageRecord>) =>
 *   Accessors.bmuUsageRecords.replace(records, Accessors.batchMeterUsage("4v9hm1u3i5p7l3c0"))
 *
 * export const byLicence = (records: ReadonlyArray<UsageRecord.UsageRecord>) =>
 *   pipe(ofProduct(records), Optic.replace(Accessors.bmuProductCode, Option.none()))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const batchMeterUsage = (productCode: string): BatchMeterUsageRequest =>
  makeBatchMeterUsage({ productCode, usageRecords: [] })

/**
 * Makes the answer to a BatchMeterUsage call, with nothing in it but its HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const batchMeterUsageResponse = (statusCode: number): BatchMeterUsageResponse =>
  new BatchMeterUsageResponse({ statusCode })

/**
 * Makes a request, with a client token of its own. Throws `InvalidInputError` when a field breaks a rule.
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
 * Makes the receipt of a MeterUsage call, with nothing in it but its HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const meterUsageResponse = (statusCode: number): MeterUsageResponse =>
  new MeterUsageResponse({ statusCode })

/**
 * Makes a request. Throws `InvalidInputError` when a field breaks a rule.
 *
 * @since 0.1.0
 * @category constructors
 */
export const registerUsage = (
  productCode: string,
  publicKeyVersion: number
): RegisterUsageRequest => makeRegisterUsage({ productCode, publicKeyVersion })

/**
 * Makes the answer to a RegisterUsage call, with nothing in it but its HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const registerUsageResponse = (statusCode: number): RegisterUsageResponse =>
  new RegisterUsageResponse({ statusCode })

/**
 * Makes a request. Throws `InvalidInputError`, which does not show it, when the token is empty.
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
 * Makes the answer to a ResolveCustomer call, with nothing in it but its HTTP status.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolveCustomerResponse = (statusCode: number): ResolveCustomerResponse =>
  new ResolveCustomerResponse({ statusCode })
