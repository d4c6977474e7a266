/**
 * The hourly job of a seller: read usage, report it, and act on each outcome. It works with any `MeteringClient`: see
 * report.test.ts for one in memory.
 *
 * Usage that must be sent again is stored with its own hour: a record with another time is another charge.
 *
 *     AWS_REGION=us-east-1 npx tsx examples/report.ts usage.ndjson pending.ndjson
 */
import { pathToFileURL } from "node:url"
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Effect, Match, Schedule, Schema } from "effect"
import {
  MeteringClient,
  MeteringRetry,
  type UsageOutcome,
  UsageSubmission
} from "effect-marketplace-metering"
import * as Node from "effect-marketplace-metering/node"

/** The usage of one customer and dimension in one hour. It is written after the hour, and never changed. */
export class Usage extends Schema.Class<Usage>("Usage")({
  hour: Schema.DateTimeUtc,
  customerAWSAccountId: Schema.String,
  dimension: Schema.String,
  quantity: Schema.Number
}) {}

/** Usage that was not billed. */
export interface NotBilled {
  readonly usage: Usage
  readonly reason: string
  /** True if the next run sends the same usage again, within its 24 hours. Other usage needs a person. */
  readonly shouldRetry: boolean
}

/** Retries for at most 10 minutes. */
const schedule = MeteringRetry.backoff({ base: "100 millis" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("10 minutes")
)

/** Reports the usage of one product, and returns the usage that was not billed, with reasons. */
export const report = (productCode: string, usage: ReadonlyArray<Usage>) =>
  UsageSubmission.submitAll(
    usage.map(({ customerAWSAccountId, dimension, hour, quantity }) => ({
      timestamp: hour,
      customerAWSAccountId,
      dimension,
      quantity
    })),
    { productCode, schedule }
  ).pipe(
    Effect.map(({ outcomes }) =>
      outcomes.flatMap((outcome) =>
        notBilled(outcome).map(
          (why): NotBilled => ({
            // the index is that of the record given
            usage: usage[outcome.index] as Usage,
            ...why
          })
        )
      )
    )
  )

const notBilled = (
  outcome: UsageOutcome.Outcome
): ReadonlyArray<Pick<NotBilled, "reason" | "shouldRetry">> => {
  const unbilled = (reason: string, shouldRetry = false) => [{ reason, shouldRetry }]
  return Match.valueTags(outcome, {
    Accepted: () => [],
    Duplicate: () => unbilled("another quantity was billed for this hour"),
    CustomerNotSubscribed: () => unbilled("not subscribed"),
    Rejected: ({ error }) => unbilled(error.message),
    Invalid: ({ violations }) =>
      unbilled(
        violations.map(({ expected, field }) => `${field}: expected ${expected}`).join(", ")
      ),
    Expired: () => unbilled("too late"),
    NotSent: ({ reason }) => unbilled(reason, true),
    Unknown: ({ reason }) => unbilled(`perhaps billed: ${reason}`, true),
    UnknownStatus: ({ status }) => unbilled(status)
  })
}

const Line = Schema.parseJson(Usage)

/** Reports a file of usage and the pending usage of the last run, and stores the pending usage for the next one. */
export const run = (productCode: string, usageFile: string, pendingFile: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const read = (file: string) =>
      Effect.flatMap(files.readFileString(file), (text) =>
        Effect.forEach(
          text.split("\n").filter((line) => line !== ""),
          (line) => Schema.decode(Line)(line)
        )
      )
    const pending = (yield* files.exists(pendingFile)) ? yield* read(pendingFile) : []
    const problems = yield* report(productCode, [...pending, ...(yield* read(usageFile))])

    const lines = yield* Effect.forEach(
      problems.filter(({ shouldRetry }) => shouldRetry).map(({ usage }) => usage),
      (usage) => Schema.encode(Line)(usage)
    )
    yield* files.writeFileString(`${pendingFile}.new`, lines.map((line) => `${line}\n`).join(""))
    yield* files.rename(`${pendingFile}.new`, pendingFile)
    return problems
  })

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [, , usageFile = "usage.ndjson", pendingFile = "pending.ndjson"] = process.argv
  run("sandbox-analytics", usageFile, pendingFile).pipe(
    Effect.tap((problems) => Effect.log(`${problems.length} not billed`, ...problems)),
    Effect.provide(MeteringClient.layer),
    Effect.provide([Node.layer, NodeContext.layer]),
    NodeRuntime.runMain
  )
}
