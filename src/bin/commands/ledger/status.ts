/** `ledger status`: counts by state, deadlines, workers, and the last 24 hours. */
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import { UsageLedger } from "../../../ledger/index.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { jsonOption } from "../../internal/options.js"
import { describeStatus, shownHours } from "../../output/describeStatus.js"
import { formatJson } from "../../output/format.js"

export const status = Command.make(
  "status",
  { ...ledgerDatabase.options, json: jsonOption() },
  (options) =>
    Effect.gen(function* () {
      const now = yield* DateTime.now
      const from = DateTime.startOf(DateTime.subtract(now, { hours: shownHours - 1 }), "hour")
      const status = yield* UsageLedger.status
      const health = yield* UsageLedger.health
      const hours = yield* UsageLedger.hourly(from)
      yield* Console.log(
        options.json
          ? formatJson({ ...status, health, hours })
          : describeStatus(status, health, hours, DateTime.toEpochMillis(from))
      )
    }).pipe(
      Effect.mapError(ledgerDatabase.toLedgerError),
      Effect.provide(ledgerDatabase.ledger(options))
    )
).pipe(
  Command.withDescription(
    "Shows the state of a ledger: entries by state, the next deadline, who reports, what is paused, and the last 24 hours of each product."
  )
)
