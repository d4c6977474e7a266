/** `ledger recover`: resumes reporting after a restored backup, or after another quantity was found billed. */
import * as Command from "@effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { UsageLedger } from "../../../ledger/index.js"
import * as ledgerDatabase from "../../internal/ledgerDatabase.js"
import * as describeStatus from "../../output/describeStatus.js"

export const recover = Command.make("recover", { ...ledgerDatabase.options }, (options) =>
  Effect.gen(function* () {
    const status = yield* UsageLedger.status
    const held = describeStatus.heldLines(status)
    yield* UsageLedger.operator.recover
    yield* Console.log(
      ["Reporting goes on. Ended:", ...(held.length === 0 ? ["  nothing was held"] : held)].join(
        "\n"
      )
    )
  }).pipe(
    Effect.mapError(ledgerDatabase.toLedgerError),
    Effect.provide(ledgerDatabase.ledger(options))
  )
).pipe(
  Command.withDescription(
    "Resumes reporting after a restored backup, or after another quantity was found billed. First record the lost usage again under the same ids, and look at ledger status: held hours are sent as they are recorded."
  )
)
