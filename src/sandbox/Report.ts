/**
 * What there is to see behind a sandbox: what is billed, and every call with its answer.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { forEachName } from "../internal/operations.js"
import { OperationName } from "../MeteringError.js"
import { UsageAllocation } from "../UsageAllocation.js"
import { Time } from "./internal/scenario/scenarioFields.js"

/**
 * A metered quantity that the sandbox has accepted.
 *
 * - `licenseArn`: only for usage that was sent with a licence instead of a product code
 * - `hour`: the timestamp rounded down to the hour, UTC
 * - `quantity`: whole units
 *
 * @since 0.1.0
 * @category models
 */
export const MeteringRecord = Schema.Struct({
  meteringRecordId: Schema.String,
  operation: OperationName,
  productCode: Schema.String,
  licenseArn: Schema.optional(Schema.String),
  customerAWSAccountId: Schema.String,
  dimension: Schema.String,
  hour: Time,
  timestamp: Time,
  quantity: Schema.Number,
  usageAllocations: Schema.optional(Schema.Array(UsageAllocation))
})

/**
 * @since 0.1.0
 * @category models
 */
export interface MeteringRecord extends Schema.Schema.Type<typeof MeteringRecord> {}

/**
 * What a customer is billed for one dimension of one product in one hour, over all metering records, in whole
 * units. Usage that was sent both with a licence and with a product code is billed twice, here as by the
 * service.
 *
 * @since 0.1.0
 * @category models
 */
export const BilledUsage = Schema.Struct({
  productCode: Schema.String,
  customerAWSAccountId: Schema.String,
  dimension: Schema.String,
  hour: Time,
  quantity: Schema.Number
})

/**
 * @since 0.1.0
 * @category models
 */
export interface BilledUsage extends Schema.Schema.Type<typeof BilledUsage> {}

/**
 * How many entries a page has where `limit` is left out.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultPageLimit = 1000

/**
 * How many entries a page may have.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxPageLimit = 10_000

/**
 * Which part of a list to return.
 *
 * - `limit`: the number of entries, 1 to 10 000. Defaults to 1000
 * - `after`: the `next` of the page before. Defaults to the beginning of the list
 *
 * @since 0.1.0
 * @category models
 */
export interface PageOptions {
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

/**
 * A page of metering records. `next` is absent on the last page.
 *
 * @since 0.1.0
 * @category models
 */
export const RecordsPage = Schema.Struct({
  records: Schema.Array(MeteringRecord.annotations({ identifier: "MeteringRecord" })),
  next: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface RecordsPage extends Schema.Schema.Type<typeof RecordsPage> {}

/**
 * A page of what is billed. `next` is absent on the last page.
 *
 * @since 0.1.0
 * @category models
 */
export const BilledPage = Schema.Struct({
  billed: Schema.Array(BilledUsage.annotations({ identifier: "BilledUsage" })),
  next: Schema.optional(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface BilledPage extends Schema.Schema.Type<typeof BilledPage> {}

/**
 * A call and its answer, as JSON on the wire, but for registration tokens and signatures, which are not shown.
 *
 * - `at`: when, by the sandbox's calendar
 * - `operation`: none, where the call named none that there is
 * - `accessKeyId`: who signed it, or says so
 * - `signature`: `inMemory` for a call that needed none, `unchecked` where everybody is let in, or where the
 *   call was turned away for something else first
 * - `fault`: what was done to it
 * - `request`: none, where the body could not be read
 * - `status`: none, where the connection was cut first
 *
 * @since 0.1.0
 * @category models
 */
export const Call = Schema.Struct({
  requestId: Schema.String,
  at: Time,
  operation: Schema.optional(OperationName),
  accessKeyId: Schema.optional(Schema.String),
  signature: Schema.Literal("inMemory", "verified", "unchecked", "refused"),
  fault: Schema.String,
  request: Schema.optional(Schema.Unknown),
  status: Schema.optional(Schema.Number),
  answer: Schema.optional(Schema.Unknown)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Call extends Schema.Schema.Type<typeof Call> {}

/**
 * How many calls of each operation have come through to the service.
 *
 * @since 0.1.0
 * @category models
 */
export const CallCounts = Schema.Struct(forEachName(() => Schema.Number))

/**
 * @since 0.1.0
 * @category models
 */
export interface CallCounts extends Schema.Schema.Type<typeof CallCounts> {}
