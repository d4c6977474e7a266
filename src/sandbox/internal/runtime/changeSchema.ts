/** The schema of changes in a state file. */
import * as Schema from "effect/Schema"
import { OperationName } from "../../../MeteringError.js"
import { UsageAllocation } from "../../../UsageAllocation.js"
import { RandomFault, ScriptedFault } from "../../Fault.js"
import { CallCounts } from "../../Report.js"
import { Customer } from "../../Scenario.js"
import { isPrivateKey } from "./signingKey.js"

const optionalText = Schema.optional(Schema.String)

export const ChangeSchema = Schema.Union(
  Schema.TaggedStruct("Metered", {
    key: Schema.String,
    usage: Schema.Struct({
      meteringRecordId: Schema.String,
      operation: OperationName,
      productCode: Schema.String,
      licenseArn: optionalText,
      customerAWSAccountId: Schema.String,
      dimension: Schema.String,
      hour: Schema.Number,
      timestamp: Schema.Number,
      quantity: Schema.Number,
      usageAllocations: Schema.optional(Schema.Array(UsageAllocation)),
      split: Schema.String
    })
  }),
  Schema.TaggedStruct("Receipt", {
    key: Schema.String,
    receipt: Schema.Struct({ request: Schema.String, meteringRecordId: Schema.String })
  }),
  Schema.TaggedStruct("Token", {
    key: Schema.String,
    token: Schema.Struct({
      mintedAt: Schema.Number,
      customerAWSAccountId: Schema.String,
      customerIdentifier: optionalText,
      productCode: Schema.String,
      licenseArn: optionalText,
      agreementId: optionalText
    })
  }),
  Schema.TaggedStruct("Landed", { agreementId: Schema.String }),
  Schema.TaggedStruct("Registered", { key: Schema.String }),
  Schema.TaggedStruct("Customer", { customer: Customer }),
  Schema.TaggedStruct("Calendar", { offset: Schema.Number }),
  Schema.TaggedStruct("PrivateKey", { pem: Schema.String.pipe(Schema.filter(isPrivateKey)) }),
  Schema.TaggedStruct("Faults", {
    faults: Schema.Struct({
      script: Schema.Array(ScriptedFault),
      chances: Schema.Array(RandomFault),
      random: Schema.mutable(
        Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
      )
    })
  }),
  Schema.TaggedStruct("Bucket", {
    operation: OperationName,
    bucket: Schema.Struct({ left: Schema.Number, at: Schema.Number })
  }),
  Schema.TaggedStruct("Counts", { arrivals: Schema.Number, calls: CallCounts }),
  Schema.TaggedStruct("Reset", {})
)
