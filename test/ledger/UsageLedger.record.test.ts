/** `record` by itself: results, errors and limits. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { UsageLedger } from "effect-marketplace-metering/ledger"
import {
  assertVerified,
  entriesOf,
  makeReporter,
  makeSubscribed,
  minutesLater,
  now,
  passing,
  setTime,
  textsOf,
  time
} from "./support/ledgerTest.js"
import { stubService } from "./support/stubService.js"

const calls = { id: "1", subscription: "a", dimension: "calls", quantity: 5 }
const gb = { id: "1", subscription: "a", dimension: "gb", quantity: "0.5" }
const queries = { id: "1", subscription: "s", dimension: "queries", quantity: 5 }

/** A ledger at 11:10 whose hour 10 is sealed, with 1 unit of calls and of queries. */
const makeSealed = Effect.gen(function* () {
  const made = yield* makeSubscribed()
  yield* made.ledger.record({ ...calls, id: "calls", quantity: 1 })
  yield* made.ledger.record({ ...queries, id: "queries", quantity: 1 })
  const reporter = yield* makeReporter(made.store, stubService())
  yield* setTime("2026-11-24T11:10:00Z")
  yield* passing(reporter.report)
  return made
})

describe("record", () => {
  it.scoped("adds an event to the hour of its usage", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const at = time("2026-11-24T09:59:59.999Z")
      assert.deepEqual(yield* ledger.record({ ...calls, at }), {
        _tag: "Recorded",
        id: "1",
        hour: time("2026-11-24T09:00:00Z")
      })
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 open 5"])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("makes an id, and takes the time of the clock", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const event = { subscription: "a", dimension: "calls", quantity: 1 }
      const results = yield* Effect.all([ledger.record(event), ledger.record(event)])
      for (const { hour, id } of results) {
        assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/)
        assert.deepEqual(hour, time(now))
      }
      assert.notStrictEqual(results[0].id, results[1].id)
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 2"])
    })
  )

  it.scoped("records an event once when the same effect runs again, at any time", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const event = { subscription: "a", dimension: "calls", quantity: 1 }
      for (const effect of [
        ledger.record(event),
        Effect.provideService(UsageLedger.record(event), UsageLedger.UsageLedger, ledger)
      ]) {
        yield* setTime(now)
        const first = yield* effect
        yield* setTime("2026-11-24T11:05:00Z")
        assert.deepEqual(yield* effect, { ...first, _tag: "AlreadyRecorded" })
      }
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 2"])
    })
  )

  it.scoped("records an id once, whether the time of the second is given or not", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const at = minutesLater(-30)
      const first = yield* ledger.record({ ...calls, at })
      for (const again of [{ ...calls, at }, calls]) {
        assert.deepEqual(yield* ledger.record(again), { ...first, _tag: "AlreadyRecorded" })
      }
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 open 5"])
    })
  )

  it.scoped("rejects an id with other contents, and names what differs", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const event = { ...calls, at: minutesLater(-10), tags: { team: "blue" } }
      yield* ledger.record(event)
      const differing: ReadonlyArray<readonly [object, ReadonlyArray<string>]> = [
        [{ quantity: 6 }, ["quantity"]],
        [{ dimension: "gb" }, ["subscription or dimension", "quantity"]],
        [
          { subscription: "s", dimension: "queries", tags: {} },
          ["subscription or dimension", "tags"]
        ],
        [{ tags: { team: "red" } }, ["tags"]],
        [{ tags: undefined }, ["tags"]],
        [{ at: minutesLater(-11) }, ["time"]],
        [{ quantity: 0, at: minutesLater(-70), tags: {} }, ["quantity", "tags", "time"]]
      ]
      for (const [changes, differs] of differing) {
        assert.deepInclude(yield* Effect.flip(ledger.record({ ...event, ...changes })), {
          _tag: "EventConflict",
          id: "1",
          differs
        })
      }
      assert.deepEqual(yield* textsOf(ledger), ["a calls 09 open 5"])
    })
  )

  it.scoped("takes values at their limits", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const accepted: ReadonlyArray<UsageLedger.Event> = [
        { ...calls, id: "x" },
        { ...calls, id: "é".repeat(255) },
        { ...calls, id: "😀".repeat(127) },
        { ...calls, id: "zero", quantity: 0 },
        { ...calls, id: "largest", quantity: Number.MAX_SAFE_INTEGER },
        { ...calls, id: "text", quantity: "9007199254740991.000" },
        { ...gb, id: "smallest", quantity: "0.001" },
        { ...gb, id: "number", quantity: 1e-3 },
        { ...gb, id: "digits", quantity: "9007199254740.991" },
        { ...calls, id: "tags", tags: { team: "x".repeat(256), site: "" } },
        { ...calls, id: "ahead", at: minutesLater(5) }
      ]
      for (const event of accepted) {
        assert.deepInclude(yield* ledger.record(event), { _tag: "Recorded" }, event.id)
      }
      assert.deepEqual(yield* textsOf(ledger), [
        `a calls 10 open ${2n * BigInt(Number.MAX_SAFE_INTEGER) + 25n}`,
        "a gb 10 open 9007199254740.993"
      ])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("rejects invalid fields by name", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const rejected: ReadonlyArray<readonly [UsageLedger.Event, string]> = [
        [{ ...calls, id: "" }, "id"],
        [{ ...calls, id: "x".repeat(256) }, "id"],
        [{ ...calls, id: "a\0b" }, "id"],
        // halves of a pair: a database would take both for one id
        [{ ...calls, id: "a\ud83d" }, "id"],
        [{ ...calls, id: "\ude00b" }, "id"],
        [{ ...calls, subscription: "" }, "subscription"],
        [{ ...calls, subscription: "x".repeat(256) }, "subscription"],
        [{ ...calls, subscription: "a\0" }, "subscription"],
        [{ ...calls, dimension: "none" }, "dimension"],
        [{ ...calls, dimension: "queries" }, "dimension"],
        [{ ...calls, dimension: "toString" }, "dimension"],
        [{ ...calls, quantity: -1 }, "quantity"],
        [{ ...calls, quantity: 0.5 }, "quantity"],
        [{ ...calls, quantity: Number.NaN }, "quantity"],
        [{ ...calls, quantity: Number.POSITIVE_INFINITY }, "quantity"],
        [{ ...calls, quantity: Number.MAX_SAFE_INTEGER + 1 }, "quantity"],
        [{ ...calls, quantity: "many" }, "quantity"],
        [{ ...gb, quantity: "0.0001" }, "quantity"],
        [{ ...gb, quantity: 0.1 + 0.2 }, "quantity"],
        [{ ...gb, quantity: "9007199254740.992" }, "quantity"],
        [{ ...calls, tags: { other: "x" } }, "tags"],
        [{ ...calls, tags: { team: "x".repeat(257) } }, "tags"],
        [{ ...calls, tags: { team: "é" } }, "tags"],
        [{ ...queries, tags: { team: "x" } }, "tags"]
      ]
      for (const [event, field] of rejected) {
        const error = yield* Effect.flip(ledger.record(event))
        assert.deepInclude(error, { _tag: "InvalidEvent", field }, JSON.stringify(event))
      }
      assert.deepEqual(yield* entriesOf(ledger), [])
    })
  )

  it.scoped("rejects a sum of more than 2^62, and nothing of the events beside it", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const large = (index: number) => ({
        ...calls,
        id: `large-${index}`,
        quantity: Number.MAX_SAFE_INTEGER
      })
      yield* ledger.recordAll(Array.from({ length: 512 }, (_, index) => large(index)))
      // 2^62 - 512
      assert.deepInclude(yield* ledger.record({ ...calls, id: "most", quantity: 512 }), {
        _tag: "Recorded"
      })
      const results = yield* ledger.recordAll([
        { ...gb, id: "before" },
        { ...calls, id: "more", quantity: 1 },
        { ...gb, id: "after" },
        large(513)
      ])
      assert.deepEqual(
        results.map((result) => (Either.isRight(result) ? result.right._tag : result.left._tag)),
        ["Recorded", "InvalidEvent", "Recorded", "InvalidEvent"]
      )
      assert.deepEqual(yield* textsOf(ledger), [`a calls 10 open ${2n ** 62n}`, "a gb 10 open 1"])
    })
  )

  it.scoped("rejects usage more than 5 minutes ahead of the clock", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      const at = DateTime.add(minutesLater(5), { millis: 1 })
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, at })), {
        _tag: "EventInFuture",
        id: "1",
        at: DateTime.toEpochMillis(at)
      })
    })
  )

  it.scoped("rejects usage outside of its subscription", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSubscribed()
      yield* ledger.subscribe({
        ...{ id: "short", product: "analytics", customerAWSAccountId: "333344445555" },
        ...{ from: minutesLater(-90), until: minutesLater(-30) }
      })
      const at = (millis: number, minutes: number) => ({
        ...calls,
        subscription: "short",
        at: DateTime.add(minutesLater(minutes), { millis })
      })
      const unknown = { _tag: "UnknownSubscription", subscription: "short" } as const
      for (const event of [at(-1, -90), at(0, -30)]) {
        assert.deepInclude(yield* Effect.flip(ledger.record(event)), {
          ...unknown,
          reason: "notActive"
        })
      }
      assert.deepInclude(yield* ledger.record({ ...at(0, -90), id: "first" }), { _tag: "Recorded" })
      assert.deepInclude(yield* ledger.record({ ...at(-1, -30), id: "last" }), { _tag: "Recorded" })
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, subscription: "none" })), {
        _tag: "UnknownSubscription",
        subscription: "none",
        reason: "missing"
      })
    })
  )

  it.scoped("rejects usage of a sealed hour where the product does not carry", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSealed
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, at: minutesLater(59) })), {
        _tag: "EventTooLate",
        id: "1",
        hour: Date.parse(now) / 3_600_000,
        reason: "sealed"
      })
      assert.deepEqual(yield* textsOf(ledger, { product: "analytics" }), ["a calls 10 accepted 1"])
    })
  )

  it.scoped("carries usage of a sealed hour to the current one where the product does", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSealed
      const late = { ...queries, at: minutesLater(59) }
      const carried = { id: "1", hour: time("2026-11-24T11:00:00Z") }
      assert.deepEqual(yield* ledger.record(late), { _tag: "Carried", ...carried })
      assert.deepEqual(yield* ledger.record(late), { _tag: "AlreadyRecorded", ...carried })
      assert.deepEqual(yield* textsOf(ledger, { product: "search" }), [
        "s queries 10 accepted 1",
        "s queries 11 open 5"
      ])
      yield* assertVerified(ledger)
    })
  )

  it.scoped("knows what it recorded before the hour was sealed", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSealed
      for (const event of [
        { ...calls, id: "calls", quantity: 1, at: time(now) },
        { ...queries, id: "queries", quantity: 1, at: time(now) }
      ]) {
        assert.deepInclude(yield* ledger.record(event), {
          _tag: "AlreadyRecorded",
          hour: time(now)
        })
      }
      assert.deepInclude(
        yield* Effect.flip(ledger.record({ ...queries, id: "queries", at: time(now) })),
        { _tag: "EventConflict", differs: ["quantity"] }
      )
    })
  )

  it.scoped("does not carry usage of a subscription that has ended", () =>
    Effect.gen(function* () {
      const { ledger } = yield* makeSealed
      yield* ledger.close("s")
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...queries, at: minutesLater(59) })), {
        _tag: "EventTooLate",
        reason: "closed"
      })
    })
  )
})
