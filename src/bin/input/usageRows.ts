/** The schema of rows of `submit`: a usage record, with an optional product code. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as UsageRecord from "../../UsageRecord.js"
import type * as UsageSubmission from "../../UsageSubmission.js"
import * as allocations from "./allocations.js"
import * as columns from "./columns.js"
import * as decimal from "./decimal.js"
import * as json from "./json.js"
import type { Row, RowSchema } from "./parseRows.js"
import { parseTime } from "./time.js"

/** Parses the text of a field. Returns an invalid text unchanged, so that the validation of the record reports it. */
const parseField = (field: string, value: unknown): unknown => {
  switch (field) {
    case "timestamp":
      return Predicate.isString(value) ? parseTime(value) : value
    case "quantity":
      return Predicate.isString(value) ? (decimal.parseQuantity(value.trim()) ?? value) : value
    default:
      return value
  }
}

export type UsageRow = Row<UsageSubmission.Item>

export const usageRowSchema: RowSchema<UsageSubmission.Item> = {
  columns: columns.make({
    fields: [
      "timestamp",
      "dimension",
      "quantity",
      "customerAWSAccountId",
      "customerIdentifier",
      "licenseArn",
      "productCode",
      "usageAllocations"
    ],
    // the field names of MeterUsage
    aliases: { usageDimension: "dimension", usageQuantity: "quantity" },
    required: ["timestamp", "dimension", "quantity"],
    oneOf: ["customerAWSAccountId", "customerIdentifier"]
  }),
  parse: (found) =>
    Either.gen(function* () {
      const { productCode, usageAllocations, ...others } = found
      if (productCode !== undefined && !Predicate.isString(productCode)) {
        return yield* Either.left(
          `productCode: expected a text, got ${json.formatValue(productCode)}`
        )
      }
      const shares = yield* allocations.parseField(usageAllocations)
      const record = Object.fromEntries(
        Object.entries(others).map(([field, value]) => [field, parseField(field, value)])
      )
      return {
        record: {
          ...record,
          ...(shares === undefined ? {} : { usageAllocations: shares })
          // not validated yet: the submission validates the record
        } as unknown as UsageRecord.Input,
        ...(productCode === undefined ? {} : { productCode })
      }
    })
}
