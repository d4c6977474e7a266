/** How far a submission is, on one line. */
import type { Progress } from "../../UsageSubmission.js"

/** How much of the source was read: bytes behind, and all there are where that is known. */
export interface ReadProgress {
  readonly bytes: number
  readonly size: number | undefined
}

const barWidth = 24

/** The line fits into `columns` characters. */
export const formatLine = (
  { calls, counts, read, recordsPerSecond, resolved: settled }: Progress,
  readProgress: ReadProgress,
  columns: number
): string => {
  const notAccepted = settled - counts.Accepted
  const numbers = [
    `${settled.toLocaleString("en-US")} records`,
    ...(notAccepted === 0 ? [] : [`${notAccepted.toLocaleString("en-US")} not accepted`]),
    `${calls.toLocaleString("en-US")} calls`,
    `${Math.round(recordsPerSecond).toLocaleString("en-US")}/s`
  ].join("  ")
  const fraction = fractionOf(read, settled, readProgress)
  if (fraction === undefined) return numbers.slice(0, columns)
  const done = Math.round(fraction * barWidth)
  const bar = `[${"#".repeat(done)}${".".repeat(barWidth - done)}] ${String(Math.floor(fraction * 100)).padStart(3)}%`
  return `${bar}  ${numbers}`.slice(0, columns)
}

/** Of what was read so far, the settled part; of the file, the part that was read. */
const fractionOf = (read: number, settled: number, { bytes, size }: ReadProgress) =>
  size === undefined || size === 0 || read === 0
    ? undefined
    : Math.min(1, settled / read) * Math.min(1, bytes / size)
