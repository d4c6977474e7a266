/**
 * What a seller's program does every hour: count, report, and act on each answer. It needs a `MeteringClient`
 * and does not care which: see report.test.ts for one in memory.
 *
 *     AWS_REGION=us-east-1 npx tsx examples/report.ts
 */
import { pathToFileURL } from "node:url"
import { NodeRuntime } from "@effect/platform-node"
import { DateTime, Effect, Schedule } from "effect"
import { MeteringClient, MeteringRetry } from "effect-marketplace-metering"
import * as Node from "effect-marketplace-metering/node"

export interface Usage {
  readonly customerAWSAccountId: string
  readonly dimension: string
  readonly quantity: number
}

/** Something went wrong that a person has to look at. */
export class NotBilled {
  readonly _tag = "NotBilled"
  constructor(
    readonly usage: string,
    readonly reason: string
  ) {}
}

/** Tries what may pass for up to ten minutes; the records keep the time that they were made with. */
const schedule = MeteringRetry.backoff({ base: "100 millis" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("10 minutes")
)

/** Reports one hour's usage of one product, and returns what was not billed and why. */
export const report = (productCode: string, usage: ReadonlyArray<Usage>) =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    const { results, unprocessedRecords } = yield* MeteringClient.batchMeterUsage({
      productCode,
      usageRecords: usage.map((used) => ({ ...used, timestamp }))
    }).pipe(Effect.retry(schedule))

    const refused = results
      .filter(({ status }) => status !== "Success")
      .map(({ status, usageRecord }) => new NotBilled(nameOf(usageRecord), status ?? "no status"))
    const unprocessed = unprocessedRecords.map(
      (record) => new NotBilled(nameOf(record), "the service did not get to it")
    )
    return [...refused, ...unprocessed]
  }).pipe(
    Effect.catchTags({
      // nothing was sent: one entry for every field that is wrong
      InvalidInputError: ({ violations }) =>
        Effect.succeed(
          violations.map(
            ({ expected, field, index }) =>
              new NotBilled(nameOf(usage[index ?? -1]), `${field}: expected ${expected}`)
          )
        ),
      // the whole call was refused, for a reason that no retry mends
      InvalidUsageDimensionException: ({ message }) => everything(usage, message),
      TimestampOutOfBoundsException: ({ message }) => everything(usage, message)
    })
  )

const everything = (usage: ReadonlyArray<Usage>, reason: string) =>
  Effect.succeed(usage.map((used) => new NotBilled(nameOf(used), reason)))

const nameOf = (usage?: {
  readonly customerAWSAccountId?: string | undefined
  readonly dimension: string
}) => (usage === undefined ? "the call" : `${usage.customerAWSAccountId} ${usage.dimension}`)

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  report("sandbox-analytics", [
    { customerAWSAccountId: "111122223333", dimension: "api-calls", quantity: 42 }
  ]).pipe(
    Effect.tap((notBilled) => Effect.log(`${notBilled.length} not billed`, ...notBilled)),
    Effect.provide(MeteringClient.layer),
    Effect.provide(Node.layer),
    NodeRuntime.runMain
  )
}
