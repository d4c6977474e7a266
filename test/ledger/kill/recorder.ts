/** A ledger on a store that can be stopped. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as UsageLedger from "../../../src/ledger/UsageLedger.js"
import { type Service as Store, UsageLedgerStore } from "../../../src/ledger/UsageLedgerStore.js"

/** Products and seller are stored already. */
export const make = (store: Store): Effect.Effect<UsageLedger.Service, never, Scope.Scope> =>
  UsageLedger.make({ seller: "acme", target: "sandbox" }).pipe(
    Effect.provideService(UsageLedgerStore, store),
    Effect.orDie
  )
