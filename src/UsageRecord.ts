/**
 * What one customer used of one dimension in one hour, and what the service said of it.
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
 * - `timestamp`: when the usage happened, UTC; the service rounds it down to the hour and accepts it for 24
 *   hours, and last month's only until 06:00 UTC on the first. Milliseconds survive the wire; parts of one are cut off.
 * - `dimension`: 1 to 255 characters, case-sensitive, as in the listing
 * - `quantity`: whole units, 0 to 2 147 483 647. Required here, though the service takes 0 for an absent
 *   one: a forgotten quantity is a lost one.
 * - `customerAWSAccountId` (digits) or, in older listings, `customerIdentifier` (at most 255 characters):
 *   exactly one of the two
 * - `licenseArn`: names product and agreement, in listings from June 2026 on. It takes the place of the
 *   product code of the call: usage that is sent both ways is billed twice.
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
    // Schema decodes with `true`, from times that are whole; whether a plain list is empty is for the check to say
    super((options === true ? fields : floorTimestamp(fields)) as never, options)
  }
}

/**
 * What a record is made from: `timestamp`, `dimension` and `quantity`, a customer by `customerAWSAccountId` or
 * `customerIdentifier`, and where they apply `licenseArn` and `usageAllocations`. What each may be is told at
 * `UsageRecord`. Plain nested values are made into instances. An empty list of allocations is a violation.
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
 * Options of every checked constructor: `skipRules` names preflight rules that are not to be checked.
 *
 * @since 0.1.0
 * @category models
 */
export type { MakeOptions }

/**
 * Makes a record, or says what is wrong with it, with every field at fault named.
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
 * Makes a record; throws `InvalidInputError` when it breaks a rule. For fields that the program does not
 * control, use `makeEither`.
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
 * What the service did with a record: `Success`; `CustomerNotSubscribed`; `DuplicateRecord`, which means that
 * *another* quantity was billed for the same customer, dimension and hour before; or a word that it may add
 * later, which is kept as it is and is never a success.
 *
 * @see https://docs.aws.amazon.com/marketplace/latest/APIReference/API_marketplace-metering_UsageRecordResult.html
 * @since 0.1.0
 * @category models
 */
export type UsageRecordResultStatus =
  | "Success"
  | "CustomerNotSubscribed"
  | "DuplicateRecord"
  // an open union: keeps the known words in completions
  | (string & {})

/**
 * @since 0.1.0
 * @category schemas
 */
export const UsageRecordResultStatus: Schema.Schema<UsageRecordResultStatus, string> = Schema.String

/**
 * Whether a status is one that this version knows.
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
 * What became of one record of a BatchMeterUsage call. Only `Success` was billed as sent. Every member may
 * be missing in an answer; a record whose echo cannot be read is absent, its status is kept.
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
