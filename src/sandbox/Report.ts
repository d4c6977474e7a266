/**
 * Billed usage and calls, as a sandbox reports them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { OperationName } from "../MeteringError.js"
import { UsageAllocation } from "../UsageAllocation.js"
import { forEachName } from "./internal/model/operations.js"
import { Time } from "./internal/scenario/scenarioFields.js"

/**
 * A metering record that the sandbox accepted.
 *
 * - `meteringRecordId`: the id in the response
 * - `operation`: the operation that sent it
 * - `productCode`, `customerAWSAccountId`, `dimension`: the product, customer and dimension that are billed
 * - `licenseArn`: the license. Absent for usage that was sent with a product code.
 * - `hour`: the timestamp rounded down to the hour, UTC
 * - `timestamp`: the timestamp of the usage
 * - `quantity`: whole units
 * - `usageAllocations`: the allocations of the quantity to tags
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
 * The usage that a customer is billed for one dimension of a product in one hour. Usage that was sent both with a
 * license and with a product code is billed twice, as by the service.
 *
 * - `productCode`, `customerAWSAccountId`, `dimension`: the product, customer and dimension
 * - `hour`: the start of the hour, UTC
 * - `quantity`: whole units, the sum of all metering records
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
 * Default number of entries per page.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultPageLimit = 1000

/**
 * Maximum number of entries per page.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxPageLimit = 10_000

/**
 * The page to return.
 *
 * - `limit`: the number of entries, 1 to 10 000. Defaults to 1000.
 * - `after`: `next` of the previous page. Defaults to the beginning of the list.
 *
 * @since 0.1.0
 * @category models
 */
export interface PageOptions {
  readonly limit?: number | undefined
  readonly after?: string | undefined
}

/**
 * A page of metering records.
 *
 * - `records`: the metering records
 * - `next`: `after` of the next page. Absent on the last page.
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
 * A page of billed usage.
 *
 * - `billed`: the billed usage
 * - `next`: `after` of the next page. Absent on the last page.
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
 * A call and its response in their JSON form, without registration tokens and signatures.
 *
 * - `requestId`: the request id
 * - `at`: the time by the sandbox's clock
 * - `operation`: the operation. Absent if the request names no known operation.
 * - `accessKeyId`: the access key id in the signature, verified or not. Absent for unsigned calls.
 * - `signature`: `verified`, or `rejected` if the authentication failed. `inMemory` for calls of the in-memory client, which
 *   are not signed. `unchecked` if any credentials are accepted, or if the call was rejected before the authentication.
 * - `fault`: the injected fault, or `none`
 * - `request`: the request. Absent if the body could not be decoded.
 * - `status`, `response`: the HTTP status and body of the response. Absent if the connection was cut before the response.
 *
 * @since 0.1.0
 * @category models
 */
export const Call = Schema.Struct({
  requestId: Schema.String,
  at: Time,
  operation: Schema.optional(OperationName),
  accessKeyId: Schema.optional(Schema.String),
  signature: Schema.Literal("inMemory", "verified", "unchecked", "rejected"),
  fault: Schema.String,
  request: Schema.optional(Schema.Unknown),
  status: Schema.optional(Schema.Number),
  response: Schema.optional(Schema.Unknown)
})

/**
 * @since 0.1.0
 * @category models
 */
export interface Call extends Schema.Schema.Type<typeof Call> {}

/**
 * The number of processed calls of each operation. Calls that failed before they were processed do not count.
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
