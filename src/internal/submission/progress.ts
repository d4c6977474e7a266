/** Where a submission stands, and what it came to as a whole. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Options, Outcome, Progress, Report } from "../../UsageSubmission.js"
import { zeroCounts } from "./pendingRecords.js"
import { quota } from "./rateLimiter.js"
import type { SchedulerState } from "./scheduler.js"

export const initialProgress: Progress = {
  read: 0,
  resolved: 0,
  counts: zeroCounts,
  buffered: 0,
  inFlight: 0,
  calls: 0,
  rate: quota,
  recordsPerSecond: 0
}

export const progressOf = (
  { calls, counts, inFlight, unresolved, rate, read }: SchedulerState,
  total: number | undefined,
  millis: number
): Progress => ({
  read,
  resolved: read - unresolved,
  counts,
  buffered: unresolved - inFlight,
  inFlight,
  calls,
  rate,
  recordsPerSecond: millis > 0 ? ((read - unresolved) * 1000) / millis : 0,
  ...(total !== undefined && { remaining: Math.max(0, total - read + unresolved) })
})

/** Gathers the outcomes of a stream by their place in the input; hands on what there is if it does not end well. */
export const collectReport = <R>(
  submit: (onInterrupt: Options["onInterrupt"]) => Stream.Stream<Outcome, never, R>,
  { onInterrupt }: Options
): Effect.Effect<Report, never, R> =>
  Effect.suspend(() => {
    const outcomes: Array<Outcome> = []
    const add = (some: Iterable<Outcome>) =>
      Effect.sync(() => {
        for (const outcome of some) outcomes[outcome.index] = outcome
      })
    const stream = submit(onInterrupt === undefined ? undefined : add)
    return Stream.runForEachChunk(stream, add).pipe(
      Effect.onError(() =>
        // places of what was never read or has no outcome are empty
        onInterrupt === undefined ? Effect.void : onInterrupt(outcomes.filter(() => true))
      ),
      Effect.map(() => ({ outcomes, counts: countsOf(outcomes) }))
    )
  })

const countsOf = (outcomes: ReadonlyArray<Outcome>) => {
  const counts = { ...zeroCounts }
  for (const { _tag } of outcomes) counts[_tag] += 1
  return counts
}
