/** A service that these tests make up: it bills, it fails as it is told to, and it keeps every request as JSON. */
import { Clock, DateTime, Duration, Effect, Layer } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import type { Market, RawCall } from "./oracle.js"

const operation = "BatchMeterUsage"
const endpoint = "https://metering.example"

/**
 * What befalls a call.
 *
 * - `throttled`, `refused`: before anything is looked at; the connection in the latter case
 * - `cutBefore`, `failedBefore`: nothing was stored, but nobody can tell
 * - `cutAfter`, `failedAfter`, `late`: all of it was stored, and no answer comes
 * - `unprocessed`: every other record is left for later
 * - `silent`: the answer leaves out every third result
 * - `shuffled`: results in another order, with one that belongs to nobody
 * - `wordy`: echoes name the customer in every way
 */
export const faults = [
  "none",
  "throttled",
  "refused",
  "cutBefore",
  "failedBefore",
  "cutAfter",
  "failedAfter",
  "late",
  "unprocessed",
  "silent",
  "shuffled",
  "wordy"
] as const

export type Fault = (typeof faults)[number]

/** After which of them nobody can tell whether records were stored. */
export const leavesDoubt: ReadonlySet<Fault> = new Set([
  "cutBefore",
  "failedBefore",
  "cutAfter",
  "failedAfter",
  "late",
  "silent",
  // only until the records are asked for one by one, which may be refused
  "wordy"
])

const connection = (delivery: "notSent" | "unknown") =>
  new MeteringError.ConnectionError({ operation, endpoint, reason: "ECONNRESET", delivery })

const errors = {
  throttled: new MeteringError.ThrottlingException({ operation }),
  refused: connection("notSent"),
  cutBefore: connection("unknown"),
  cutAfter: connection("unknown"),
  failedBefore: new MeteringError.InternalServiceErrorException({ operation }),
  failedAfter: new MeteringError.InternalServiceErrorException({ operation }),
  late: new MeteringError.RequestTimeoutError({
    operation,
    endpoint,
    timeout: Duration.seconds(30)
  })
}

const unseen: ReadonlySet<Fault> = new Set(["throttled", "refused", "cutBefore", "failedBefore"])

export const make = (market: Market) => {
  const calls: Array<RawCall> = []
  const stored = new Map<string, { readonly quantity: number; readonly id: string }>()
  let plan: ReadonlyArray<Fault> = []

  const customerOf = (record: UsageRecord.UsageRecord) =>
    market.customers.findIndex(
      (names) =>
        names.includes(record.customerAWSAccountId ?? "") ||
        names.includes(record.customerIdentifier ?? "")
    )

  const enter = (record: UsageRecord.UsageRecord, productCode: string | undefined) => {
    const customer = customerOf(record)
    if (customer < 0) return { status: "CustomerNotSubscribed" }
    const hour = Math.trunc(record.timestamp.epochMillis / 3_600_000)
    const place = `${productCode}/${record.licenseArn}/${customer}/${record.dimension}/${hour}`
    const before = stored.get(place)
    if (before !== undefined) {
      return before.quantity === record.quantity
        ? { status: "Success", meteringRecordId: before.id }
        : { status: "DuplicateRecord" }
    }
    const meteringRecordId = `record-${stored.size}`
    stored.set(place, { quantity: record.quantity, id: meteringRecordId })
    return { status: "Success", meteringRecordId }
  }

  const refusalOf = (request: BatchMeterUsage.BatchMeterUsageRequest, now: number) => {
    const { productCode, usageRecords } = request
    if (productCode !== undefined && !market.products.includes(productCode)) {
      return new MeteringError.InvalidProductCodeException({ operation })
    }
    const monthStart = new Date(now)
    monthStart.setUTCDate(1)
    monthStart.setUTCHours(0, 0, 0, 0)
    const isClosed = now >= monthStart.getTime() + 6 * 3_600_000
    const isLate = (time: number) =>
      time <= now - 24 * 3_600_000 || (isClosed && time < monthStart.getTime())
    if (usageRecords.some(({ timestamp }) => isLate(timestamp.epochMillis))) {
      return new MeteringError.TimestampOutOfBoundsException({ operation })
    }
    return usageRecords.every(({ dimension }) => market.dimensions.includes(dimension))
      ? undefined
      : new MeteringError.InvalidUsageDimensionException({ operation })
  }

  const echoOf = (record: UsageRecord.UsageRecord, fault: Fault) => {
    const [customerAWSAccountId, customerIdentifier] = market.customers[customerOf(record)] ?? []
    return fault === "wordy" && customerAWSAccountId !== undefined
      ? new UsageRecord.UsageRecord({ ...record, customerAWSAccountId, customerIdentifier }, true)
      : record
  }

  const answerOf = (
    { productCode, usageRecords }: BatchMeterUsage.BatchMeterUsageRequest,
    fault: Fault
  ) => {
    const isSkipped = (place: number) => fault === "unprocessed" && place % 2 === 1
    const results = usageRecords.flatMap((record, place) =>
      isSkipped(place)
        ? []
        : [
            new UsageRecord.UsageRecordResult(
              { usageRecord: echoOf(record, fault), ...enter(record, productCode) },
              true
            )
          ]
    )
    const told =
      fault === "silent"
        ? results.filter((_, place) => place % 3 !== 1)
        : fault === "shuffled"
          ? [stranger, ...results.slice().reverse()]
          : results
    return new BatchMeterUsage.BatchMeterUsageResponse(
      {
        results: told,
        unprocessedRecords: usageRecords.filter((_, place) => isSkipped(place)),
        unreadable: []
      },
      true
    )
  }

  const batchMeterUsage = (input: BatchMeterUsage.Input) =>
    Effect.gen(function* () {
      const fault = plan[0] ?? "none"
      plan = plan.slice(1)
      const sentAt = yield* Clock.currentTimeMillis
      yield* Effect.sleep("150 millis")
      const request = new BatchMeterUsage.BatchMeterUsageRequest(input, { disableValidation: true })
      const now = yield* Clock.currentTimeMillis
      calls.push({
        sentAt,
        at: now,
        body: bodyOf(request),
        isLookedAt: !unseen.has(fault),
        unprocessed:
          fault === "unprocessed" ? request.usageRecords.map((_, place) => place).filter(isOdd) : []
      })
      if (fault === "throttled" || fault === "refused" || fault === "cutBefore") {
        return yield* errors[fault]
      }
      if (fault === "failedBefore") return yield* errors[fault]
      const refusal = refusalOf(request, now)
      if (refusal !== undefined && !(fault in errors)) return yield* refusal
      const answer = refusal === undefined ? answerOf(request, fault) : undefined
      yield* Effect.sleep(fault === "late" ? "30 seconds" : "50 millis")
      if (fault === "cutAfter" || fault === "failedAfter" || fault === "late") {
        return yield* errors[fault]
      }
      return answer ?? (yield* refusal ?? Effect.die("no answer"))
    })

  const none = () => Effect.die("not a call that a submission makes")
  return {
    calls,
    setPlan: (faults: ReadonlyArray<Fault>) => {
      plan = faults
    },
    layer: Layer.succeed(MeteringClient, {
      batchMeterUsage,
      meterUsage: none,
      registerUsage: none,
      resolveCustomer: none
    })
  }
}

const isOdd = (place: number) => place % 2 === 1

const stranger = new UsageRecord.UsageRecordResult(
  {
    usageRecord: UsageRecord.make({
      timestamp: DateTime.unsafeMake(0),
      dimension: "nobody's",
      quantity: 1,
      customerAWSAccountId: "0"
    }),
    status: "Success",
    meteringRecordId: "nobody's"
  },
  true
)

/** A record as it is on the wire. */
export const wireOf = (record: UsageRecord.UsageRecord) => ({
  Timestamp: record.timestamp.epochMillis / 1000,
  Dimension: record.dimension,
  Quantity: record.quantity,
  ...(record.customerIdentifier !== undefined && {
    CustomerIdentifier: record.customerIdentifier
  }),
  ...(record.customerAWSAccountId !== undefined && {
    CustomerAWSAccountId: record.customerAWSAccountId
  }),
  ...(record.licenseArn !== undefined && { LicenseArn: record.licenseArn })
})

const bodyOf = ({ productCode, usageRecords }: BatchMeterUsage.BatchMeterUsageRequest) =>
  JSON.stringify({
    ...(productCode !== undefined && { ProductCode: productCode }),
    UsageRecords: usageRecords.map(wireOf)
  })
