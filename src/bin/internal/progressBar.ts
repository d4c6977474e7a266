/** How far a submission is, on one line. */
import type { Progress } from "../../UsageSubmission.js"

/** How much of the source was read: bytes behind, and all there are where that is known. */
export interface Reading {
  readonly bytes: number
  readonly size: number | undefined
}

const width = 24

/** The line fits into `columns` characters. */
export const line = (
  { calls, counts, read, recordsPerSecond, settled }: Progress,
  reading: Reading,
  columns: number
): string => {
  const refused = settled - counts.Accepted
  const numbers = [
    `${settled.toLocaleString("en-US")} records`,
    ...(refused === 0 ? [] : [`${refused.toLocaleString("en-US")} not accepted`]),
    `${calls.toLocaleString("en-US")} calls`,
    `${Math.round(recordsPerSecond).toLocaleString("en-US")}/s`
  ].join("  ")
  const share = shareOf(read, settled, reading)
  if (share === undefined) return numbers.slice(0, columns)
  const done = Math.round(share * width)
  const bar = `[${"#".repeat(done)}${".".repeat(width - done)}] ${String(Math.floor(share * 100)).padStart(3)}%`
  return `${bar}  ${numbers}`.slice(0, columns)
}

/** Of what was read so far, the settled part; of the file, the part that was read. */
const shareOf = (read: number, settled: number, { bytes, size }: Reading) =>
  size === undefined || size === 0 || read === 0
    ? undefined
    : Math.min(1, settled / read) * Math.min(1, bytes / size)
