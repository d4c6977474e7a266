/** Options, settled: defaults filled in, durations as milliseconds. */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Ref from "effect/Ref"
import type * as Schedule from "effect/Schedule"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import type { Rule } from "../../Preflight.js"
import type { Options, Outcome, Progress } from "../../UsageSubmission.js"
import type { AcceptanceWindow } from "./deadline.js"
import { quota } from "./rateLimiter.js"

export interface ResolvedOptions {
  readonly productCode: string | undefined
  readonly skipRules: ReadonlyArray<Rule>
  readonly rate: number
  readonly concurrency: number
  readonly bufferSize: number
  readonly linger: number
  readonly schedule: Schedule.Schedule<unknown, BatchMeterUsageError>
  readonly acceptanceWindow: AcceptanceWindow
  readonly deadlineMargin: number
  readonly progress: Ref.Ref<Progress> | undefined
  readonly total: number | undefined
  readonly stop: Effect.Effect<unknown> | undefined
  readonly gracePeriod: number
  readonly onInterrupt: ((outcomes: ReadonlyArray<Outcome>) => Effect.Effect<unknown>) | undefined
}

export const resolveOptions = (options: Options): ResolvedOptions => {
  const { bufferSize = 5_000, concurrency = 10, rate = quota } = options
  const deadlineMargin = Duration.toMillis(options.deadlineMargin ?? 0)
  return {
    productCode: options.productCode,
    skipRules: options.skipRules ?? [],
    rate: requireValid("rate", rate, rate > 0, "more than 0"),
    concurrency: positiveInteger("concurrency", concurrency),
    bufferSize: positiveInteger("bufferSize", bufferSize),
    linger: Duration.toMillis(options.linger ?? "1 second"),
    schedule: options.schedule ?? MeteringRetry.patient,
    acceptanceWindow: {
      maxAge: Duration.toMillis(options.maxAge ?? "24 hours"),
      monthEndGrace: Duration.toMillis(options.monthEndGrace ?? "6 hours")
    },
    // nothing could ever be sent
    deadlineMargin: requireValid(
      "margin",
      deadlineMargin,
      Number.isFinite(deadlineMargin),
      "a finite duration"
    ),
    progress: options.progress,
    total: options.total,
    stop: options.stop,
    gracePeriod: Duration.toMillis(options.gracePeriod ?? "30 seconds"),
    onInterrupt: options.onInterrupt
  }
}

const positiveInteger = (name: string, value: number): number =>
  requireValid(name, value, Number.isInteger(value) && value > 0, "a whole number more than 0")

const requireValid = (name: string, value: number, isValid: boolean, expected: string): number => {
  if (!isValid) throw new RangeError(`${name}: expected ${expected}, got ${value}`)
  return value
}
