/** Transactions of several processes on PostgreSQL that change the same rows. */
import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Either, Fiber, Option } from "effect"
import {
  PgLedgerStore,
  type UsageLedger,
  type UsageLedgerStore
} from "effect-marketplace-metering/ledger"
import type { Tables } from "../../src/ledger/internal/tables.js"
import { haltRegion } from "../../src/ledger/internal/transactions/halt.js"
import { initialize } from "../../src/ledger/internal/transactions/initialize.js"
import { lease, type Seen } from "../../src/ledger/internal/transactions/lease.js"
import { close, subscribe } from "../../src/ledger/internal/transactions/subscribe.js"
import { Postgres } from "../support/postgres.js"
import { at, hour, products, start } from "./ledgerSupport.js"

const { analytics } = products as { readonly analytics: UsageLedger.Product }

const subscription = {
  id: "A",
  product: "analytics",
  customerAWSAccountId: "111122223333",
  from: at(start - 48 * hour)
}

layer(Postgres.layer)("on PostgreSQL", (it) => {
  const withStore = Effect.gen(function* () {
    const { createDatabase, sql } = yield* Postgres
    const url = yield* createDatabase
    const store = yield* PgLedgerStore.make({ url, idleTimeout: "1 minute" })
    yield* initialize(store, { seller: "acme", target: "sandbox", products }, "incarnation-1")
    /** Waits until another session waits for a lock, or the fiber has ended. */
    const waitsOrEnds = (fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<void, Error> =>
      Effect.flatMap(Fiber.poll(fiber), (exit) =>
        Option.isSome(exit)
          ? Effect.void
          : Effect.flatMap(
              sql(
                url,
                "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
              ),
              (rows) => (rows.length > 0 ? Effect.void : waitsOrEnds(fiber))
            )
      )
    /** Runs `first` up to its nth use of a table operation, then `second` until it ends or waits, and then both to their ends. */
    const beside = <A, B>(
      operation: keyof Tables,
      nth: number,
      first: (store: UsageLedgerStore.Service) => Effect.Effect<A, unknown>,
      second: Effect.Effect<B, unknown>
    ) =>
      Effect.gen(function* () {
        const reached = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        let uses = 0
        const pause = <C, E>(effect: Effect.Effect<C, E>) =>
          Effect.tap(effect, () => {
            uses += 1
            return uses === nth
              ? Effect.zipRight(Deferred.succeed(reached, undefined), Deferred.await(go))
              : Effect.void
          })
        const pausing: UsageLedgerStore.Service = {
          ...store,
          transaction: (body) =>
            store.transaction((tables) => {
              const value = tables[operation] as unknown
              return body({
                ...tables,
                [operation]:
                  typeof value === "function"
                    ? (...args: ReadonlyArray<unknown>) => pause(value(...args))
                    : pause(value as Effect.Effect<unknown>)
              })
            })
        }
        const slow = yield* Effect.fork(first(pausing))
        yield* Effect.raceFirst(Deferred.await(reached), Effect.asVoid(Fiber.join(slow)))
        const other = yield* Effect.fork(second)
        yield* waitsOrEnds(other)
        yield* Deferred.succeed(go, undefined)
        return [yield* Fiber.join(slow), yield* Fiber.join(other)] as const
      })
    const lineage = Effect.map(
      store.snapshot((tables) => tables.subscriptions({ lineages: ["A"] })),
      (rows) => rows.map(({ closingAt, id, until }) => ({ id, until, closingAt }))
    )
    return { store, beside, lineage }
  })

  it.scoped("a halt of one Region keeps the ticks of leases in another", () =>
    Effect.gen(function* () {
      const { beside, store } = yield* withStore
      const renew = (seen: Seen | undefined) =>
        Effect.either(
          lease(store, {
            region: "eu-west-1",
            worker: "w",
            now: start,
            duration: 60_000,
            sealAfter: 600_000,
            seen
          })
        )
      const first = Either.getOrThrow(yield* renew(undefined))
      const halt = (tables: Tables) =>
        haltRegion(tables, {
          region: "us-east-1",
          now: start,
          cause: "planted",
          holdFrom: start / 3_600_000
        })
      const [, second] = yield* beside(
        "putPause",
        1,
        (pausing) => pausing.transaction(halt),
        renew(first.seen)
      )
      assert.isTrue(Either.isRight(yield* renew(Either.getOrThrow(second).seen)))
      assert.isDefined((yield* store.snapshot((tables) => tables.ledger))?.holdFrom)
    })
  )

  it.scoped("a cancellation is kept beside a subscription that follows", () =>
    Effect.gen(function* () {
      const { beside, lineage, store } = yield* withStore
      yield* subscribe(store, subscription, start)
      const next = { ...subscription, id: "B", follows: "A", from: at(start + hour) }
      yield* beside(
        "subscriptions",
        2,
        (pausing) => subscribe(pausing, next, start),
        close(store, "A", start, start)
      )
      assert.deepStrictEqual(yield* lineage, [
        { id: "A", until: start + hour, closingAt: start },
        { id: "B", until: undefined, closingAt: undefined }
      ])
    })
  )

  it.scoped("the end by a subscription that follows is kept beside a cancellation", () =>
    Effect.gen(function* () {
      const { beside, lineage, store } = yield* withStore
      yield* subscribe(store, subscription, start)
      const next = { ...subscription, id: "B", follows: "A", from: at(start - hour) }
      yield* beside(
        "subscriptions",
        1,
        (pausing) => close(pausing, "A", start, start),
        subscribe(store, next, start)
      )
      assert.deepStrictEqual(yield* lineage, [
        { id: "A", until: start - hour, closingAt: start },
        { id: "B", until: undefined, closingAt: undefined }
      ])
    })
  )

  it.scoped("a subscription has the dimensions that are added to its product meanwhile", () =>
    Effect.gen(function* () {
      const { beside, store } = yield* withStore
      const more = {
        ...products,
        analytics: { ...analytics, dimensions: { ...analytics.dimensions, seats: {} } }
      }
      yield* beside(
        "products",
        1,
        (pausing) => subscribe(pausing, subscription, start),
        initialize(store, { seller: "acme", target: "sandbox", products: more }, "incarnation-2")
      )
      const keys = yield* store.snapshot((tables) => tables.keys({ lineages: ["A"] }))
      assert.sameMembers(
        keys.map(({ dimension }) => dimension),
        ["calls", "gb", "seats"]
      )
    })
  )
})
