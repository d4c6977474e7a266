/** `ledger`: the commands on a ledger of usage. */
import * as Command from "@effect/cli/Command"
import { adjust } from "./ledger/adjust.js"
import { close } from "./ledger/close.js"
import { init } from "./ledger/init.js"
import { record } from "./ledger/record.js"
import { recover } from "./ledger/recover.js"
import { retry } from "./ledger/retry.js"
import { run } from "./ledger/run.js"
import { statement } from "./ledger/statement.js"
import { status } from "./ledger/status.js"
import { subscribe } from "./ledger/subscribe.js"
import { verify } from "./ledger/verify.js"

export const ledger = Command.make("ledger").pipe(
  Command.withDescription(
    "Records usage durably, bills each unit once, and shows the evidence, in a database of SQLite or PostgreSQL."
  ),
  Command.withSubcommands([
    init,
    subscribe,
    record,
    adjust,
    run,
    status,
    statement,
    retry,
    close,
    recover,
    verify
  ])
)
