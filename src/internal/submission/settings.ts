/** Options, settled: defaults filled in, durations as milliseconds. */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Ref from "effect/Ref"
import type * as Schedule from "effect/Schedule"
import type { BatchMeterUsageError } from "../../BatchMeterUsage.js"
import * as MeteringRetry from "../../MeteringRetry.js"
import type { Rule } from "../../Preflight.js"
import type { Options, Outcome, Progress } from "../../UsageSubmission.js"
import type { Window } from "./deadline.js"
import { quota } from "./pace.js"

export interface Settings {
  readonly productCode: string | undefined
  readonly except: ReadonlyArray<Rule>
  readonly rate: number
  readonly concurrency: number
  readonly bufferSize: number
  readonly linger: number
  readonly schedule: Schedule.Schedule<unknown, BatchMeterUsageError>
  readonly window: Window
  readonly margin: number
  readonly progress: Ref.Ref<Progress> | undefined
  readonly total: number | undefined
  readonly stop: Effect.Effect<unknown> | undefined
  readonly grace: number
  readonly onInterrupt: ((outcomes: ReadonlyArray<Outcome>) => Effect.Effect<unknown>) | undefined
}

export const make = (options: Options): Settings => {
  const { bufferSize = 5_000, concurrency = 10, rate = quota } = options
  const margin = Duration.toMillis(options.margin ?? 0)
  return {
    productCode: options.productCode,
    except: options.except ?? [],
    rate: checked("rate", rate, rate > 0, "more than 0"),
    concurrency: count("concurrency", concurrency),
    bufferSize: count("bufferSize", bufferSize),
    linger: Duration.toMillis(options.linger ?? "1 second"),
    schedule: options.schedule ?? MeteringRetry.patient,
    window: {
      back: Duration.toMillis(options.window ?? "24 hours"),
      monthEnd: Duration.toMillis(options.monthEnd ?? "6 hours")
    },
    // nothing could ever be sent
    margin: checked("margin", margin, Number.isFinite(margin), "a finite duration"),
    progress: options.progress,
    total: options.total,
    stop: options.stop,
    grace: Duration.toMillis(options.grace ?? "30 seconds"),
    onInterrupt: options.onInterrupt
  }
}

const count = (name: string, value: number): number =>
  checked(name, value, Number.isInteger(value) && value > 0, "a whole number more than 0")

const checked = (name: string, value: number, isSound: boolean, expected: string): number => {
  if (!isSound) throw new RangeError(`${name}: expected ${expected}, got ${value}`)
  return value
}
