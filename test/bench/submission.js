/**
 * Records a second of `UsageSubmission.submit`, and resident memory after a collection at a hundred thousand and at a
 * million records, through a `MeteringClient` in the same process that accepts everything and checks nothing. What is
 * measured is the submission alone. It runs the package as built.
 *
 *     npm run build && node --expose-gc test/bench/submission.js
 */
import { Chunk, DateTime, Effect, Layer, Option, Stream } from "effect"
import {
  BatchMeterUsage,
  MeteringClient,
  UsageRecord,
  UsageSubmission
} from "effect-marketplace-metering"

const total = Number(process.argv[2] ?? 1_000_000)
const marks = [total / 10, total]
const chunkSize = 1_000

if (globalThis.gc === undefined) throw new Error("run it with --expose-gc")

const none = () => Effect.die("not measured")
const AcceptsAll = Layer.succeed(MeteringClient.MeteringClient, {
  meterUsage: none,
  registerUsage: none,
  resolveCustomer: none,
  batchMeterUsage: ({ usageRecords }) =>
    Effect.succeed(
      new BatchMeterUsage.BatchMeterUsageResponse(
        {
          results: usageRecords.map(
            (usageRecord) =>
              new UsageRecord.UsageRecordResult(
                { usageRecord, status: "Success", meteringRecordId: "id" },
                true
              )
          ),
          unprocessedRecords: [],
          unreadable: []
        },
        true
      )
    ).pipe(Effect.zipLeft(Effect.yieldNow()))
})

const start = DateTime.unsafeNow().epochMillis - 12 * 3_600_000
const timestamps = Array.from({ length: 12 }, (_, i) => DateTime.unsafeMake(start + i * 3_600_000))
const fieldsOf = (i) => ({
  timestamp: timestamps[i % 12],
  dimension: `dimension-${i % 7}`,
  quantity: i % 1000,
  customerAWSAccountId: String(100_000_000_000 + i),
  licenseArn: "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"
})

const records = Stream.unfoldChunk(0, (from) =>
  from >= total
    ? Option.none()
    : Option.some([
        Chunk.unsafeFromArray(Array.from({ length: chunkSize }, (_, i) => fieldsOf(from + i))),
        from + chunkSize
      ])
)

const megabytes = (bytes) => `${Math.round(bytes / 1_000_000)} MB`
const rows = []
let accepted = 0
const startedAt = performance.now()

const count = (outcomes) =>
  Effect.sync(() => {
    for (const { _tag } of outcomes) if (_tag === "Accepted") accepted += 1
    if (accepted < marks[rows.length]) return
    const seconds = (performance.now() - startedAt) / 1000
    globalThis.gc()
    rows.push({
      records: accepted,
      "records a second": Math.round(accepted / seconds),
      "resident after gc": megabytes(process.memoryUsage().rss),
      "heap after gc": megabytes(process.memoryUsage().heapUsed)
    })
  })

await Effect.runPromise(
  UsageSubmission.submit(records, { rate: Number.POSITIVE_INFINITY }).pipe(
    Stream.runForEachChunk(count),
    Effect.provide(AcceptsAll),
    Effect.withTracerEnabled(false)
  )
)
if (accepted !== total) throw new Error(`${accepted} of ${total} were accepted`)
console.table(rows)
