/** What is told of a submission while it goes on, and at its end. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type { Failure } from "./failure.js"
import * as rejectedRows from "./rejected.js"
import { json } from "./show.js"
import type { Settled } from "./submitRows.js"
import * as tally from "./tally.js"
import { stopped } from "./verdict.js"

export interface Options {
  /** The name of the source, in front of every place in it. */
  readonly name: string
  readonly json: boolean
  readonly isDryRun: boolean
  /** Writes rows that were not accepted somewhere, where that is wanted. */
  readonly writeRejected: ((text: string) => Effect.Effect<void, Failure>) | undefined
}

/** What is known at the end only. */
export interface End {
  readonly calls: number
  readonly isStopped: boolean
  /** Whether some of the source was not read. */
  readonly isUnread: boolean
}

/** So many problems are told one by one; all are in what `--rejected` and `--json` give. */
const problemsTold = 50

export const make = ({ isDryRun, name, json: isJson, writeRejected }: Options) => {
  const counted = tally.make(!isJson)
  /** Nothing is accepted of what is not sent. */
  const told = (status: string) => (isDryRun && status === "Accepted" ? "WouldBeSent" : status)
  const problems: Array<{ readonly line: number; readonly text: string }> = []
  let notReached = 0
  let rejected = ""
  let lines = ""
  let isHeadWritten = false
  let isWritable = writeRejected !== undefined

  let lastLine = 1

  const add = ({ record, row, verdict }: Settled) => {
    lastLine = Math.max(lastLine, row.line)
    const { column, meteringRecordId, reason, status } = verdict
    counted.add(record, status)
    if (isJson) {
      lines += `${json({ line: row.line, status: told(status), reason, meteringRecordId, record })}\n`
    }
    if (reason === undefined) return
    // of thousands that were only not sent, none needs a person
    if (reason === stopped.reason) notReached += 1
    else if (problems.length < problemsTold) {
      const place = [name, row.line, ...(column === undefined ? [] : [column])].join(":")
      problems.push({ line: row.line, text: `${place}: ${reason}` })
    }
    if (!isWritable) return
    if (!isHeadWritten) rejected += rejectedRows.head(row.sheet)
    isHeadWritten = true
    rejected += rejectedRows.row(row, reason)
  }

  const flush = Effect.suspend(() => {
    const texts = { lines, rejected }
    lines = ""
    rejected = ""
    return Effect.zipRight(
      texts.lines === "" ? Effect.void : Console.log(texts.lines.slice(0, -1)),
      texts.rejected === "" || writeRejected === undefined
        ? Effect.void
        : Effect.tapError(writeRejected(texts.rejected), () =>
            Effect.sync(() => {
              // what would follow a line that is cut off might be read as part of it
              isWritable = false
              rejected = ""
            })
          )
    )
  })

  const bad = () => counted.total - counted.count("Accepted")

  const finish = ({ calls, isStopped, isUnread }: End) =>
    isJson
      ? Console.log(
          json({
            summary: {
              source: name,
              records: counted.total,
              counts: Object.fromEntries(
                Object.entries(counted.counts()).map(([status, count]) => [told(status), count])
              ),
              calls,
              dryRun: isDryRun,
              stopped: isStopped,
              readToTheEnd: !isUnread
            }
          })
        )
      : Effect.gen(function* () {
          const sorted = problems.sort((a, b) => a.line - b.line)
          for (const { text } of sorted) yield* Console.error(text)
          const untold = bad() - problems.length - notReached
          if (untold > 0) {
            yield* Console.error(`and ${shown(untold)} more; --rejected and --json give them all.`)
          }
          if (counted.total > 0) {
            yield* Console.log(counted.show(isDryRun ? "would be sent" : "accepted"))
          }
          if (isStopped) yield* Console.error("It was stopped.")
        })

  return { add, flush, finish, tally: counted, bad, lastLine: () => lastLine }
}

const shown = (count: number) => count.toLocaleString("en-US")
