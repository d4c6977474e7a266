/** A ledger in memory beside a sandbox in memory, by one clock. */
import { DateTime, Effect, type Layer } from "effect"
import { MemoryLedgerStore, UsageReporter } from "effect-marketplace-metering/ledger"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { initialize } from "../../src/ledger/internal/transactions/initialize.js"
import { subscribe } from "../../src/ledger/internal/transactions/subscribe.js"
import type { Product, Subscription } from "../../src/ledger/UsageLedger.js"
import { type Service as Store, UsageLedgerStore } from "../../src/ledger/UsageLedgerStore.js"
import * as virtualClock from "../internal/submission/virtualClock.js"

export const hour = 3_600_000

/** 2026-11-24T10:00:00Z, in epoch milliseconds. */
export const start = Date.UTC(2026, 10, 24, 10)

export const account = "111122223333"
export const otherAccount = "222233334444"

/** Two customers of two products, without licenses. */
export const scenario: MeteringSandbox.Options = {
  region: "us-east-1",
  products: [
    { code: "analytics-code", dimensions: ["calls", "gb"] },
    { code: "search-code", dimensions: ["queries"] }
  ],
  customers: [account, otherAccount].map((customerAWSAccountId) => ({
    customerAWSAccountId,
    agreements: [
      { productCode: "analytics-code", start: at(start - 48 * hour) },
      { productCode: "search-code", start: at(start - 48 * hour) }
    ]
  }))
}

export const products: { readonly [name: string]: Product } = {
  analytics: {
    region: "us-east-1",
    productCode: "analytics-code",
    dimensions: { calls: {}, gb: { scale: 3 } }
  },
  search: { region: "us-east-1", productCode: "search-code", dimensions: { queries: {} } }
}

export function at(millis: number): DateTime.Utc {
  return DateTime.unsafeMake(millis)
}

export const subscriptions: ReadonlyArray<Subscription> = [account, otherAccount].flatMap(
  (customerAWSAccountId) =>
    Object.keys(products).map((product) => ({
      id: `${product}-${customerAWSAccountId}`,
      product,
      customerAWSAccountId,
      from: at(start - 48 * hour)
    }))
)

/** A store with the products and subscriptions above. */
export const makeStore = Effect.gen(function* () {
  const store = MemoryLedgerStore.make()
  yield* initialize(store, { seller: "acme", target: "sandbox", products }, "incarnation-1")
  for (const one of subscriptions) yield* subscribe(store, one, start)
  return store
})

/** Stores usage of a customer's dimension, in the smallest parts of a unit. */
export const record = (
  store: Store,
  subscription: string,
  dimension: string,
  time: number,
  quantity: number,
  tags = ""
) =>
  Effect.gen(function* () {
    const [key] = yield* store.snapshot((tables) =>
      Effect.map(tables.keys({ lineages: [subscription] }), (keys) =>
        keys.filter((key) => key.dimension === dimension)
      )
    )
    nextId += 1
    return yield* store.recordEvents(
      [
        {
          id: `event-${nextId}`,
          key: key?.id ?? 0,
          hour: Math.floor(time / hour),
          at: time,
          quantity,
          tags
        }
      ],
      time
    )
  })

let nextId = 0

/** Entries with their states, as text. */
export const entriesOf = (store: Store) =>
  store.snapshot((tables) =>
    Effect.map(tables.entryPage({}, undefined, 10_000), (views) =>
      views.map(
        ({ entry, key, record }) =>
          `${key.lineage} ${key.dimension} ${new Date(entry.hour * hour).toISOString().slice(11, 13)} ${
            entry.isSealed ? (record?.state ?? "zero") : "open"
          } ${record?.quantity ?? entry.quantity}`
      )
    )
  )

/** Billed usage of the sandbox, as text. */
export const billedOf = Effect.flatMap(MeteringSandbox.MeteringSandbox, ({ report }) =>
  Effect.map(report.billed, (billed) =>
    billed
      .map(
        ({ customerAWSAccountId, dimension, hour, quantity }) =>
          `${customerAWSAccountId} ${dimension} ${DateTime.formatIso(hour).slice(11, 13)} ${quantity}`
      )
      .sort()
  )
)

/** Runs with a sandbox and a clock that jumps to the next time that something waits for. */
export const withSandbox = <A, E>(
  body: (
    time: virtualClock.Settable
  ) => Effect.Effect<A, E, MeteringClient | MeteringSandbox.MeteringSandbox>,
  options: MeteringSandbox.Options = {}
): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    const time = virtualClock.settable(start)
    const layer: Layer.Layer<MeteringClient | MeteringSandbox.MeteringSandbox> =
      MeteringSandbox.layer({ ...scenario, ...options })
    return body(time).pipe(Effect.provide(layer), Effect.withClock(time.clock))
  })

/** A reporter on a store, until its scope closes. */
export const makeReporter = (store: Store, options: UsageReporter.Options = {}) =>
  Effect.provideService(UsageReporter.make(options), UsageLedgerStore, store)
