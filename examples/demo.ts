/**
 * The main job, end to end: a sandbox of the service behind signed HTTP on a free loopback port, a buyer who
 * signs up, a file of usage that is metered in calls of 25, and what came of it.
 *
 *     npm run demo
 */
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { NodeHttpClient, NodeRuntime } from "@effect/platform-node"
import { parse } from "csv-parse/sync"
import { Array as Arr, Clock, Console, DateTime, Effect, Layer, Order, Schema } from "effect"
import {
  AwsCredentials,
  type BatchMeterUsage,
  MeteringClient,
  MeteringConfig,
  MeteringRetry,
  UsageRecord
} from "effect-marketplace-metering"
import { MeteringSandbox, type Report, SandboxServer } from "effect-marketplace-metering/sandbox"
import { table } from "./support/table.js"

const productCode = "atlas-search"
const file = fileURLToPath(new URL("data/usage.csv", import.meta.url))

/** The service takes usage for 24 hours, so everything here happens on the evening of the file's day. */
const evening = DateTime.unsafeMake("2026-03-17T18:05:00Z")

// ---------------------------------------------------------------------------------------------------
// the seller's program: it knows the client and nothing of a sandbox
// ---------------------------------------------------------------------------------------------------

const Row = Schema.Struct({
  timestamp: Schema.DateTimeUtc,
  customer_aws_account_id: Schema.String,
  dimension: Schema.String,
  quantity: Schema.NumberFromString
})

const readUsage = Effect.gen(function* () {
  const rows: unknown = parse(readFileSync(file), { columns: true, skip_empty_lines: true })
  const usage = yield* Schema.decodeUnknown(Schema.Array(Row))(rows)
  return yield* Effect.forEach(usage, ({ customer_aws_account_id, ...row }) =>
    UsageRecord.makeEither({ ...row, customerAWSAccountId: customer_aws_account_id })
  )
})

type Result = Pick<UsageRecord.UsageRecordResult, "usageRecord" | "status">

/** One call, and again for whatever the service did not get to. */
const meter = (
  usageRecords: ReadonlyArray<UsageRecord.UsageRecord>,
  triesLeft = 5
): Effect.Effect<
  ReadonlyArray<Result>,
  BatchMeterUsage.BatchMeterUsageError,
  MeteringClient.MeteringClient
> =>
  MeteringClient.batchMeterUsage({ productCode, usageRecords }).pipe(
    Effect.retry(MeteringRetry.standard),
    Effect.flatMap(({ results, unprocessedRecords }) =>
      unprocessedRecords.length === 0 || triesLeft === 0
        ? Effect.succeed([
            ...results,
            ...unprocessedRecords.map((usageRecord) => ({ usageRecord, status: "Unprocessed" }))
          ])
        : Effect.map(Effect.delay(meter(unprocessedRecords, triesLeft - 1), "1 second"), (more) => [
            ...results,
            ...more
          ])
    )
  )

// ---------------------------------------------------------------------------------------------------
// what is shown
// ---------------------------------------------------------------------------------------------------

const reasons: Record<string, string> = {
  DuplicateRecord: "another quantity was already billed for this customer, dimension and hour",
  CustomerNotSubscribed: "the customer has no active subscription",
  Unprocessed: "the service did not get to it; send it again"
}

const byCustomer = (results: ReadonlyArray<Result>) =>
  Object.entries(Arr.groupBy(results, (result) => result.usageRecord?.customerAWSAccountId ?? "?"))
    .sort(Order.mapInput(Order.string, ([account]: [string, unknown]) => account))
    .map(([account, all]) => {
      const count = (status: string) => all.filter((result) => result.status === status).length
      return [account, count("Success"), count("DuplicateRecord"), count("CustomerNotSubscribed")]
    })

const refusals = (results: ReadonlyArray<Result>) =>
  results
    .filter((result) => result.status !== "Success")
    .map(({ status = "no status", usageRecord: record }) => [
      record === undefined ? "?" : DateTime.formatIso(record.timestamp).slice(0, 16),
      record?.customerAWSAccountId ?? "?",
      record?.dimension ?? "?",
      record?.quantity ?? "?",
      `${status}: ${reasons[status] ?? "a status that this program does not know"}`
    ])

const totals = (billed: ReadonlyArray<Report.Billed>) =>
  Object.entries(
    Arr.groupBy(
      billed,
      ({ customerAWSAccountId, dimension }) => `${customerAWSAccountId} ${dimension}`
    )
  ).map(([key, all]) => [
    ...key.split(" "),
    all.length,
    all.reduce((sum, { quantity }) => sum + quantity, 0)
  ])

const program = Effect.gen(function* () {
  const sandbox = yield* MeteringSandbox.MeteringSandbox
  const { url } = yield* SandboxServer.SandboxServer
  yield* Console.log(`The sandbox listens on ${url}; every request to it is signed and verified.\n`)

  const registrationToken = yield* sandbox.mintToken({ customerAWSAccountId: "201845637190" })
  const buyer = yield* MeteringClient.resolveCustomer({ registrationToken })
  yield* Console.log(
    `A buyer signed up: account ${buyer.customerAWSAccountId}, product ${buyer.productCode}.\n`
  )

  const records = yield* readUsage
  const calls = Arr.chunksOf(records, 25)
  const results = Arr.flatten(yield* Effect.forEach(calls, (call) => meter(call)))
  yield* Console.log(
    `${records.length} records of examples/data/usage.csv were metered in ${calls.length} calls:\n`
  )
  yield* Console.log(
    table(["customer", "accepted", "duplicate", "not subscribed"], byCustomer(results))
  )
  yield* Console.log("Refused, and why:\n")
  yield* Console.log(
    table(["usage at (UTC)", "customer", "dimension", "quantity", "why"], refusals(results))
  )
  yield* Console.log("What the sandbox has billed:\n")
  yield* Console.log(
    table(["customer", "dimension", "hours", "units"], totals(yield* sandbox.billed))
  )
})

// ---------------------------------------------------------------------------------------------------
// the program's world
// ---------------------------------------------------------------------------------------------------

const customer = (customerAWSAccountId: string) => ({
  customerAWSAccountId,
  agreements: [{ productCode }]
})

const SandboxLive = MeteringSandbox.layer({
  products: [
    { code: productCode, dimensions: ["api-calls", "documents-indexed", "storage-gb-hours"] }
  ],
  customers: [
    customer("201845637190"),
    customer("318274650923"),
    customer("427709183564"),
    customer("539061842771"),
    customer("664820137955"),
    // this one has cancelled, and its usage is still being reported
    { customerAWSAccountId: "775193402816", agreements: [] }
  ]
})

const ServerLive = SandboxServer.layerNode({ port: 0 })

const ConfigLive = Layer.unwrapEffect(
  Effect.map(SandboxServer.SandboxServer, ({ url }) =>
    MeteringConfig.layer({ region: "us-east-1", endpoint: url })
  )
)

const ClientLive = MeteringClient.layer.pipe(
  Layer.provide([
    ConfigLive,
    AwsCredentials.layerStatic({ accessKeyId: "sandbox", secretAccessKey: "sandbox" }),
    NodeHttpClient.layerUndici
  ])
)

const Live = ClientLive.pipe(Layer.provideMerge(ServerLive), Layer.provideMerge(SandboxLive))

/** Time goes on as always, but from the evening of the file's day. */
const OnTheEvening = Layer.unwrapEffect(
  Effect.clockWith((clock) => {
    const ahead = evening.epochMillis - clock.unsafeCurrentTimeMillis()
    return Effect.succeed(
      Layer.setClock({
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + ahead,
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos() + BigInt(ahead) * 1_000_000n,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + ahead),
        currentTimeNanos: Effect.map(
          clock.currentTimeNanos,
          (now) => now + BigInt(ahead) * 1_000_000n
        ),
        sleep: (duration) => clock.sleep(duration)
      })
    )
  })
)

program.pipe(Effect.provide(Layer.provideMerge(Live, OnTheEvening)), NodeRuntime.runMain)
