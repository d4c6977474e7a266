/**
 * BatchMeterUsage: reports up to 25 usage records of one product, for any of its customers.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { missingRecords } from "./internal/protocol/missingRecords.js"
import { metering } from "./internal/protocol/serviceModel.js"
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
 * Up to 25 `usageRecords` of one product, in less than 1 000 000 bytes. Either `productCode` or the `licenseArn` of every
 * record names the product. Usage that is sent with both is billed twice.
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
 * The results of the records.
 *
 * - `results`: one per processed record
 * - `unprocessedRecords`: records that were not processed. Send them again.
 * - `missingRecords`: records of the request that have no status in `results` and are not in `unprocessedRecords`. They may
 *   have been metered. Sending them again unchanged is safe.
 * - `unreadable`: elements of the response, as JSON, that are neither valid records nor valid results
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
 * The input of a call: a request or its fields. `usageRecords` has at most 25 records. `productCode` is absent if every
 * record has a license. Plain nested values become instances.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly usageRecords: ReadonlyArray<RecordInput>
  readonly productCode?: string | undefined
}

/**
 * The modelled exceptions of this operation.
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
 * All errors of a call.
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
  service: metering,
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
    Either.map(outcome, (response) =>
      // assigning is safe, because the response has not been returned yet
      Object.assign(response, { missingRecords: missingRecords(usageRecords, response) })
    )
}

/**
 * Makes a request, or returns the rules that it breaks.
 *
 * @example
 * ```ts
 * import { Either } from "effect"
 * import { BatchMeterUsage } from "effect-marketplace-metering"
 *
 * const request = BatchMeterUsage.makeEither({ productCode: "not a code", usageRecords: [] })
 * const violations = Either.isLeft(request) ? request.left.violations : []
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
 * Makes a request. Throws `InvalidInputError` if it breaks a rule.
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
