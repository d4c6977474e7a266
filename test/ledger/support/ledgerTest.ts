/** A ledger in memory by the test clock, used through its public interface. */
import { assert } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import {
  MemoryLedgerStore,
  UsageLedger,
  UsageLedgerStore,
  UsageReporter
} from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import type { StubService } from "./stubService.js"

export const account = "111122223333"
export const otherAccount = "222233334444"

/** The time of most tests, 2026-11-24T10:00:00Z. */
export const now = "2026-11-24T10:00:00Z"

export const time = (iso: string): DateTime.Utc => DateTime.unsafeMake(iso)

/** The time that is `minutes` after `now`. */
export const minutesLater = (minutes: number): DateTime.Utc => DateTime.add(time(now), { minutes })

export const setTime = (iso: string): Effect.Effect<void> => TestClock.setTime(Date.parse(iso))

export const products: Readonly<Record<string, UsageLedger.Product>> = {
  analytics: {
    region: "us-east-1",
    productCode: "analytics-code",
    dimensions: { calls: {}, gb: { scale: 3 } },
    tagKeys: ["team", "site"]
  },
  search: {
    region: "us-east-1",
    productCode: "search-code",
    dimensions: { queries: {} },
    late: "carry"
  }
}

export const options: UsageLedger.Options = { seller: "acme", target: "sandbox", products }

/** A ledger on a store of its own, or on one that is given. */
export const makeLedger = (
  changes: Partial<UsageLedger.Options> = {},
  store: UsageLedgerStore.Service = MemoryLedgerStore.make()
) =>
  Effect.map(
    Effect.provideService(
      UsageLedger.make({ ...options, ...changes }),
      UsageLedgerStore.UsageLedgerStore,
      store
    ),
    (ledger) => ({ ledger, store })
  )

/** The subscription "a" of `account` to analytics, from a day before `now` on. */
export const subscription: UsageLedger.Subscription = {
  id: "a",
  product: "analytics",
  customerAWSAccountId: account,
  from: minutesLater(-24 * 60)
}

/** A ledger at `now` with the subscriptions "a" to analytics and "s" to search. */
export const makeSubscribed = (
  changes: Partial<UsageLedger.Options> = {},
  store?: UsageLedgerStore.Service
) =>
  Effect.gen(function* () {
    yield* setTime(now)
    const made = yield* makeLedger(changes, store)
    yield* made.ledger.subscribe(subscription)
    yield* made.ledger.subscribe({ ...subscription, id: "s", product: "search" })
    return made
  })

/** Runs an effect, and moves the clock on by seconds until it ends. */
export const passing = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(effect)
    // most need no time
    yield* Effect.repeatN(Effect.yieldNow(), 500)
    for (let seconds = 0; seconds < 7_200; seconds += 1) {
      const exit = yield* Fiber.poll(fiber)
      if (Option.isSome(exit)) return yield* exit.value
      yield* TestClock.adjust("1 second")
    }
    return yield* Effect.dieMessage("it does not end within 2 hours")
  })

/** A reporter on a store and a client. */
export const makeReporter = (
  store: UsageLedgerStore.Service,
  client: MeteringClient["Type"] | StubService,
  options: UsageReporter.Options = {}
) =>
  UsageReporter.make(options).pipe(
    Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
    Effect.provideService(MeteringClient, "client" in client ? client.client : client)
  )

export const entriesOf = (ledger: UsageLedger.Service, filter?: UsageLedger.EntryFilter) =>
  Effect.map(Stream.runCollect(ledger.entries(filter)), Chunk.toReadonlyArray)

/** Entries as text: lineage, dimension, hour of the day, state, recorded quantity. */
export const textsOf = (ledger: UsageLedger.Service, filter?: UsageLedger.EntryFilter) =>
  Effect.map(entriesOf(ledger, filter), (entries) =>
    entries.map(
      ({ dimension, hour, lineage, recorded, state }) =>
        `${lineage} ${dimension} ${DateTime.formatIso(hour).slice(11, 13)} ${state} ${recorded}`
    )
  )

/** Every sum is that of its rows, and everything recorded is accounted for. */
export const assertVerified = (ledger: UsageLedger.Service) =>
  Effect.map(Stream.runCollect(ledger.verify), (differences) =>
    assert.deepEqual(Chunk.toReadonlyArray(differences), [])
  )
