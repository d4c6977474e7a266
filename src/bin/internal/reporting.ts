/** What is told of a submission while it goes on, and at its end. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Failure } from "./failure.js"
import * as problems from "./problems.js"
import * as rejectedRows from "./rejected.js"
import type { Line } from "./rejectedFile.js"
import { json } from "./show.js"
import type { Settled } from "./submitRows.js"
import * as tally from "./tally.js"
import { stopped } from "./verdict.js"

export interface Options {
  /** The name of the source, in front of every place in it. */
  readonly name: string
  readonly json: boolean
  readonly isDryRun: boolean
  /** Prints lines, no faster than they are read. */
  readonly print: (text: string) => Effect.Effect<void>
  /** Writes rows that were not accepted somewhere, where that is wanted. */
  readonly writeRejected: ((lines: ReadonlyArray<Line>) => Effect.Effect<void, Failure>) | undefined
}

/** What is known at the end only. */
export interface End {
  readonly calls: number
  readonly isStopped: boolean
  /** Whether some of the source was not read. */
  readonly isUnread: boolean
}

/** Characters that are held before they are written. */
const heldAtMost = 65_536

export const make = ({ isDryRun, json: isJson, name, print, writeRejected }: Options) => {
  const counted = tally.make(!isJson)
  /** Nothing is accepted of what is not sent. */
  const told = (status: string) => (isDryRun && status === "Accepted" ? "WouldBeSent" : status)
  const found = problems.make(name)
  let lines = ""
  let rejected: Array<Line> = []
  let held = 0
  let isHeadWritten = false
  let isWritable = writeRejected !== undefined
  let lastLine = 1
  let repeated = 0

  const addRejected = (line: Line) => {
    rejected.push(line)
    held += line.text.length
  }

  const add = ({ isRepeated = false, record, row, verdict }: Settled) => {
    lastLine = Math.max(lastLine, row.line)
    const { column, isShared = false, meteringRecordId, reason, status } = verdict
    counted.add(record, status, isRepeated)
    if (isRepeated) repeated += 1
    if (isJson) {
      const line = `${json({ line: row.line, status: told(status), reason, meteringRecordId, record })}\n`
      lines += line
      held += line.length
    }
    if (reason === undefined) return
    // of thousands that were only not sent, none needs a person
    if (reason !== stopped.reason) found.add({ line: row.line, column, reason, isShared })
    if (!isWritable) return
    if (!isHeadWritten) addRejected({ line: 0, text: rejectedRows.head(row.sheet) })
    isHeadWritten = true
    addRejected({ line: row.line, text: rejectedRows.row(row, reason) })
  }

  const writeHeld = Effect.suspend(() => {
    const some = rejected
    rejected = []
    held = lines.length
    return some.length === 0 || writeRejected === undefined
      ? Effect.void
      : Effect.tapError(writeRejected(some), () =>
          Effect.sync(() => {
            isWritable = false
            rejected = []
          })
        )
  }).pipe(Effect.uninterruptible)

  const printHeld = Effect.suspend(() => {
    const text = lines
    lines = ""
    held = 0
    return text === "" ? Effect.void : print(text)
  })

  const oneByOne = Effect.unsafeMakeSemaphore(1)
  const flush = Effect.exit(writeHeld).pipe(
    Effect.tap(printHeld),
    Effect.flatten,
    oneByOne.withPermits(1)
  )

  const bad = () => counted.total - counted.count("Accepted")

  const summary = ({ calls, isStopped, isUnread }: End) => ({
    source: name,
    records: counted.total,
    counts: Object.fromEntries(
      Object.entries(counted.counts()).map(([status, count]) => [told(status), count])
    ),
    repeated,
    calls,
    dryRun: isDryRun,
    stopped: isStopped,
    readToTheEnd: !isUnread
  })

  /** For people, as it is no fault of any row. */
  const tellRepeated = Effect.suspend(() => {
    const rows = repeated === 1 ? "1 row says" : `${repeated.toLocaleString("en-US")} rows say`
    return repeated === 0
      ? Effect.void
      : Console.error(
          `${rows} the same as an earlier row: an hour of a customer and dimension is billed once.`
        )
  })

  const finish = (end: End) =>
    Effect.gen(function* () {
      if (isJson) yield* print(`${json({ summary: summary(end) })}\n`)
      else {
        for (const line of found.lines()) yield* Console.error(line)
        yield* counted.total > 0
          ? print(`${counted.show(isDryRun ? "would be sent" : "accepted")}\n`)
          : Console.log(`There are no records in ${name}: nothing was sent.`)
        if (end.isStopped) yield* Console.error("It was stopped.")
      }
      yield* tellRepeated
    })

  return {
    add,
    flush,
    isFull: () => held >= heldAtMost,
    finish,
    tally: counted,
    bad,
    lastLine: () => lastLine
  }
}
