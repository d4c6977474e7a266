/** `ledger statement`: every entry of a customer in a month, with its evidence. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Chunk from "effect/Chunk"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type LedgerReport, UsageLedger } from "../../../ledger/index.js"
import { cannotRun } from "../../internal/cliError.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { jsonOption } from "../../internal/options.js"
import { formatJson, printableLines } from "../../output/format.js"
import * as statementText from "../../output/statementText.js"
import * as terminal from "../../output/terminal.js"

const customer = Options.text("customer").pipe(
  Options.withPseudoName("id"),
  Options.withDescription("The customer's AWS account or identifier.")
)

const month = Options.text("month").pipe(
  Options.withPseudoName("month"),
  Options.withDescription("The month in UTC, such as 2026-11.")
)

const csv = Options.boolean("csv").pipe(
  Options.withDescription("Print CSV, a line for each entry.")
)

/** Number of entries in one table. */
const tableSize = 500

export const statement = Command.make(
  "statement",
  {
    ...ledgerDatabase.options,
    customer,
    month,
    csv,
    json: jsonOption("Print a JSON object for each entry, with its whole history and evidence.")
  },
  (options) =>
    Effect.gen(function* () {
      if (options.csv && options.json) {
        return yield* cannotRun("--csv and --json exclude one another.")
      }
      const print = (lines: ReadonlyArray<LedgerReport.StatementLine>) =>
        terminal.write(
          process.stdout,
          options.json
            ? `${lines.map(formatJson).join("\n")}\n`
            : options.csv
              ? printableLines(lines.map(statementText.csvOf).join(""))
              : `${statementText.textOf(lines)}\n\n`,
          Effect.never
        )
      if (options.csv) yield* Console.log(statementText.csvHeader.trimEnd())
      const count = yield* UsageLedger.statement(options).pipe(
        Stream.grouped(tableSize),
        Stream.tap((lines) => print(Chunk.toReadonlyArray(lines))),
        Stream.runCount,
        Effect.mapError((error) =>
          error._tag === "InvalidEvent"
            ? cannotRun(`--${error.message}.`)
            : ledgerDatabase.toLedgerError(error)
        )
      )
      if (count === 0 && !options.csv && !options.json) {
        yield* Console.log(`There is no usage of ${options.customer} in ${options.month}.`)
      }
    }).pipe(Effect.provide(ledgerDatabase.ledger(options)))
).pipe(
  Command.withDescription(
    "Prints every entry of a customer in a month: what was recorded, what was billed, and the evidence of entries that were not simply accepted."
  )
)
