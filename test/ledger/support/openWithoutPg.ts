/** Opens a store in PostgreSQL and prints the failure. Run by a process in which `pg` cannot be found. */
import * as Effect from "effect/Effect"
import { PgLedgerStore } from "effect-marketplace-metering/ledger"

const error = await Effect.runPromise(
  Effect.flip(Effect.scoped(PgLedgerStore.make({ url: "postgresql://127.0.0.1/x" })))
)
process.stdout.write(JSON.stringify({ ...error, message: error.message }))
