/** Records usage of standard input in the ledger of a file, which other processes use at the same time. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Config, Effect, Layer } from "effect"
import { SqliteLedgerStore, UsageLedger } from "effect-marketplace-metering/ledger"
import { seller } from "../support/seller.js"
import { recordInput } from "../support/usage.js"

const LedgerLive = Layer.unwrapEffect(
  Effect.map(Config.string("LEDGER_FILE"), (file) =>
    UsageLedger.layer(seller).pipe(
      Layer.provide(SqliteLedgerStore.layer({ file, busyTimeout: "30 seconds" }))
    )
  )
)

recordInput.pipe(Effect.provide(LedgerLive), NodeRuntime.runMain)
