/** A stub of `MeteringClient` with scripted responses, which logs every request with its time. */
import { Clock, DateTime, Effect, Fiber, Layer, type Stream, TestClock } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import { MeteringClient, type Service } from "effect-marketplace-metering/MeteringClient"
import * as Preflight from "effect-marketplace-metering/Preflight"
import type * as UsageOutcome from "effect-marketplace-metering/UsageOutcome"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"

export const product = "prod-1"
export const account = "111122223333"
export const now = "2026-11-24T10:30:00Z"

export const at = (iso: string): DateTime.Utc => DateTime.unsafeMake(iso)

export const licenseArnOf = (n: number) =>
  `arn:aws:license-manager::111122223333:license:l-${String(n).padStart(32, "0")}`

type Fields = UsageRecord.Input

/** A record with a key of its own, unless `change` replaces the dimension. */
export const record = (i: number, change: Partial<Fields> = {}): UsageRecord.UsageRecord =>
  UsageRecord.make({
    timestamp: at("2026-11-24T10:15:00Z"),
    dimension: `d${i}`,
    quantity: i + 1,
    ...("customerIdentifier" in change ? {} : { customerAWSAccountId: account }),
    ...change
  })

export const records = (count: number, change: Partial<Fields> = {}) =>
  Array.from({ length: count }, (_, i) => record(i, change))

export interface Call {
  readonly at: number
  readonly productCode: string | undefined
  readonly records: ReadonlyArray<UsageRecord.UsageRecord>
}

export type ResponseEffect = Effect.Effect<
  BatchMeterUsage.BatchMeterUsageResponse,
  BatchMeterUsage.BatchMeterUsageError
>

/** An exception of the service. */
export const makeException = <E extends BatchMeterUsage.BatchMeterUsageError>(Class: {
  new (fields: { operation: "BatchMeterUsage" }): E
}) => new Class({ operation: "BatchMeterUsage" })

export const result = (
  usageRecord: UsageRecord.UsageRecord | undefined,
  status: string | undefined = "Success",
  meteringRecordId: string | undefined = usageRecord && `id-${usageRecord.dimension}`
) =>
  new UsageRecord.UsageRecordResult(
    {
      ...(usageRecord !== undefined && { usageRecord }),
      ...(status !== undefined && { status }),
      ...(meteringRecordId !== undefined && { meteringRecordId })
    },
    true
  )

export const makeResponse = (
  results: ReadonlyArray<UsageRecord.UsageRecordResult>,
  unprocessedRecords: ReadonlyArray<UsageRecord.UsageRecord> = []
) =>
  new BatchMeterUsage.BatchMeterUsageResponse({ results, unprocessedRecords, unreadable: [] }, true)

/** Every record is accepted. */
export const accept = ({ records }: Call): ResponseEffect =>
  Effect.succeed(makeResponse(records.map((record) => result(record))))

export const reject = (error: BatchMeterUsage.BatchMeterUsageError): ResponseEffect =>
  Effect.fail(error)

/** Each function responds to one call, and the last to all that follow. */
export const stubClient = (...script: ReadonlyArray<(call: Call, n: number) => ResponseEffect>) => {
  const calls: Array<Call> = []
  const batchMeterUsage: Service["batchMeterUsage"] = (input) =>
    Effect.flatMap(Clock.currentTimeMillis, (time) => {
      const request = BatchMeterUsage.make(input, { skipRules: Preflight.Rule.literals })
      const call = {
        at: time,
        productCode: request.productCode,
        records: request.usageRecords
      }
      calls.push(call)
      const respond = script[Math.min(calls.length, script.length) - 1] ?? accept
      return respond(call, calls.length)
    })
  const unexpectedCall = () => Effect.die("a submission makes no such call")
  return {
    calls,
    layer: Layer.succeed(MeteringClient, {
      batchMeterUsage,
      meterUsage: unexpectedCall,
      meterUsageDryRun: unexpectedCall,
      registerUsage: unexpectedCall,
      resolveCustomer: unexpectedCall
    })
  }
}

type Records = Stream.Stream<UsageSubmission.Input> | Iterable<UsageSubmission.Input>

/** Submits at `now`, and advances the clock by 3 days. */
export const submitAll = (
  records: Records,
  stub: ReturnType<typeof stubClient>,
  options: UsageSubmission.Options = {}
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(at(now).epochMillis)
    const fiber = yield* Effect.fork(
      UsageSubmission.submitAll(records, { productCode: product, ...options }).pipe(
        Effect.provide(stub.layer)
      )
    )
    yield* TestClock.adjust("3 days")
    const { outcomes } = yield* Fiber.join(fiber)
    return outcomes
  })

/** The tag and the cause of an outcome. */
export const summarize = (outcome: UsageOutcome.Outcome): string => {
  const { _tag } = outcome
  switch (_tag) {
    case "Accepted":
      return `Accepted ${outcome.meteringRecordId}`
    case "Rejected":
      return `Rejected ${outcome.error._tag}`
    case "Invalid":
      return `Invalid ${outcome.violations.map(({ field, rule }) => `${field} ${rule}`).join()}`
    case "NotSent":
      return `NotSent ${outcome.reason}${outcome.error === undefined ? "" : ` ${outcome.error._tag}`}`
    case "Unknown":
      return ["Unknown", outcome.reason, outcome.error?._tag, outcome.status]
        .filter((part) => part !== undefined)
        .join(" ")
    case "UnknownStatus":
      return `UnknownStatus ${outcome.status}`
    case "Expired":
      return `Expired ${DateTime.formatIso(outcome.deadline)}`
    default:
      return _tag
  }
}

export const summaries = (outcomes: ReadonlyArray<UsageOutcome.Outcome>) => outcomes.map(summarize)
