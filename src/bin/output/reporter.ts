/** The output of a submission, while it runs and at its end. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { CliError } from "../internal/cliError.js"
import { notSentAfterStop } from "../internal/rowOutcome.js"
import type { RowResult } from "../internal/submitRows.js"
import { formatCount, formatJson } from "./format.js"
import type { RejectedLine } from "./rejectedFile.js"
import * as rejectedRows from "./rejectedRows.js"
import * as rowErrors from "./rowErrors.js"
import * as summary from "./summary.js"

export interface Options {
  /** The source in error messages. */
  readonly name: string
  readonly json: boolean
  readonly isDryRun: boolean
  /** Prints lines, and waits for a slow reader. */
  readonly print: (text: string) => Effect.Effect<void>
  /** Writes rows that were not accepted, if there is a file for them. */
  readonly writeRejected:
    | ((lines: ReadonlyArray<RejectedLine>) => Effect.Effect<void, CliError>)
    | undefined
}

interface Completion {
  readonly calls: number
  readonly isStopped: boolean
  /** True if part of the source was not read. */
  readonly isUnread: boolean
}

/** Number of buffered characters from which the buffer must be written. */
const maxBufferedLength = 65_536

export const make = ({ isDryRun, json: isJson, name, print, writeRejected }: Options) => {
  const rowSummary = summary.make(!isJson)
  const errors = rowErrors.make(name)
  let lines = ""
  let rejected: Array<RejectedLine> = []
  let bufferedLength = 0
  let isHeaderWritten = false
  let isWritable = writeRejected !== undefined
  let lastLine = 1
  let repeated = 0

  const displayStatus = (status: string) =>
    isDryRun && status === "Accepted" ? "WouldBeSent" : status

  const addRejected = (line: number, text: string) => {
    rejected.push({ line, text })
    bufferedLength += text.length
  }

  const add = ({ isRepeated = false, record, row, outcome }: RowResult) => {
    lastLine = Math.max(lastLine, row.line)
    const { column, isGrouped = false, meteringRecordId, reason, status } = outcome
    rowSummary.add(record, status, isRepeated)
    if (isRepeated) repeated += 1
    if (isJson) {
      const line = `${formatJson({ line: row.line, status: displayStatus(status), reason, meteringRecordId, record })}\n`
      lines += line
      bufferedLength += line.length
    }
    if (reason === undefined) return
    // rows after a stop are not listed, because they would hide errors that need action
    if (reason !== notSentAfterStop.reason) {
      errors.add({ line: row.line, column, reason, isGrouped })
    }
    if (!isWritable) return
    if (!isHeaderWritten) addRejected(0, rejectedRows.formatHeader(row.sheet))
    isHeaderWritten = true
    addRejected(row.line, rejectedRows.formatRow(row, reason))
  }

  const flushRejected = Effect.suspend(() => {
    const some = rejected
    rejected = []
    bufferedLength = lines.length
    return some.length === 0 || writeRejected === undefined
      ? Effect.void
      : Effect.tapError(writeRejected(some), () =>
          Effect.sync(() => {
            isWritable = false
            rejected = []
          })
        )
  }).pipe(Effect.uninterruptible)

  const flushLines = Effect.suspend(() => {
    const text = lines
    lines = ""
    bufferedLength = 0
    return text === "" ? Effect.void : print(text)
  })

  const mutex = Effect.unsafeMakeSemaphore(1)
  const flush = Effect.exit(flushRejected).pipe(
    Effect.tap(flushLines),
    Effect.flatten,
    mutex.withPermits(1)
  )

  const summaryJson = ({ calls, isStopped, isUnread }: Completion) => ({
    source: name,
    records: rowSummary.total(),
    counts: Object.fromEntries(
      Object.entries(rowSummary.counts()).map(([status, count]) => [displayStatus(status), count])
    ),
    repeated,
    calls,
    dryRun: isDryRun,
    stopped: isStopped,
    readToTheEnd: !isUnread
  })

  const finish = (completion: Completion) =>
    Effect.gen(function* () {
      if (isJson) yield* print(`${formatJson({ summary: summaryJson(completion) })}\n`)
      else {
        for (const line of errors.lines()) yield* Console.error(line)
        yield* rowSummary.total() > 0
          ? print(`${rowSummary.format(isDryRun ? "would be sent" : "accepted")}\n`)
          : Console.log(`There are no records in ${name}: nothing was sent.`)
        if (completion.isStopped) yield* Console.error("It was stopped.")
      }
      if (repeated > 0) {
        const rows = repeated === 1 ? "1 row repeats" : `${formatCount(repeated)} rows repeat`
        yield* Console.error(
          `${rows} an earlier row: an hour of a customer and dimension is billed once.`
        )
      }
    })

  return {
    add,
    flush,
    isFull: () => bufferedLength >= maxBufferedLength,
    finish,
    total: rowSummary.total,
    notAccepted: () => rowSummary.total() - rowSummary.count("Accepted"),
    lastLine: () => lastLine
  }
}
