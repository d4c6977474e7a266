/** Records that are rejected with errors of the whole product, beside many others. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, Layer, Logger, LogLevel, Scope } from "effect"
import { LedgerError, UsageLedgerStore, UsageReporter } from "effect-marketplace-metering/ledger"
import { type Service as Client, MeteringClient } from "effect-marketplace-metering/MeteringClient"
import type { UsageRecord } from "effect-marketplace-metering/UsageRecord"
import * as support from "./ledgerSupport.js"
import { withWorld } from "./support/ledgerWorld.js"
import { addRecords, namesOf, productError } from "./support/manyRecords.js"

const { entriesOf, makeReporter } = support

/** A client that rejects each call with a record of a name with `bad`, and gives others the status. */
const clientOf = (client: Client, status = "Success"): Client => ({
  ...client,
  batchMeterUsage: (request) => {
    const records = request.usageRecords as ReadonlyArray<UsageRecord>
    if (records.length === 0) return client.batchMeterUsage(request)
    return records.some(({ dimension }) => dimension.startsWith("bad"))
      ? Effect.fail(productError)
      : Effect.succeed({
          results: records.map((usageRecord) => ({ usageRecord, status })),
          unprocessedRecords: [],
          unreadable: [],
          requestId: "sandbox-2"
        } as never)
  }
})

/** Runs the reporter's layer for minutes. */
const reportFor = (store: UsageLedgerStore.Service, client: Client, minutes: number) =>
  Effect.gen(function* () {
    const scope = yield* Scope.make()
    yield* Layer.buildWithScope(UsageReporter.layer(), scope).pipe(
      Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
      Effect.provideService(MeteringClient, client),
      Logger.withMinimumLogLevel(LogLevel.None)
    )
    yield* Effect.sleep(minutes * 60_000)
    yield* Scope.close(scope, Exit.void)
  })

/** The states of the records of names with a prefix. */
const statesOf = (store: UsageLedgerStore.Service, prefix: string) =>
  Effect.map(
    entriesOf(store),
    (lines) =>
      new Set(
        lines.flatMap((line) => {
          const [, dimension, , state] = line.split(" ")
          return dimension?.startsWith(prefix) ? [state] : []
        })
      )
  )

describe("many adjacent records that are rejected as a whole product", () => {
  for (const count of [150, 1_200]) {
    it.effect(`do not keep the ones after them from being sent (${count})`, () =>
      withWorld(({ setTo, store }) =>
        Effect.gen(function* () {
          yield* addRecords(store, namesOf("bad-", count))
          yield* addRecords(store, namesOf("good-", 60))
          yield* setTo(71)
          yield* reportFor(store, clientOf(yield* MeteringClient), 20)
          assert.deepStrictEqual(yield* statesOf(store, "good"), new Set(["accepted"]))
          assert.notInclude([...(yield* statesOf(store, "bad"))], "accepted")
        })
      )
    )
  }
})

describe("a paused product", () => {
  it.effect("goes on after a response that its customers are not subscribed", () =>
    withWorld(({ ledger, setTo, store }) =>
      Effect.gen(function* () {
        yield* addRecords(store, namesOf("some-", 3))
        yield* setTo(71)
        const client = clientOf(yield* MeteringClient, "CustomerNotSubscribed")
        const until = (yield* Clock.currentTimeMillis) + 60_000
        yield* reportFor(
          store,
          {
            ...client,
            batchMeterUsage: (request) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) =>
                request.usageRecords.length > 0 && now < until
                  ? Effect.fail(productError)
                  : client.batchMeterUsage(request)
              )
          },
          10
        )
        assert.deepStrictEqual(yield* statesOf(store, "some"), new Set(["notSubscribed"]))
        assert.notMatch((yield* ledger.health).reasons.join(), /paused/)
      })
    )
  )
})

describe("a record whose result cannot be stored at once", () => {
  it.effect("is accepted again, and counts once", () =>
    withWorld(({ setTo, store }) =>
      Effect.gen(function* () {
        yield* addRecords(store, namesOf("good-", 1))
        yield* setTo(71)
        const unavailable = new LedgerError.LedgerUnavailable({ reason: "planted", isStored: "no" })
        const failedUntil = (yield* Clock.currentTimeMillis) + 8_000
        const failing: UsageLedgerStore.Service = {
          ...store,
          transaction: (body) =>
            store.transaction((tables) =>
              body({
                ...tables,
                addResults: (rows) =>
                  Effect.flatMap(Clock.currentTimeMillis, (now) =>
                    now < failedUntil ? Effect.fail(unavailable) : tables.addResults(rows)
                  )
              })
            )
        }
        const { report } = yield* makeReporter(failing).pipe(
          Effect.provideService(MeteringClient, clientOf(yield* MeteringClient))
        )
        const { accepted, sent } = yield* report
        assert.deepStrictEqual({ accepted, sent }, { accepted: 1, sent: 1 })
      }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))
    )
  )
})
