/** `ledger retry`: sends unaccepted records without waiting, or carries forward unbilled quantities. */
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { UsageLedger } from "../../../ledger/index.js"
import * as entryFilter from "../../internal/entryFilter.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { formatCount } from "../../output/format.js"

const carryForward = Options.boolean("carry-forward").pipe(
  Options.withDescription(
    "Add the quantities of records to the current hour instead of sending the records. Applies only to records that were certainly not billed, from one hour after their deadline on. Does not apply to hours before ledger recover, or while a Region is stopped."
  )
)

const state = Options.choice("state", ["expired", "rejected", "notSubscribed"]).pipe(
  Options.repeated,
  Options.withDescription(
    "Only records of this state. May be given more than once. Defaults to all, and to expired with --carry-forward."
  )
)

export const retry = Command.make(
  "retry",
  { ...ledgerDatabase.options, ...entryFilter.options, state, carryForward },
  (options) =>
    (options.carryForward ? UsageLedger.operator.carryForward : UsageLedger.operator.retry)({
      ...entryFilter.filterOf(options),
      states: options.state.length === 0 ? undefined : options.state
    }).pipe(
      Effect.mapError(ledgerDatabase.toLedgerError),
      Effect.flatMap((count) =>
        Console.log(
          options.carryForward
            ? `The quantities of ${formatCount(count)} records were added to the current hour.`
            : `${formatCount(count)} records are sent in the next round of ledger run.`
        )
      ),
      Effect.provide(ledgerDatabase.ledger(options))
    )
).pipe(
  Command.withDescription(
    "Sends records that are not accepted yet in the next round, without waiting, and ends pauses that have a time of retry."
  )
)
