/** The progress of a submission, on one line of standard error. */
import * as Effect from "effect/Effect"
import type * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import type { Progress } from "../../UsageSubmission.js"
import { formatCount } from "./format.js"

/** The number of bytes read from the source, and its size in bytes if known. */
interface ReadProgress {
  readonly bytes: number
  readonly size: number | undefined
}

/** Width of the bar, in characters. */
const barWidth = 24

/** Formats the progress as a line of at most `columns` characters. */
export const formatLine = (
  { calls, counts, read, recordsPerSecond, resolved }: Progress,
  readProgress: ReadProgress,
  columns: number
): string => {
  const notAccepted = resolved - counts.Accepted
  const numbers = [
    `${formatCount(resolved)} records`,
    ...(notAccepted === 0 ? [] : [`${formatCount(notAccepted)} not accepted`]),
    `${formatCount(calls)} calls`,
    `${formatCount(Math.round(recordsPerSecond))}/s`
  ].join("  ")
  const fraction = fractionOf(read, resolved, readProgress)
  if (fraction === undefined) return numbers.slice(0, columns)
  const done = Math.round(fraction * barWidth)
  const bar = `[${"#".repeat(done)}${".".repeat(barWidth - done)}] ${String(Math.floor(fraction * 100)).padStart(3)}%`
  return `${bar}  ${numbers}`.slice(0, columns)
}

/** Estimates the progress: the resolved fraction of the records read, times the fraction of the file read. */
const fractionOf = (read: number, resolved: number, { bytes, size }: ReadProgress) =>
  size === undefined || size === 0 || read === 0
    ? undefined
    : Math.min(1, resolved / read) * Math.min(1, bytes / size)

export const clearLine = Effect.sync(() => process.stderr.write("\r\u001b[K"))

/** Shows the line until the effect ends. */
export const show = (progress: Ref.Ref<Progress>, readProgress: ReadProgress) => {
  const { stderr } = process
  const draw = Effect.zipRight(
    clearLine,
    Effect.map(progress, (now) =>
      stderr.write(formatLine(now, readProgress, (stderr.columns ?? 80) - 1))
    )
  )
  return <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    effect.pipe(
      Effect.raceFirst(
        Effect.zipRight(Effect.repeat(draw, Schedule.spaced("100 millis")), Effect.never)
      ),
      Effect.ensuring(clearLine)
    )
}
