/** Usage as an application logs it, and a recorder that reads this log from standard input. */
import * as NodeStream from "@effect/platform-node/NodeStream"
import { Console, Effect, Schema, Stream } from "effect"
import { UsageLedger } from "effect-marketplace-metering/ledger"

/** The usage of one request. A retry has the same id. */
export const Usage = Schema.Struct({
  id: Schema.String,
  subscription: Schema.String,
  dimension: Schema.String,
  quantity: Schema.Number,
  at: Schema.DateTimeUtc
})
export type Usage = typeof Usage.Type

/** Printed for usage that is durable, with the hour that it is billed in. */
export const Acknowledgment = Schema.Struct({
  id: Schema.String,
  result: Schema.Literal("Recorded", "AlreadyRecorded", "Carried"),
  hour: Schema.DateTimeUtc
})
export type Acknowledgment = typeof Acknowledgment.Type

/** One JSON value a line. */
export const UsageLine = Schema.parseJson(Usage)
export const AcknowledgmentLine = Schema.parseJson(Acknowledgment)

/** Records the usage of standard input, and acknowledges on standard output each event that is durable. */
export const recordInput = NodeStream.stdin.pipe(
  Stream.decodeText(),
  Stream.splitLines,
  Stream.mapEffect(Schema.decode(UsageLine)),
  // events that are recorded at the same time share a transaction
  Stream.mapEffect(UsageLedger.record, { concurrency: 50, unordered: true }),
  Stream.mapEffect(({ _tag, hour, id }) =>
    Schema.encode(AcknowledgmentLine)({ id, result: _tag, hour })
  ),
  Stream.runForEach((line) => Console.log(line)),
  Effect.orDie
)
