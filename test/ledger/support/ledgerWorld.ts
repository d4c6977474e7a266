/** A ledger with its reporter and a sandbox, by one clock that the test sets. */
import { Effect, Either, type Scope } from "effect"
import {
  UsageLedger,
  UsageLedgerStore,
  type UsageReporter
} from "effect-marketplace-metering/ledger"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import type { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import * as support from "../ledgerSupport.js"

export const minute = 60_000

/** An account without a subscription in `makeStore`. */
export const newAccount = "444455556666"

export interface World {
  readonly store: UsageLedgerStore.Service
  readonly ledger: UsageLedger.Service
  /** Makes a round. */
  readonly report: UsageReporter.Service["report"]
  /** Sets the clock to minutes after `start`. */
  readonly setTo: (minutes: number) => Effect.Effect<void>
  /** Adds a subscription of `newAccount` to analytics, from minutes after `start` on. */
  readonly subscribe: (
    id: string,
    from: number,
    more?: Partial<UsageLedger.Subscription>
  ) => ReturnType<UsageLedger.Service["subscribe"]>
  /** Records usage of now. Returns the name of the result, with the reason if there is one. */
  readonly record: (
    subscription: string,
    more?: Partial<UsageLedger.Event>
  ) => Effect.Effect<string>
}

export interface WorldOptions {
  readonly products?: UsageLedger.Options["products"]
  readonly reporter?: UsageReporter.Options | undefined
  readonly sandbox?: MeteringSandbox.Options | undefined
  readonly store?: Effect.Effect<UsageLedgerStore.Service> | undefined
}

export const withWorld = <A, E>(
  body: (
    world: World
  ) => Effect.Effect<A, E, MeteringClient | MeteringSandbox.MeteringSandbox | Scope.Scope>,
  options: WorldOptions = {}
) =>
  support.withSandbox(
    (time) =>
      Effect.scoped(
        Effect.gen(function* () {
          const wall = time.clock.unsafeCurrentTimeMillis
          const store = yield* options.store ?? support.makeStore
          const ledger = yield* UsageLedger.make({
            seller: "acme",
            target: "sandbox",
            products: options.products
          }).pipe(Effect.provideService(UsageLedgerStore.UsageLedgerStore, store))
          const { report } = yield* support.makeReporter(store, options.reporter)
          return yield* body({
            store,
            ledger,
            report,
            setTo: (minutes) =>
              Effect.sync(() => time.set(support.start + minutes * minute - wall())),
            subscribe: (id, from, more) =>
              ledger.subscribe({
                id,
                product: "analytics",
                customerAWSAccountId: newAccount,
                from: support.at(support.start + from * minute),
                ...more
              }),
            record: (subscription, more) =>
              ledger.record({ subscription, dimension: "calls", quantity: 1, ...more }).pipe(
                Effect.either,
                Effect.map(
                  Either.match({
                    onRight: ({ _tag }) => _tag,
                    onLeft: (error) =>
                      "reason" in error ? `${error._tag} ${error.reason}` : error._tag
                  })
                )
              )
          })
        })
      ),
    options.sandbox
  )
