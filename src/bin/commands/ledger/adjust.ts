/** `ledger adjust`: corrects the quantity of recorded usage. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { UsageLedger } from "../../../ledger/index.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { formatTime } from "../../output/format.js"

const event = Args.text({ name: "id" }).pipe(Args.withDescription("The id of the usage."))

const quantity = Options.text("quantity").pipe(
  Options.withPseudoName("number"),
  Options.withDescription("The right quantity, in units.")
)

const reason = Options.text("reason").pipe(
  Options.withPseudoName("text"),
  Options.withDescription("The reason, for the history: 1 to 1,000 characters.")
)

export const adjust = Command.make(
  "adjust",
  { event, ...ledgerDatabase.options, quantity, reason },
  (options) =>
    UsageLedger.adjust(options).pipe(
      Effect.mapError(ledgerDatabase.toChangeError),
      Effect.flatMap(({ _tag, hour }) =>
        Console.log(
          _tag === "AlreadyRecorded"
            ? `${options.event} has this quantity already.`
            : `${options.event} is corrected to ${options.quantity}, in the hour of ${formatTime(hour)}.`
        )
      ),
      Effect.provide(ledgerDatabase.ledger(options))
    )
).pipe(
  Command.withDescription(
    "Corrects the quantity of recorded usage. After its hour is sealed, a product that carries late usage takes the difference in the current hour."
  )
)
