/**
 * What a seller's program does every hour: count, report, and act on each outcome. It needs a `MeteringClient` and
 * does not care which: see report.test.ts for one in memory.
 *
 * Each use keeps the hour it happened in, and what has to be sent again is kept with that hour: a record that is sent
 * again with another time is another charge.
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

/** What one customer used of one dimension in one hour. It is written when the hour is over, and never changed. */
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
  /** The next run sends the same usage again, inside of its 24 hours. Otherwise a person has to look at it. */
  readonly again: boolean
}

/** Tries for up to ten minutes, and does not wait for the next hour. */
const schedule = MeteringRetry.backoff({ base: "100 millis" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("10 minutes")
)

/** Reports usage of one product by any number of customers, and returns what was not billed and why. */
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
): ReadonlyArray<Pick<NotBilled, "reason" | "again">> => {
  const unbilled = (reason: string, again = false) => [{ reason, again }]
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

/** Reports a file of usage and what the last run had left, and leaves in `pendingFile` what the next one has to send. */
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
      problems.filter(({ again }) => again).map(({ usage }) => usage),
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
