/** What is told of a submission while it goes on, and at its end. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { CliError } from "../internal/cliError.js"
import { notSentAfterStop } from "../internal/rowOutcome.js"
import type { RowResult } from "../internal/submitRows.js"
import { formatJson } from "./format.js"
import type { RejectedLine } from "./rejectedFile.js"
import * as rejectedRows from "./rejectedRows.js"
import * as rowErrors from "./rowErrors.js"
import * as summary from "./summary.js"

export interface Options {
  /** The name of the source, in front of every place in it. */
  readonly name: string
  readonly json: boolean
  readonly isDryRun: boolean
  /** Prints lines, no faster than they are read. */
  readonly print: (text: string) => Effect.Effect<void>
  /** Writes rows that were not accepted somewhere, where that is wanted. */
  readonly writeRejected:
    | ((lines: ReadonlyArray<RejectedLine>) => Effect.Effect<void, CliError>)
    | undefined
}

/** What is known at the end only. */
export interface Completion {
  readonly calls: number
  readonly isStopped: boolean
  /** Whether some of the source was not read. */
  readonly isUnread: boolean
}

/** Characters that are held before they are written. */
const maxBufferedLength = 65_536

export const make = ({ isDryRun, json: isJson, name, print, writeRejected }: Options) => {
  const rowSummary = summary.make(!isJson)
  /** Nothing is accepted of what is not sent. */
  const displayStatus = (status: string) =>
    isDryRun && status === "Accepted" ? "WouldBeSent" : status
  const errors = rowErrors.make(name)
  let lines = ""
  let rejected: Array<RejectedLine> = []
  let bufferedLength = 0
  let isHeadWritten = false
  let isWritable = writeRejected !== undefined
  let lastLine = 1
  let repeated = 0

  const addRejected = (line: RejectedLine) => {
    rejected.push(line)
    bufferedLength += line.text.length
  }

  const add = ({ isRepeated = false, record, row, outcome }: RowResult) => {
    lastLine = Math.max(lastLine, row.line)
    const { column, isShared = false, meteringRecordId, reason, status } = outcome
    rowSummary.add(record, status, isRepeated)
    if (isRepeated) repeated += 1
    if (isJson) {
      const line = `${formatJson({ line: row.line, status: displayStatus(status), reason, meteringRecordId, record })}\n`
      lines += line
      bufferedLength += line.length
    }
    if (reason === undefined) return
    // of thousands that were only not sent, none needs a person
    if (reason !== notSentAfterStop.reason) errors.add({ line: row.line, column, reason, isShared })
    if (!isWritable) return
    if (!isHeadWritten) addRejected({ line: 0, text: rejectedRows.formatHeader(row.sheet) })
    isHeadWritten = true
    addRejected({ line: row.line, text: rejectedRows.formatRow(row, reason) })
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

  const notAccepted = () => rowSummary.total - rowSummary.count("Accepted")

  const summaryJson = ({ calls, isStopped, isUnread }: Completion) => ({
    source: name,
    records: rowSummary.total,
    counts: Object.fromEntries(
      Object.entries(rowSummary.counts()).map(([status, count]) => [displayStatus(status), count])
    ),
    repeated,
    calls,
    dryRun: isDryRun,
    stopped: isStopped,
    readToTheEnd: !isUnread
  })

  /** For people, as it is no fault of any row. */
  const printRepeated = Effect.suspend(() => {
    const rows = repeated === 1 ? "1 row says" : `${repeated.toLocaleString("en-US")} rows say`
    return repeated === 0
      ? Effect.void
      : Console.error(
          `${rows} the same as an earlier row: an hour of a customer and dimension is billed once.`
        )
  })

  const finish = (end: Completion) =>
    Effect.gen(function* () {
      if (isJson) yield* print(`${formatJson({ summary: summaryJson(end) })}\n`)
      else {
        for (const line of errors.lines()) yield* Console.error(line)
        yield* rowSummary.total > 0
          ? print(`${rowSummary.show(isDryRun ? "would be sent" : "accepted")}\n`)
          : Console.log(`There are no records in ${name}: nothing was sent.`)
        if (end.isStopped) yield* Console.error("It was stopped.")
      }
      yield* printRepeated
    })

  return {
    add,
    flush,
    isFull: () => bufferedLength >= maxBufferedLength,
    finish,
    summary: rowSummary,
    bad: notAccepted,
    lastLine: () => lastLine
  }
}
