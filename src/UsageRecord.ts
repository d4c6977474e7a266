/**
 * A customer's usage of one dimension, and the service's result for it.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { type MakeOptions, maker, makerEither } from "./internal/schema/construct.js"
import {
  allocationSum,
  CustomerAWSAccountId,
  CustomerIdentifier,
  Dimension,
  field,
  fieldWithDefault,
  LicenseArn,
  noIssues,
  optionalField,
  Quantity,
  type RuleIssue,
  structRule,
  Timestamp
} from "./internal/schema/fields.js"
import { floorTimestamp } from "./internal/schema/millis.js"
import type { InvalidInputError } from "./MeteringError.js"
import { type Input as AllocationInput, UsageAllocations } from "./UsageAllocation.js"

const oneCustomerIdentity = (record: {
  readonly customerIdentifier?: string | undefined
  readonly customerAWSAccountId?: string | undefined
}): ReadonlyArray<RuleIssue> => {
  const { customerAWSAccountId, customerIdentifier } = record
  if ((customerIdentifier === undefined) !== (customerAWSAccountId === undefined)) return noIssues
  return customerIdentifier === undefined
    ? [
        {
          path: ["customerAWSAccountId"],
          expected: "a customerAWSAccountId, or a customerIdentifier"
        }
      ]
    : [
        {
          path: ["customerIdentifier"],
          expected: "a customerAWSAccountId or a customerIdentifier, not both",
          value: customerIdentifier
        }
      ]
}

/**
 * A quantity of usage of one dimension by one customer at one time.
 *
 * - `timestamp`: the time of the usage, UTC. The service rounds it down to the hour. It accepts usage for 24 hours, and
 *   usage of the last month until 06:00 UTC on the first of the month. Fractions of a millisecond are cut off.
 * - `dimension`: 1 to 255 characters, case-sensitive, as in the listing
 * - `quantity`: whole units, 0 to 2 147 483 647. Required here, though the service defaults to 0: a forgotten quantity
 *   would never be billed.
 * - `customerAWSAccountId` (digits) or, in older listings, `customerIdentifier` (at most 255 characters):
 *   exactly one of the two
 * - `licenseArn`: identifies the product and the agreement, in listings from June 2026 on. It replaces the product code of
 *   the call: usage that is sent with both is billed twice.
 * - `usageAllocations`: the quantity split by tags
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { UsageRecord } from "effect-marketplace-metering"
 *
 * const record = UsageRecord.make({
 *   timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
 *   dimension: "api-calls",
 *   quantity: 42,
 *   customerAWSAccountId: "111122223333",
 *   licenseArn: "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"
 * })
 * ```
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_UsageRecord.html
 * @since 0.1.0
 * @category models
 */
export class UsageRecord extends Schema.Class<UsageRecord>(
  "effect-marketplace-metering/UsageRecord"
)(
  Schema.Struct({
    timestamp: field("Timestamp", Timestamp),
    dimension: field("Dimension", Dimension),
    quantity: fieldWithDefault("Quantity", Quantity, () => 0),
    customerIdentifier: optionalField("CustomerIdentifier", CustomerIdentifier),
    customerAWSAccountId: optionalField("CustomerAWSAccountId", CustomerAWSAccountId),
    licenseArn: optionalField("LicenseArn", LicenseArn),
    usageAllocations: optionalField("UsageAllocations", UsageAllocations)
  }).pipe(
    structRule(
      "oneCustomerIdentity",
      "exactly one of customerAWSAccountId and customerIdentifier",
      oneCustomerIdentity
    ),
    structRule("allocationSum", "allocations that add up to the quantity", (record) =>
      allocationSum(record.quantity, record.usageAllocations)
    )
  )
) {
  constructor(fields: Input, options?: Schema.MakeOptions) {
    // Schema decodes with `true`, and its times are whole milliseconds. The cast is needed because a list may be empty until
    // it is validated
    super((options === true ? fields : floorTimestamp(fields)) as never, options)
  }
}

/**
 * The fields of a record: `timestamp`, `dimension` and `quantity`, a customer by `customerAWSAccountId` or
 * `customerIdentifier`, and where they apply `licenseArn` and `usageAllocations`. `UsageRecord` has their limits. Plain
 * nested values become instances. An empty list of allocations is a violation.
 *
 * @since 0.1.0
 * @category models
 */
export interface Input {
  readonly timestamp: DateTime.Utc
  readonly dimension: string
  readonly quantity: number
  readonly customerIdentifier?: string | undefined
  readonly customerAWSAccountId?: string | undefined
  readonly licenseArn?: string | undefined
  readonly usageAllocations?: ReadonlyArray<AllocationInput> | undefined
}

/**
 * Options of every validating constructor: `skipRules` names preflight rules that are not checked.
 *
 * @since 0.1.0
 * @category models
 */
export type { MakeOptions }

/**
 * Makes a record, or fails with the violations of all its fields.
 *
 * @example
 * ```ts
 * import { type DateTime, Effect } from "effect"
 * import { UsageRecord } from "effect-marketplace-metering"
 *
 * const program = (usedAt: DateTime.Utc) =>
 *   UsageRecord.makeEither({
 *     timestamp: usedAt,
 *     dimension: "api-calls",
 *     quantity: -1,
 *     customerAWSAccountId: "111122223333"
 *   }).pipe(Effect.catchTag("InvalidInputError", (error) => Effect.succeed(error.violations)))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEither: (
  fields: Input,
  options?: MakeOptions
) => Either.Either<UsageRecord, InvalidInputError> = makerEither(UsageRecord)

/**
 * Makes a record. Throws `InvalidInputError` if it breaks a rule. Use `makeEither` for fields from outside the program.
 *
 * @example
 * ```ts
 * import { DateTime } from "effect"
 * import { UsageRecord } from "effect-marketplace-metering"
 *
 * const record = UsageRecord.make({
 *   timestamp: DateTime.unsafeMake("2026-11-24T10:15:00Z"),
 *   dimension: "api-calls",
 *   quantity: 42,
 *   customerAWSAccountId: "111122223333",
 *   usageAllocations: [
 *     { allocatedUsageQuantity: 40, tags: [{ key: "team", value: "search" }] },
 *     { allocatedUsageQuantity: 2 }
 *   ]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: (fields: Input, options?: MakeOptions) => UsageRecord = maker(makeEither)

/**
 * The service's status for a record: `Success`, `CustomerNotSubscribed`, or `DuplicateRecord`, after *another* quantity
 * was billed for the same customer, dimension and hour. A status that AWS adds later is kept as it is and never counts as
 * a success.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_UsageRecordResult.html
 * @since 0.1.0
 * @category models
 */
export type UsageRecordResultStatus =
  | "Success"
  | "CustomerNotSubscribed"
  | "DuplicateRecord"
  // keeps the union open, while editors still suggest the known statuses
  | (string & {})

/**
 * @since 0.1.0
 * @category schemas
 */
export const UsageRecordResultStatus: Schema.Schema<UsageRecordResultStatus, string> = Schema.String

/**
 * Returns whether this version knows a status.
 *
 * @example
 * ```ts
 * import { UsageRecord } from "effect-marketplace-metering"
 *
 * const needsAPerson = (result: UsageRecord.UsageRecordResult) =>
 *   !UsageRecord.isKnownStatus(result.status)
 * ```
 *
 * @since 0.1.0
 * @category predicates
 */
export const isKnownStatus = (
  status: string | undefined
): status is "Success" | "CustomerNotSubscribed" | "DuplicateRecord" =>
  status === "Success" || status === "CustomerNotSubscribed" || status === "DuplicateRecord"

/**
 * The result for one record of a BatchMeterUsage call. Only `Success` was billed as sent. A response may lack any member.
 * `usageRecord` is absent if it cannot be decoded; `status` is kept even then.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_UsageRecordResult.html
 * @since 0.1.0
 * @category models
 */
export class UsageRecordResult extends Schema.Class<UsageRecordResult>(
  "effect-marketplace-metering/UsageRecordResult"
)({
  usageRecord: optionalField("UsageRecord", UsageRecord),
  meteringRecordId: optionalField("MeteringRecordId", Schema.String),
  status: optionalField("Status", UsageRecordResultStatus)
}) {}
