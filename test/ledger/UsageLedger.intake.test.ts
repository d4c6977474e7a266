/** The bounded intake of `record`: group commit, back-pressure, interruption and the end of its scope. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { failingStore } from "./support/failingStore.js"
import { makeSubscribed, textsOf } from "./support/ledgerTest.js"

const calls = { subscription: "a", dimension: "calls", quantity: 1 }

/** Lets all fibers that are ready run. */
const settle = Effect.repeatN(Effect.yieldNow(), 100)

/** A ledger with an intake of `intakeSize` whose writes wait until `open`. */
const prepare = (intakeSize?: number) =>
  Effect.gen(function* () {
    const failing = failingStore()
    const { ledger } = yield* makeSubscribed({ intakeSize }, failing.store)
    // loads the subscription
    yield* ledger.record({ ...calls, id: "first", quantity: 0 })
    failing.batches.length = 0
    const gate = yield* Deferred.make<void>()
    failing.gate = Option.some(Deferred.await(gate))
    const fork = (id: string, quantity = 1) =>
      Effect.forkScoped(ledger.record({ ...calls, id, quantity }))
    const start = (id: string, quantity?: number) => Effect.tap(fork(id, quantity), settle)
    return { failing, fork, ledger, open: Deferred.succeed(gate, undefined), start }
  })

const areDone = (fibers: ReadonlyArray<Fiber.RuntimeFiber<unknown, unknown>>) =>
  Effect.map(Effect.forEach(fibers, Fiber.poll), (polls) => polls.map(Option.isSome))

describe("the intake", () => {
  it.scoped("stores events of callers that wait at the same time together", () =>
    Effect.gen(function* () {
      const { failing, ledger, open, start } = yield* prepare()
      const fibers = yield* Effect.forEach(["1", "2", "3", "4"], (id) => start(id))
      assert.deepEqual(failing.batches, [1])
      yield* open
      yield* Fiber.joinAll(fibers)
      assert.deepEqual(failing.batches, [1, 3])
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 4"])
    })
  )

  it.scoped("stores at most 1,000 events together", () =>
    Effect.gen(function* () {
      const { failing, fork, open, start } = yield* prepare()
      const first = yield* start("0")
      const fibers = yield* Effect.forEach(
        Array.from({ length: 1_500 }, (_, index) => `more-${index}`),
        (id) => fork(id)
      )
      yield* settle
      yield* open
      yield* Fiber.joinAll([first, ...fibers])
      assert.deepEqual(failing.batches, [1, 1_000, 500])
    })
  )

  it.scoped("fails the event that is invalid, and not those beside it", () =>
    Effect.gen(function* () {
      const { open, start } = yield* prepare()
      const fibers = yield* Effect.forEach([1, -1, 1], (quantity, index) =>
        start(`${index}`, quantity)
      )
      yield* open
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      assert.deepEqual(exits.map(Exit.isSuccess), [true, false, true])
    })
  )

  it.scoped("makes callers wait outside when it is full, and takes them when there is room", () =>
    Effect.gen(function* () {
      const { failing, ledger, open, start } = yield* prepare(2)
      const fibers = yield* Effect.forEach(["1", "2", "3", "4", "5", "6"], (id) => start(id))
      assert.deepEqual(yield* areDone(fibers), Array(6).fill(false))
      assert.deepEqual(failing.batches, [1])
      yield* open
      yield* Fiber.joinAll(fibers)
      // no batch has more than the intake holds
      assert.deepEqual(failing.batches, [1, 2, 2, 1])
      assert.deepEqual(yield* textsOf(ledger), ["a calls 10 open 6"])
    })
  )

  it.scoped("stores nothing of a caller that was interrupted while it waited outside", () =>
    Effect.gen(function* () {
      const { ledger, open, start } = yield* prepare(1)
      const fibers = yield* Effect.forEach(["written", "inside", "outside"], (id) => start(id))
      yield* Fiber.interruptAll(fibers)
      yield* open
      // those that were taken in are stored
      yield* Effect.repeat(textsOf(ledger), { until: ([text]) => text === "a calls 10 open 2" })
      assert.deepInclude(yield* ledger.record({ ...calls, id: "outside" }), { _tag: "Recorded" })
      assert.deepInclude(yield* ledger.record({ ...calls, id: "inside" }), {
        _tag: "AlreadyRecorded"
      })
    })
  )

  it.scoped("loses nothing that it acknowledged when callers are interrupted", () =>
    Effect.gen(function* () {
      const { ledger, open, start } = yield* prepare(3)
      const fibers = yield* Effect.forEach(
        Array.from({ length: 30 }, (_, index) => `${index}`),
        (id) => start(id)
      )
      yield* Effect.forEach(fibers, (fiber, index) =>
        index % 3 === 1 ? Fiber.interrupt(fiber) : Effect.void
      )
      yield* open
      const exits = yield* Effect.forEach(fibers, Fiber.await)
      assert.deepEqual(
        exits.map(Exit.isSuccess),
        fibers.map((_, index) => index % 3 !== 1)
      )
      for (const [index, exit] of exits.entries()) {
        if (Exit.isFailure(exit)) continue
        assert.deepInclude(yield* ledger.record({ ...calls, id: `${index}` }), {
          _tag: "AlreadyRecorded"
        })
      }
    })
  )

  it.scoped("stores what waits when its scope closes, and fails callers outside and later", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { ledger, open, start } = yield* Scope.extend(prepare(1), scope)
      const fibers = yield* Effect.forEach(["written", "inside", "outside"], (id) => start(id))
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* settle
      assert.isTrue(Option.isNone(yield* Fiber.poll(closing)))
      yield* open
      yield* Fiber.join(closing)
      const [written, inside, outside] = yield* Effect.forEach(fibers, Fiber.await)
      assert.isTrue(written !== undefined && Exit.isSuccess(written))
      assert.isTrue(inside !== undefined && Exit.isSuccess(inside))
      const closed = { _tag: "LedgerUnavailable", isStored: "no", reason: "it is closed" } as const
      assert.deepInclude(outside && (yield* Effect.flip(outside)), { ...closed, ids: ["outside"] })
      assert.deepInclude(yield* Effect.flip(ledger.record({ ...calls, id: "later" })), closed)
    })
  )
})
