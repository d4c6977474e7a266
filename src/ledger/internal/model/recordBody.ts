/** The usage record of a sealed entry as JSON. It is stored once, and every call sends it unchanged. */
import * as DateTime from "effect/DateTime"
import * as Either from "effect/Either"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { jsonEncoder } from "../../../internal/schema/jsonEncoder.js"
import { shapeOf } from "../../../internal/schema/shape.js"
import { UsageRecord } from "../../../UsageRecord.js"
import type { SubscriptionRow } from "./rows.js"

interface Share {
  /** Canonical tags, empty for none. */
  readonly tags: string
  readonly quantity: bigint
}

const encodeRecord = jsonEncoder(shapeOf(UsageRecord))

/** Encodes a record as JSON, with the product code if it has no license. */
export const bodyOf = (
  subscription: SubscriptionRow,
  dimension: string,
  timestamp: number,
  quantity: number,
  shares: ReadonlyArray<Share>
): string => {
  const { accountId, customerId, licenseArn, productCode } = subscription
  const isAllocated = shares.some(({ tags }) => tags !== "")
  const record = new UsageRecord(
    {
      timestamp: DateTime.unsafeMake(timestamp),
      dimension,
      quantity,
      ...(accountId === undefined
        ? { customerIdentifier: customerId }
        : { customerAWSAccountId: accountId }),
      ...(licenseArn !== undefined && { licenseArn }),
      ...(isAllocated && {
        usageAllocations: shares.map(({ quantity, tags }) => ({
          allocatedUsageQuantity: Number(quantity),
          ...(tags !== "" && { tags: parseTags(tags) })
        }))
      })
    },
    // the client validates the record when it is sent: an invalid record is sealed too, so that it is visible
    { disableValidation: true }
  )
  return JSON.stringify({
    ...(licenseArn === undefined && { ProductCode: productCode }),
    UsageRecord: encodeRecord(record)
  })
}

const parseTags = (tags: string): ReadonlyArray<{ readonly key: string; readonly value: string }> =>
  (JSON.parse(tags) as ReadonlyArray<readonly [string, string]>).map(([key, value]) => ({
    key,
    value
  }))

const Body = Schema.parseJson(
  Schema.Struct({ ProductCode: Schema.optional(Schema.String), UsageRecord })
)

const decodeBody = Schema.decodeUnknownEither(Body)

/** Decodes a body to the record, exactly as it was sealed. */
export const parseBody = (
  body: string
): Either.Either<
  { readonly record: UsageRecord; readonly productCode: string | undefined },
  ParseError
> =>
  Either.map(decodeBody(body), ({ ProductCode, UsageRecord }) => ({
    record: UsageRecord,
    productCode: ProductCode
  }))
