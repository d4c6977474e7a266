/** `ledger verify`: recomputes every sum of a ledger from its rows. */
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type LedgerReport, UsageLedger } from "../../../ledger/index.js"
import { failed } from "../../internal/cliError.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { jsonOption } from "../../internal/options.js"
import { formatCount, formatJson, formatTime, printable } from "../../output/format.js"

const lineOf = ({ computed, dimension, hour, lineage, stored, what }: LedgerReport.Difference) =>
  printable(
    `${lineage} ${dimension}${hour === undefined ? "" : ` ${formatTime(hour)}`}: ${what} is ${stored}, and its rows make ${computed}`
  )

export const verify = Command.make(
  "verify",
  {
    ...ledgerDatabase.options,
    json: jsonOption("Print a JSON object for each difference.")
  },
  (options) =>
    Effect.gen(function* () {
      const count = yield* UsageLedger.verify.pipe(
        Stream.tap((difference) =>
          Console.log(options.json ? formatJson(difference) : lineOf(difference))
        ),
        Stream.runCount,
        Effect.mapError(ledgerDatabase.toLedgerError)
      )
      if (count > 0) {
        return yield* failed(
          `${formatCount(count)} sums differ from their rows: something else has written to the database.`
        )
      }
      if (!options.json) yield* Console.log("Every sum is that of its rows.")
    }).pipe(Effect.provide(ledgerDatabase.ledger(options)))
).pipe(
  Command.withDescription(
    "Recomputes every sum of the ledger from its rows, and names what differs."
  )
)
