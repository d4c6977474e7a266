/** `ledger close`: ends a subscription. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { UsageLedger } from "../../../ledger/index.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import { timeOption } from "../../internal/options.js"

const subscription = Args.text({ name: "subscription" }).pipe(
  Args.withDescription("The id of the subscription.")
)

const at = timeOption("at").pipe(
  Options.optional,
  Options.withDescription("The time of the cancellation. Defaults to now.")
)

export const close = Command.make(
  "close",
  { subscription, ...ledgerDatabase.options, at },
  (options) =>
    UsageLedger.close(options.subscription, { at: Option.getOrUndefined(options.at) }).pipe(
      Effect.mapError(ledgerDatabase.toChangeError),
      Effect.zipRight(
        Console.log(
          `${options.subscription} has an end. From then on its usage is sealed at once, and has to be accepted within one hour.`
        )
      ),
      Effect.provide(ledgerDatabase.ledger(options))
    )
).pipe(
  Command.withDescription(
    "Ends a subscription after a cancellation: its usage is reported at once. Closing it again does not change the end."
  )
)
