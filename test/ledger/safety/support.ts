/** A ledger beside a sandbox, by a clock that jumps to the next time that something waits for. */
import { Clock, Context, Effect, Layer, Stream } from "effect"
import { UsageLedger, UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { account, products } from "../ledgerSupport.js"

export const minute = 60_000

/** The service on a store, until its scope closes. */
export const makeLedger = (
  store: UsageLedgerStore.Service,
  options: Partial<UsageLedger.Options> = {}
) =>
  Effect.map(
    Layer.build(
      UsageLedger.layer({ seller: "acme", target: "sandbox", products, ...options }).pipe(
        Layer.provide(Layer.succeed(UsageLedgerStore.UsageLedgerStore, store))
      )
    ),
    Context.get(UsageLedger.UsageLedger)
  )

/** Waits until a time, in epoch milliseconds. */
export const until = (millis: number) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Math.max(0, millis - now)))

/** The statement of the first customer for November 2026. */
export const statementOf = (ledger: UsageLedger.Service) =>
  Effect.map(
    Stream.runCollect(ledger.statement({ customer: account, month: "2026-11" })),
    (lines) => [...lines]
  )
