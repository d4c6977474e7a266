/**
 * What a seller's program does every hour: count, report, and act on each outcome. It needs a `MeteringClient` and
 * does not care which: see report.test.ts for one in memory.
 *
 *     AWS_REGION=us-east-1 npx tsx examples/report.ts
 */
import { pathToFileURL } from "node:url"
import { NodeRuntime } from "@effect/platform-node"
import { DateTime, Effect, Match, Schedule } from "effect"
import { MeteringClient, MeteringRetry, UsageSubmission } from "effect-marketplace-metering"
import * as Node from "effect-marketplace-metering/node"

export interface Usage {
  readonly customerAWSAccountId: string
  readonly dimension: string
  readonly quantity: number
}

/** Something that a person has to look at, or the next run has to send again. */
export interface NotBilled {
  readonly usage: string
  readonly reason: string
  /** The same record is to be sent again, inside of its 24 hours. */
  readonly again: boolean
}

/** Tries what may pass for up to ten minutes, and does not wait for the next hour. */
const schedule = MeteringRetry.backoff({ base: "100 millis" }).pipe(
  Schedule.zipLeft(MeteringRetry.whileRetryable),
  Schedule.upTo("10 minutes")
)

/** Reports one hour's usage of one product by any number of customers, and returns what was not billed and why. */
export const report = (productCode: string, usage: ReadonlyArray<Usage>) =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    const { outcomes } = yield* UsageSubmission.submitAll(
      usage.map((used) => ({ ...used, timestamp })),
      { productCode, schedule }
    )
    return outcomes.flatMap(notBilled)
  })

const notBilled = (outcome: UsageSubmission.Outcome): ReadonlyArray<NotBilled> => {
  const { customerAWSAccountId, dimension } = outcome.record
  const because = (reason: string, again = false) => [
    { usage: `${customerAWSAccountId} ${dimension}`, reason, again }
  ]
  return Match.valueTags(outcome, {
    Accepted: () => [],
    Duplicate: () => because("another quantity was billed for this hour"),
    CustomerNotSubscribed: () => because("not subscribed"),
    Rejected: ({ error }) => because(error.message),
    Invalid: ({ violations }) =>
      because(violations.map(({ expected, field }) => `${field}: expected ${expected}`).join(", ")),
    Expired: () => because("too late"),
    NotSent: ({ reason }) => because(reason, true),
    Unknown: ({ reason }) => because(`perhaps billed: ${reason}`, true),
    UnknownStatus: ({ status }) => because(status)
  })
}

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
