/** Rows of usage for `submit`: each a record, and the product that it is of. */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type * as UsageRecord from "../../UsageRecord.js"
import type * as UsageSubmission from "../../UsageSubmission.js"
import * as allocations from "./allocations.js"
import * as columns from "./columns.js"
import * as decimal from "./decimal.js"
import * as json from "./json.js"
import type { Kind, Row } from "./parseRows.js"
import { parseTime } from "./time.js"

/** Texts that cannot be read stay texts. Then the record's validation names the expected value. */
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

export const usageRows: Kind<UsageSubmission.Item> = {
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
    // names of MeterUsage
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
          // any values so far: the submission validates them
        } as unknown as UsageRecord.Input,
        ...(productCode === undefined ? {} : { productCode })
      }
    })
}
