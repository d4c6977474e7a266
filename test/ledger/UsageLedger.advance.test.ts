/** `advance` by itself: results, errors and limits. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { UsageLedger } from "effect-marketplace-metering/ledger"
import { failingStore } from "./support/failingStore.js"
import {
  assertVerified,
  makeReporter,
  makeSubscribed,
  minutesLater,
  passing,
  setTime,
  textsOf
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

type Update = Parameters<UsageLedger.Service["advance"]>[0]

const calls = { subscription: "a", dimension: "calls", quantity: 5, at: minutesLater(0) }
const queries = { ...calls, subscription: "s", dimension: "queries" }
const update: Update = { source: "topic", partition: "0", to: "10", sums: [calls] }

/** A ledger at 11:10 whose hour 10 is sealed. */
const prepareSealed = Effect.gen(function* () {
  const made = yield* makeSubscribed()
  yield* made.ledger.advance({ ...update, sums: [calls, queries] })
  const reporter = yield* makeReporter(made.store, stubService())
  yield* setTime("2026-11-24T11:10:00Z")
  yield* passing(reporter.report)
  return made
})

describe("advance", () => {
  it.scoped("adds sums, and moves the position on", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.advance({
        ...update,
        sums: [
          calls,
          calls,
          { ...calls, tags: { team: "blue" } },
          { ...calls, at: minutesLater(-1) },
          { ...calls, dimension: "gb", quantity: "0.5" }
        ]
      })
      yield* ledger.advance({ ...update, from: "10", to: "20" })
      assert.deepEqual(yield* textsOf(ledger), [
        "a calls 09 open 5",
        "a calls 10 open 20",
        "a gb 10 open 0.5"
      ])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("adds nothing when the same update is made again", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.advance(update)
      yield* ledger.advance(update)
      yield* ledger.advance({ ...update, from: "10", to: "20", sums: [] })
      yield* ledger.advance({ ...update, from: "10", to: "20", sums: [] })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 5"])
    })
  )

  it.scoped("fails where the position is another, and names it", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const conflict = { _tag: "SourceConflict", source: "topic", partition: "0" } as const
      assert.deepInclude(yield* Effect.flip(ledger.advance({ ...update, from: "5" })), {
        ...conflict,
        position: ""
      })
      yield* ledger.advance(update)
      for (const from of [undefined, "9"]) {
        assert.deepInclude(yield* Effect.flip(ledger.advance({ ...update, from, to: "20" })), {
          ...conflict,
          position: "10"
        })
      }
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 5"])
    })
  )

  it.scoped("keeps sources and partitions apart", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      for (const changes of [{}, { partition: "1" }, { source: "other" }]) {
        yield* ledger.advance({ ...update, ...changes })
      }
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 15"])
    })
  )

  it.scoped("takes one of several updates from the same position", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const results = yield* Effect.forEach(
        ["11", "12", "13", "14"],
        (to) => Effect.either(ledger.advance({ ...update, to })),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter(Either.isRight).length, 1)
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 5"])
    })
  )

  it.scoped("rejects invalid fields by name", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const sums = Array<(typeof update.sums)[number]>(100_001).fill(calls)
      const rejected: ReadonlyArray<readonly [Partial<Update>, string]> = [
        [{ source: "" }, "source"],
        [{ source: "x".repeat(256) }, "source"],
        [{ source: "a\0" }, "source"],
        [{ source: "effect-marketplace-metering/zeroFill" }, "source"],
        [{ partition: "" }, "partition"],
        [{ partition: "x".repeat(256) }, "partition"],
        [{ to: "" }, "to"],
        [{ to: "x".repeat(256) }, "to"],
        [{ from: "10" }, "to"],
        [{ sums }, "sums"],
        [{ sums: [{ ...calls, quantity: -1 }] }, "quantity"],
        [{ sums: [{ ...calls, dimension: "none" }] }, "dimension"],
        [{ sums: [{ ...calls, tags: { none: "" } }] }, "tags"]
      ]
      for (const [changes, field] of rejected) {
        assert.deepInclude(
          yield* Effect.flip(ledger.advance({ ...update, ...changes })),
          { _tag: "InvalidEvent", field },
          `${field} ${JSON.stringify(changes).slice(0, 99)}`
        )
      }
      assert.deepEqual(yield* textsOf(ledger), [])
      yield* ledger.advance({ ...update, source: "x".repeat(255), partition: "x".repeat(255) })
      yield* ledger.advance({ ...update, source: "😀".repeat(127), partition: "😀".repeat(127) })
    })
  )

  it.scoped("stores nothing where one sum cannot be recorded, nor the position", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const rejected = [
        [
          { ...calls, subscription: "none" },
          { _tag: "UnknownSubscription", reason: "missing" }
        ],
        [{ ...calls, at: minutesLater(-25 * 60) }, { _tag: "UnknownSubscription" }],
        [{ ...calls, at: minutesLater(6) }, { _tag: "EventInFuture" }],
        [
          { ...calls, at: minutesLater(-24 * 60) },
          { _tag: "EventTooLate", reason: "deadline" }
        ]
      ] as const
      for (const [sum, expected] of rejected) {
        const sums = [calls, sum, queries]
        assert.deepInclude(yield* Effect.flip(ledger.advance({ ...update, sums })), expected)
        assert.deepEqual(yield* textsOf(ledger), [])
      }
      yield* ledger.advance(update)
    })
  )

  it.scoped("fails for a sealed hour where the product does not carry", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepareSealed
      const late = { ...update, from: "10", to: "20" }
      assert.deepInclude(yield* Effect.flip(ledger.advance({ ...late, sums: [queries, calls] })), {
        _tag: "EventTooLate",
        reason: "sealed"
      })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 accepted 5", "s queries 10 accepted 5"])
    })
  )

  it.scoped("carries sums of a sealed hour where the product does", () =>
    Effect.gen(function* () {
      const { ledger } = yield* prepareSealed
      const late = { ...update, from: "10", to: "20" }
      yield* ledger.advance({ ...late, sums: [queries, { ...queries, at: minutesLater(65) }] })
      assert.include(yield* textsOf(ledger), "s queries 11 open 10")
      yield* ledger.close("s")
      assert.deepInclude(
        yield* Effect.flip(ledger.advance({ ...late, from: "20", to: "30", sums: [queries] })),
        { _tag: "EventTooLate", reason: "closed" }
      )
      yield* assertVerified(ledger)
    })
  )

  it.scoped("fails where the store is not available", () =>
    Effect.gen(function* () {
      const failing = failingStore()
      const { ledger } = yield* makeSubscribed({}, failing.store)
      failing.isAway = true
      assert.deepInclude(yield* Effect.flip(ledger.advance(update)), {
        _tag: "LedgerUnavailable",
        isStored: "no"
      })
    })
  )
})
