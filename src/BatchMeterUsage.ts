/**
 * BatchMeterUsage: report up to 25 records of usage of one product, by any of its customers.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { missingRecords } from "./internal/protocol/missingRecords.js"
import { type MakeOptions, maker, makerEither } from "./internal/schema/construct.js"
import {
  field,
  optionalField,
  optionalWithDefault,
  ProductCode,
  type RuleIssue,
  rule,
  structRule
} from "./internal/schema/fields.js"
import { responseFields } from "./internal/schema/responseFields.js"
import * as MeteringError from "./MeteringError.js"
import type { Operation } from "./Operation.js"
import { type Input as RecordInput, UsageRecord, UsageRecordResult } from "./UsageRecord.js"

/**
 * Up to 25 records of one product, in less than 1 000 000 bytes. The product is named either by
 * `productCode` or by the `licenseArn` of every record, never by both: that is billed twice.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category models
 */
export class BatchMeterUsageRequest extends Schema.Class<BatchMeterUsageRequest>(
  "effect-marketplace-metering/BatchMeterUsageRequest"
)(
  Schema.Struct({
    usageRecords: field(
      "UsageRecords",
      Schema.Array(UsageRecord).pipe(
        rule("recordCount", "at most 25 records", (records) => records.length <= 25)
      )
    ),
    productCode: optionalField("ProductCode", ProductCode)
  }).pipe(
    structRule(
      "productCodeOrLicense",
      "a product code for the call or a license on every record, not both",
      ({ productCode, usageRecords }) => {
        const issues: Array<RuleIssue> = []
        usageRecords.forEach(({ licenseArn }, index) => {
          if (productCode === undefined && licenseArn === undefined) {
            issues.push({
              path: ["usageRecords", index, "licenseArn"],
              expected: "a licenseArn, or else a productCode for the call"
            })
          } else if (productCode !== undefined && licenseArn !== undefined) {
            issues.push({
              path: ["usageRecords", index, "licenseArn"],
              expected: "no licenseArn in a call with a productCode: both would be billed",
              value: licenseArn
            })
          }
        })
        return issues
      }
    )
  )
) {}

/**
 * The results of the records. `results` has one per processed record. Send `unprocessedRecords` again. `unreadable` has,
 * as JSON, the elements of the response that are neither valid records nor valid results, so that none is lost.
 *
 * `missingRecords` are the records of the request of which the response says nothing: neither a result with a status
 * nor an unprocessed record is theirs. They may have been metered; to send them again as they are is safe.
 *
 * @example
 * ```ts
 * import type { BatchMeterUsage } from "effect-marketplace-metering"
 *
 * const toSendAgain = (response: BatchMeterUsage.BatchMeterUsageResponse) => [
 *   ...response.unprocessedRecords,
 *   ...response.missingRecords
 * ]
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_BatchMeterUsage.html
 * @since 0.1.0
 * @category models
 */
export class BatchMeterUsageResponse extends Schema.Class<BatchMeterUsageResponse>(
  "effect-marketplace-metering/BatchMeterUsageResponse"
)(
  responseFields({
    results: optionalWithDefault(Schema.Array(UsageRecordResult), () => []).pipe(
      Schema.fromKey("Results")
    ),
    unprocessedRecords: optionalWithDefault(Schema.Array(UsageRecord), () => []).pipe(
      Schema.fromKey("UnprocessedRecords")
    ),
    unreadable: optionalWithDefault(Schema.Array(Schema.Unknown), () => []),
    missingRecords: optionalWithDefault(Schema.Array(UsageRecord), () => [])
  })
) {}

/**
 * The input of a call: a request or its fields. `usageRecords` are at most 25, and `productCode` is absent where every
 * record has a license. Plain nested values are made into instances.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly usageRecords: ReadonlyArray<RecordInput>
  readonly productCode?: string | undefined
}

/**
 * The exceptions that the model gives this operation.
 *
 * @since 0.1.0
 * @category models
 */
export type BatchMeterUsageException =
  | MeteringError.InternalServiceErrorException
  | MeteringError.InvalidProductCodeException
  | MeteringError.InvalidUsageDimensionException
  | MeteringError.InvalidTagException
  | MeteringError.InvalidUsageAllocationsException
  | MeteringError.InvalidCustomerIdentifierException
  | MeteringError.TimestampOutOfBoundsException
  | MeteringError.ThrottlingException
  | MeteringError.DisabledApiException
  | MeteringError.InvalidLicenseException

/**
 * All that a call can fail with.
 *
 * @since 0.1.0
 * @category models
 */
export type BatchMeterUsageError = BatchMeterUsageException | MeteringError.CommonError

/**
 * The operation as a value.
 *
 * @since 0.1.0
 * @category operations
 */
export const operation: Operation<
  BatchMeterUsageRequest,
  BatchMeterUsageResponse,
  BatchMeterUsageException
> = {
  name: "BatchMeterUsage",
  request: BatchMeterUsageRequest,
  response: BatchMeterUsageResponse,
  exceptions: [
    MeteringError.InternalServiceErrorException,
    MeteringError.InvalidProductCodeException,
    MeteringError.InvalidUsageDimensionException,
    MeteringError.InvalidTagException,
    MeteringError.InvalidUsageAllocationsException,
    MeteringError.InvalidCustomerIdentifierException,
    MeteringError.TimestampOutOfBoundsException,
    MeteringError.ThrottlingException,
    MeteringError.DisabledApiException,
    MeteringError.InvalidLicenseException
  ],
  mapResult: ({ usageRecords }, outcome) =>
    Either.map(outcome, (response) => {
      const missing = missingRecords(usageRecords, response)
      return missing.length === 0
        ? response
        : new BatchMeterUsageResponse({ ...response, missingRecords: missing }, true)
    })
}

/**
 * Makes a request, or says what is wrong with it.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { BatchMeterUsage } from "effect-marketplace-metering"
 *
 * const request = BatchMeterUsage.makeEither({ productCode: "not a code", usageRecords: [] })
 * const faults = Either.isLeft(request) ? request.left.violations : []
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: Input,
  options?: MakeOptions
) => Either.Either<BatchMeterUsageRequest, MeteringError.InvalidInputError> =
  makerEither(BatchMeterUsageRequest)

/**
 * Makes a request; throws `InvalidInputError` when it breaks a rule.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { BatchMeterUsage } from "effect-marketplace-metering"
 *
 * const request = BatchMeterUsage.make({
 *   productCode: "4v9hm1u3i5p7l3c0",
 *   usageRecords: [
 *     {
 *       timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
 *       dimension: "api-calls",
 *       quantity: 42,
 *       customerAWSAccountId: "111122223333"
 *     }
 *   ]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: Input, options?: MakeOptions) => BatchMeterUsageRequest =
  maker(makeEither)
