/** `ledger record`: records a file of usage of any length. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { eventRowSchema } from "../../input/eventRows.js"
import * as parseRows from "../../input/parseRows.js"
import { displayName, isStandardInput, readBytes } from "../../input/readInput.js"
import { failed } from "../../internal/cliError.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { jsonOption, validatedOption } from "../../internal/options.js"
import { type RowResult, type RowStatus, recordRows } from "../../internal/recordRows.js"
import { Signals } from "../../internal/signals.js"
import { formatCount, formatJson } from "../../output/format.js"
import * as rejectedFile from "../../output/rejectedFile.js"
import * as rejectedRows from "../../output/rejectedRows.js"
import * as rowErrors from "../../output/rowErrors.js"
import { table } from "../../output/table.js"
import * as terminal from "../../output/terminal.js"

const file = Args.text({ name: "file" }).pipe(
  Args.withDescription(
    "A file of usage, or - for standard input, as submit reads it, with an id for each row: the same id is recorded once. Columns: id, timestamp, dimension, quantity, subscription, and optionally tags (a JSON object). In place of subscription, customerAWSAccountId or customerIdentifier, with licenseArn or productCode where the customer has several. A row with usageAllocations is recorded as an event for each: ID, ID/2, ID/3."
  )
)

const format = Options.choice("format", ["csv", "ndjson"]).pipe(
  Options.optional,
  Options.withDescription(
    "The format of the file. Defaults to NDJSON for .ndjson and .jsonl, and to CSV for other names."
  )
)

const rejected = validatedOption(
  "rejected",
  "file",
  "a file's name",
  (path) => !isStandardInput(path)
).pipe(
  Options.optional,
  Options.withDescription(
    "A file for the rows that were not recorded, unchanged, with their line and the reason in two more columns. Correct and record it again."
  )
)

const json = jsonOption(
  "Print a JSON object for each row as soon as it is durable (line, status, hour, reason), and a last one with the summary."
)

export const record = Command.make(
  "record",
  { file, ...ledgerDatabase.options, format, rejected, json },
  (options) =>
    Effect.gen(function* () {
      const name = displayName(options.file)
      const signals = yield* Signals
      let output = Option.none<rejectedFile.RejectedFile>()
      // installed before the file is opened, and so removed after it is closed
      yield* signals.handle({ unfinished: () => Option.getOrUndefined(output)?.unfinished() })
      output = yield* Effect.transposeOption(
        Option.map(options.rejected, (path) => rejectedFile.open(path, options.file))
      )
      const errors = rowErrors.make(name)
      const counts = new Map<RowStatus, number>()
      let lastLine = 0
      let isHeaderWritten = false

      const writeRejected = (results: ReadonlyArray<RowResult>) =>
        Option.match(output, {
          onNone: () => Effect.void,
          onSome: ({ write }) => {
            const lines = results.flatMap(({ reason, row }) =>
              reason === undefined
                ? []
                : [{ line: row.line, text: rejectedRows.formatRow(row, reason) }]
            )
            const [first] = results
            if (lines.length === 0 || first === undefined) return Effect.void
            const header = isHeaderWritten
              ? []
              : [{ line: 0, text: rejectedRows.formatHeader(first.row.sheet) }]
            isHeaderWritten = true
            return write([...header, ...lines])
          }
        })

      const show = (results: ReadonlyArray<RowResult>) =>
        Effect.suspend(() => {
          for (const { reason, row, status } of results) {
            counts.set(status, (counts.get(status) ?? 0) + 1)
            lastLine = Math.max(lastLine, row.line)
            if (reason !== undefined) errors.add({ line: row.line, reason, isGrouped: false })
          }
          return Effect.zipRight(
            options.json
              ? terminal.write(
                  process.stdout,
                  results
                    .map(
                      ({ hour, reason, row: { line }, status }) =>
                        `${formatJson({ line, status, hour, reason })}\n`
                    )
                    .join(""),
                  Effect.never
                )
              : Effect.void,
            writeRejected(results)
          )
        })

      const bytes = readBytes(options.file)
      const rows =
        Option.getOrElse(options.format, () => parseRows.formatOf(options.file)) === "csv"
          ? parseRows.csv(eventRowSchema, bytes, name)
          : parseRows.ndjson(eventRowSchema, bytes)

      const ended = yield* recordRows(rows).pipe(
        Stream.runForEachChunk((chunk) => show([...chunk])),
        Effect.mapError((error) =>
          error._tag === "CliError" ? error : ledgerDatabase.toLedgerError(error)
        ),
        Effect.onInterrupt(() =>
          Console.error(
            `It was stopped after line ${formatCount(lastLine)}. To record the whole file again is safe.`
          )
        ),
        Effect.either
      )
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0)
      if (ended._tag === "Left" && total === 0) return yield* ended.left
      if (Option.isSome(output)) yield* output.value.finish
      if (options.json) {
        yield* Console.log(
          formatJson({
            summary: { source: name, rows: total, counts: Object.fromEntries(counts) }
          })
        )
      } else {
        for (const line of errors.lines()) yield* Console.error(line)
        yield* Console.log(
          total === 0
            ? `There are no rows in ${name}.`
            : table(
                ["status", "rows"],
                [...counts].map(([status, count]) => [labels[status], count])
              )
        )
      }
      if (ended._tag === "Left") {
        return yield* failed(
          `${ended.left.message}\nEverything up to line ${formatCount(lastLine)} of ${name} has a result. To record the whole file again is safe.`
        )
      }
      const notRecorded = counts.get("Rejected") ?? 0
      if (notRecorded > 0) {
        return yield* failed(
          `${formatCount(notRecorded)} of ${formatCount(total)} rows were not recorded.`
        )
      }
    }).pipe(Effect.provide(ledgerDatabase.ledger(options)), Effect.scoped)
).pipe(
  Command.withDescription(
    "Records the usage in a file. Each row is durable when it is counted. To record a file again is safe: ids are recorded once."
  )
)

const labels: { readonly [S in RowStatus]: string } = {
  Recorded: "recorded",
  AlreadyRecorded: "already recorded",
  Carried: "carried to a later hour",
  Rejected: "not recorded"
}
