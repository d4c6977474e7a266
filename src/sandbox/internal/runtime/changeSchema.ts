/** The schema of the changes in a state file. */
import * as Schema from "effect/Schema"
import { MarketplaceEvent } from "../../../lifecycle/MarketplaceEvent.js"
import { OperationName } from "../../../MeteringError.js"
import { UsageAllocation } from "../../../UsageAllocation.js"
import { DeliveryFaults, SentEvent } from "../../EventDelivery.js"
import { RandomFault, ScriptedFault } from "../../Fault.js"
import { CallCounts } from "../../Report.js"
import { Customer } from "../../Scenario.js"
import * as events from "../model/events.js"
import { isPrivateKey } from "./signingKey.js"

const optionalText = Schema.optional(Schema.String)

const RandomState = Schema.mutable(
  Schema.Tuple(Schema.Number, Schema.Number, Schema.Number, Schema.Number)
)

const Attempts = Schema.Array(
  Schema.Struct({
    at: Schema.Number,
    status: Schema.optional(Schema.Number),
    error: optionalText
  })
)

const Delivery = Schema.Struct({
  number: Schema.Number,
  target: Schema.String,
  state: Schema.Literal("pending", "delivered", "failed"),
  attempts: Attempts
})

// the cast is safe, because the keys of `channels` are all kinds of events
const EventKind = Schema.Literal(
  ...(Object.keys(events.channels) as ReadonlyArray<events.EventKind>)
)

const ScheduledStep = Schema.Struct({
  number: Schema.Number,
  at: Schema.optional(Schema.Number),
  account: Schema.String,
  agreementId: Schema.String,
  kind: Schema.Union(EventKind, Schema.Literal("Start", "End", "Fail", "Send")),
  event: Schema.optional(Schema.Number),
  isReordered: Schema.optional(Schema.Boolean)
})

const OutboxChange = Schema.Union(
  Schema.TaggedStruct("Schedule", { due: Schema.Array(ScheduledStep) }),
  Schema.TaggedStruct("Due", { step: ScheduledStep }),
  Schema.TaggedStruct("Done", { number: Schema.Number }),
  Schema.TaggedStruct("Event", {
    event: Schema.Struct({
      number: Schema.Number,
      at: Schema.Number,
      agreementId: Schema.String,
      kind: EventKind,
      event: MarketplaceEvent,
      fault: SentEvent.fields.fault,
      deliveries: Schema.Array(Delivery)
    }),
    random: RandomState
  }),
  Schema.TaggedStruct("Delivery", { event: Schema.Number, delivery: Delivery }),
  Schema.TaggedStruct("Subscription", {
    target: Schema.String,
    subscription: Schema.Struct({
      url: Schema.String,
      state: Schema.Literal("pending", "confirmed"),
      token: Schema.String,
      attempts: Attempts
    })
  }),
  Schema.TaggedStruct("DeliveryFaults", { faults: DeliveryFaults })
)

export const ChangeSchema = Schema.Union(
  Schema.TaggedStruct("Metered", {
    usage: Schema.Struct({
      meteringRecordId: Schema.String,
      operation: OperationName,
      productCode: Schema.String,
      licenseArn: optionalText,
      customerAWSAccountId: Schema.String,
      dimension: Schema.String,
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
  Schema.TaggedStruct("Announced", { key: Schema.String }),
  Schema.TaggedStruct("Registered", { key: Schema.String }),
  Schema.TaggedStruct("Customer", { customer: Customer }),
  Schema.TaggedStruct("Calendar", { offset: Schema.Number }),
  Schema.TaggedStruct("PrivateKey", { pem: Schema.String.pipe(Schema.filter(isPrivateKey)) }),
  Schema.TaggedStruct("Faults", {
    faults: Schema.Struct({
      script: Schema.Array(ScriptedFault),
      chances: Schema.Array(RandomFault),
      random: RandomState
    })
  }),
  Schema.TaggedStruct("Bucket", {
    operation: OperationName,
    bucket: Schema.Struct({ left: Schema.Number, at: Schema.Number })
  }),
  Schema.TaggedStruct("Counts", { arrivals: Schema.Number, calls: CallCounts }),
  Schema.TaggedStruct("Outbox", { change: OutboxChange }),
  Schema.TaggedStruct("Reset", {})
)
