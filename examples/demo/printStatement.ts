/** The statement of a customer as a table. */
import { DateTime } from "effect"
import type { LedgerReport } from "effect-marketplace-metering/ledger"
import { table } from "../support/print.js"

const titles = [
  "hour (UTC)",
  "dimension",
  "events",
  "units",
  "state",
  "attempts",
  "metering record"
]

export const printStatement = (lines: ReadonlyArray<LedgerReport.StatementLine>) =>
  table([
    titles,
    ...lines.map((line) => [
      DateTime.formatIso(line.hour).slice(0, 16).replace("T", " "),
      line.dimension,
      String(line.events),
      line.recorded,
      line.state,
      line.attempts.map(describeAttempt).join(", "),
      line.meteringRecordId ?? ""
    ])
  ])

/** The last result of an attempt, in words. */
const describeAttempt = ({ results }: LedgerReport.Attempt) =>
  (results.at(-1)?.result ?? "noResponse").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
