/** Text that no store can keep: NUL, and halves of surrogate pairs, such as of an id that was cut within an emoji. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { UsageLedger, UsageLedgerStore } from "effect-marketplace-metering/ledger"
import { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as support from "./ledgerSupport.js"
import { withWorld } from "./support/ledgerWorld.js"
import { newFile, open } from "./support/sqliteFile.js"

const { account, entriesOf, start } = support
const analytics = `analytics-${account}`
const halves = ["x\ud83d", "\ude00", "a\0b"]

describe("a text with half of a surrogate pair or NUL", () => {
  it.effect("is no id of an event, a subscription, a source or a customer", () =>
    withWorld(({ ledger, record, subscribe }) =>
      Effect.gen(function* () {
        for (const text of halves) {
          assert.strictEqual(yield* record(analytics, { id: text }), "InvalidEvent")
          assert.strictEqual(yield* record(text), "InvalidEvent")
          const errors = [
            yield* Effect.flip(subscribe(text, 0)),
            yield* Effect.flip(subscribe("A", 0, { follows: text })),
            yield* Effect.flip(
              subscribe("A", 0, { customerAWSAccountId: undefined, customerIdentifier: text })
            ),
            yield* Effect.flip(ledger.advance({ source: text, partition: "0", to: "1", sums: [] })),
            yield* Effect.flip(
              ledger.advance({
                source: "s",
                partition: "0",
                to: "1",
                sums: [
                  { subscription: text, dimension: "calls", quantity: 1, at: support.at(start) }
                ]
              })
            ),
            yield* Effect.flip(ledger.adjust({ event: text, quantity: 1, reason: "r" })),
            yield* Effect.flip(ledger.adjust({ event: "e", quantity: 1, reason: text }))
          ]
          assert.deepStrictEqual(
            errors.map(({ _tag }) => _tag),
            errors.map(() => "InvalidEvent")
          )
          const missing = yield* Effect.flip(ledger.close(text))
          assert.strictEqual(missing._tag, "UnknownSubscription")
        }
      })
    )
  )

  it.effect("is no name of a product, a dimension, a Region or a code", () =>
    withWorld(({ store }) =>
      Effect.gen(function* () {
        const { analytics } = support.products as { analytics: UsageLedger.Product }
        for (const text of halves) {
          for (const products of [
            { [text]: { ...analytics, productCode: "new" } },
            { new: { ...analytics, productCode: text } },
            { new: { ...analytics, region: text } },
            { analytics: { ...analytics, dimensions: { ...analytics.dimensions, [text]: {} } } }
          ]) {
            const error = yield* UsageLedger.make({
              seller: "acme",
              target: "sandbox",
              products
            }).pipe(
              Effect.provideService(UsageLedgerStore.UsageLedgerStore, store),
              Effect.scoped,
              Effect.flip
            )
            assert.deepInclude(error, { _tag: "LedgerConfigError", reason: "invalidOptions" })
          }
        }
      })
    )
  )

  it.effect("is not made of a source by cutting its name", () =>
    withWorld(({ ledger, setTo, store }) =>
      Effect.gen(function* () {
        const source = `${"s".repeat(252)}/`
        const sums = [
          { subscription: analytics, dimension: "calls", quantity: 1, at: support.at(start) }
        ]
        yield* setTo(1)
        // an id of 255 characters would end within the emoji
        yield* ledger.advance({ source, partition: "😀", to: "1", sums })
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 open 1`])
      })
    )
  )

  it.effect("of an error of the service is replaced before it is stored", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const file = yield* newFile
        const store = yield* open(file)
        yield* withWorld(
          ({ ledger, setTo }) =>
            Effect.gen(function* () {
              for (const one of support.subscriptions) yield* ledger.subscribe(one)
              yield* support.record(store, analytics, "calls", start, 3)
              yield* setTo(71)
              const client = yield* MeteringClient
              // the text that is stored ends in an emoji
              const message = `NUL \0 ${"😀".repeat(500)}`
              const { report } = yield* support.makeReporter(store).pipe(
                Effect.provideService(MeteringClient, {
                  ...client,
                  batchMeterUsage: (request) =>
                    request.usageRecords.length === 0
                      ? client.batchMeterUsage(request)
                      : Effect.fail(
                          new MeteringError.ThrottlingException(
                            { operation: "BatchMeterUsage", serviceMessage: message } as never,
                            true
                          )
                        )
                })
              )
              yield* report
              const attempts = yield* store.snapshot((tables) => tables.attempts([1]))
              const details = attempts.flatMap(({ results }) => results.map(({ detail }) => detail))
              assert.isAtLeast(details.length, 1)
              for (const detail of details) assert.notMatch(detail ?? "", /\0|\p{Surrogate}/u)
            }),
          { store: Effect.succeed(store), products: support.products }
        )
      })
    )
  )
})

describe("a batch", () => {
  it.effect("records the events of others when one of them ends by a defect", () =>
    withWorld(({ store }) =>
      Effect.gen(function* () {
        const begun = yield* Deferred.make<void>()
        const go = yield* Deferred.make<void>()
        let batches = 0
        const failing: UsageLedgerStore.Service = {
          ...store,
          recordEvents: (events, now) =>
            Effect.suspend(() => {
              batches += 1
              if (batches === 1) {
                return Effect.zipRight(
                  Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(go)),
                  store.recordEvents(events, now)
                )
              }
              return events.some(({ id }) => id === "bad")
                ? Effect.dieMessage("planted")
                : store.recordEvents(events, now)
            })
        }
        const ledger = yield* UsageLedger.make({ seller: "acme", target: "sandbox" }).pipe(
          Effect.provideService(UsageLedgerStore.UsageLedgerStore, failing)
        )
        const record = (id: string) =>
          Effect.fork(
            Effect.exit(
              ledger.record({ id, subscription: analytics, dimension: "calls", quantity: 1 })
            )
          )
        const first = yield* record("first")
        yield* Deferred.await(begun)
        const others = yield* Effect.forEach(["one", "bad", "two"], record)
        yield* Effect.yieldNow()
        yield* Deferred.succeed(go, undefined)
        assert.isTrue(Exit.isSuccess(yield* Fiber.join(first)))
        const exits = yield* Effect.forEach(others, Fiber.join)
        assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true])
        assert.deepStrictEqual(yield* entriesOf(store), [`${analytics} calls 10 open 3`])
      })
    )
  )

  it.effect("takes tags that are null as none", () =>
    withWorld(({ record }) =>
      Effect.gen(function* () {
        assert.strictEqual(yield* record(analytics, { tags: null as never }), "Recorded")
      })
    )
  )
})
