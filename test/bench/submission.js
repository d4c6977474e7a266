/**
 * A million records through `UsageSubmission.submit` and a sandbox, as fast as it goes: signed HTTP over loopback, no
 * quota, every record of another customer or dimension, so that each is stored and billed. The sandbox is the command's,
 * in a process of its own. Of the process that submits, at a hundredth of the records, at a tenth and at all of them:
 * records a second and CPU since the mark before, the most memory that was ever resident, and what is resident after a
 * collection, which has to stay as it was at a tenth. It runs the package as built.
 *
 *     npm run bench:submission [-- number of records]
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Chunk, DateTime, Effect, Layer, Option, Stream } from "effect"
import {
  AwsCredentials,
  MeteringClient,
  MeteringConfig,
  UsageSubmission
} from "effect-marketplace-metering"
import { bytesOf, cpuOf, startSandbox } from "./sandbox.js"

if (globalThis.gc === undefined) throw new Error("run it with --expose-gc")

const total = Number(process.argv[2] ?? 1_000_000)
const marks = [total / 100, total / 10, total]
const chunkSize = 1_000

// ---------------------------------------------------------------------------------------------------
// the sandbox
// ---------------------------------------------------------------------------------------------------

const productCode = "bench"
const customerCount = 10_000
const accountOf = (i) => String(100_000_000_000 + i)
const dimensions = Array.from(
  { length: Math.ceil(total / customerCount) },
  (_, i) => `dimension-${i}`
)

const sandbox = await startSandbox({
  region: "us-east-1",
  products: [{ code: productCode, dimensions }],
  customers: Array.from({ length: customerCount }, (_, i) => ({
    customerAWSAccountId: accountOf(i),
    agreements: [{ productCode }]
  }))
})

// ---------------------------------------------------------------------------------------------------
// the submission
// ---------------------------------------------------------------------------------------------------

const Live = MeteringClient.layer.pipe(
  Layer.provide([
    MeteringConfig.layer({ region: "us-east-1", endpoint: sandbox.endpoint }),
    AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
    NodeHttpClient.layerUndici
  ])
)

const timestamp = DateTime.unsafeNow()
const fieldsOf = (i) => ({
  timestamp,
  dimension: dimensions[Math.floor(i / customerCount)],
  quantity: i % 1000,
  customerAWSAccountId: accountOf(i % customerCount)
})
const records = Stream.unfoldChunk(0, (from) =>
  from >= total
    ? Option.none()
    : Option.some([
        Chunk.unsafeFromArray(
          Array.from({ length: Math.min(chunkSize, total - from) }, (_, i) => fieldsOf(from + i))
        ),
        from + chunkSize
      ])
)

/** Nothing is sent while outcomes are not taken. Pages go back to the system a while after they are free. */
const collect = Effect.sync(globalThis.gc).pipe(Effect.delay("500 millis"), Effect.repeatN(3))

const megabytes = (bytes) => `${Math.round(bytes / 1_000_000)} MB`
const rows = []
const resident = []
let accepted = 0
const watch = () => ({
  accepted,
  at: performance.now(),
  cpu: process.cpuUsage(),
  served: cpuOf(sandbox.pid)
})
let since = watch()

const measure = Effect.gen(function* () {
  const { system, user } = process.cpuUsage(since.cpu)
  const seconds = (performance.now() - since.at) / 1000
  const stretch = accepted - since.accepted
  const busy = (microseconds) => `${Math.round(microseconds / seconds / 10_000)} %`
  const served = cpuOf(sandbox.pid) - since.served
  const peak = process.resourceUsage().maxRSS * 1024
  yield* collect
  const { heapUsed, rss } = process.memoryUsage()
  resident.push(rss)
  rows.push({
    records: accepted,
    "records a second": Math.round(stretch / seconds),
    "CPU, µs a record": ((user + system) / stretch).toFixed(1),
    "CPU, of a core": busy(user + system),
    "the sandbox's": busy(served),
    "resident at the most": megabytes(peak),
    "resident after gc": megabytes(rss),
    "heap after gc": megabytes(heapUsed),
    "the sandbox's resident": megabytes(bytesOf(sandbox.pid))
  })
  // what measuring took is not counted
  since = watch()
})

const count = (outcomes) =>
  Effect.suspend(() => {
    for (const { _tag } of outcomes) if (_tag === "Accepted") accepted += 1
    return accepted < marks[rows.length] ? Effect.void : measure
  })

try {
  await Effect.runPromise(
    UsageSubmission.submit(records, { productCode, rate: Number.POSITIVE_INFINITY }).pipe(
      Stream.runForEachChunk(count),
      Effect.provide(Live)
    )
  )
  if (accepted !== total) throw new Error(`${accepted} of ${total} were accepted`)
  console.table(rows)
  const [first, early, late] = resident
  if (late === undefined) throw new Error("too few records to compare")
  console.log(
    `resident: ${(late / early).toFixed(2)} of what it was at a tenth, ${(late / first).toFixed(2)} at a hundredth`
  )
  if (late > 1.1 * early) throw new Error("memory grows with the number of records")
} finally {
  sandbox.stop()
}
