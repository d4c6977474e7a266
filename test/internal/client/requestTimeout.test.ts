import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { withRequestTimeout } from "../../../src/internal/client/requestTimeout.js"
import { RequestTimeoutError } from "../../../src/MeteringError.js"

const limit = Duration.seconds(3)

const limited = withRequestTimeout(limit, "MeterUsage", () => "https://example.com")

const timeout = new RequestTimeoutError({
  operation: "MeterUsage",
  endpoint: "https://example.com",
  timeout: limit
})

/** A clock with manual time and its waiters. */
const time = () => {
  const tasks = new Set<() => void>()
  const wait = (task: () => void) => {
    tasks.add(task)
    return () => tasks.delete(task)
  }
  return { tasks, wait }
}

const clocks = {
  // Effect's default clock has it, but not its type
  "that calls back": ({ wait }: ReturnType<typeof time>) => ({
    scheduler: () => Effect.succeed<Clock.ClockScheduler>({ unsafeSchedule: wait })
  }),
  "that is slept by": ({ wait }: ReturnType<typeof time>) => ({
    scheduler: undefined,
    sleep: () =>
      Effect.async<void>((resume) => {
        const cancel = wait(() => resume(Effect.void))
        return Effect.sync(cancel)
      })
  })
}

const made = (clockOf: (passing: ReturnType<typeof time>) => object) => {
  const passing = time()
  return {
    run: Effect.withClock(Object.assign(Clock.make(), clockOf(passing))),
    pass: Effect.sync(() => {
      for (const task of passing.tasks) {
        passing.tasks.delete(task)
        task()
      }
    }),
    waiting: Effect.sync(() => passing.tasks.size)
  }
}

/** An attempt that never ends by itself, and whose interruption takes a while. */
const hanging = Effect.gen(function* () {
  const started = yield* Deferred.make<void>()
  const events: Array<string> = []
  const attempt = Deferred.succeed(started, undefined).pipe(
    Effect.zipRight(Effect.never),
    Effect.onInterrupt(() =>
      Effect.yieldNow().pipe(Effect.zipRight(Effect.sync(() => events.push("interrupted"))))
    )
  )
  return { attempt, events, started: Deferred.await(started) }
})

describe.each(Object.entries(clocks))("the request timeout by a clock %s", (_, clockOf) => {
  const make = () => made(clockOf)

  it.effect("returns the exit of an attempt that ends in time", () =>
    Effect.gen(function* () {
      const { run, waiting } = make()
      for (const exit of [Exit.succeed(7), Exit.fail("no"), Exit.die("broken")]) {
        const attempt = Effect.zipRight(Effect.yieldNow(), exit)
        assert.deepStrictEqual<unknown>(yield* Effect.exit(run(limited(attempt))), exit)
        assert.deepStrictEqual<unknown>(yield* Effect.exit(run(limited(exit))), exit)
      }
      yield* Effect.yieldNow()
      assert.strictEqual(yield* waiting, 0)
    })
  )

  it.effect("fails after the limit, once the attempt has ended", () =>
    Effect.gen(function* () {
      const { pass, run } = make()
      const { attempt, events, started } = yield* hanging
      const fiber = yield* Effect.fork(
        run(limited(attempt)).pipe(
          Effect.flip,
          Effect.tap(() => Effect.sync(() => events.push("failed")))
        )
      )
      yield* started
      assert.deepStrictEqual(events, [])
      yield* pass
      assert.deepStrictEqual({ ...(yield* Fiber.join(fiber)) }, { ...timeout })
      assert.deepStrictEqual(events, ["interrupted", "failed"])
    })
  )

  it.effect("interrupts the attempt with the caller, and waits for its end", () =>
    Effect.gen(function* () {
      const { pass, run, waiting } = make()
      const { attempt, events, started } = yield* hanging
      const fiber = yield* Effect.fork(run(limited(attempt)))
      yield* started
      assert.isTrue(Exit.isInterrupted(yield* Fiber.interrupt(fiber)))
      assert.deepStrictEqual(events, ["interrupted"])
      yield* Effect.yieldNow()
      assert.strictEqual(yield* waiting, 0)
      yield* pass
      assert.deepStrictEqual(events, ["interrupted"])
    })
  )

  it.effect("does not read the clock without a limit", () =>
    Effect.gen(function* () {
      const { pass, run, waiting } = make()
      const { attempt, events, started } = yield* hanging
      const unlimited = withRequestTimeout(Duration.infinity, "MeterUsage", () => "")
      const fiber = yield* Effect.fork(run(unlimited(attempt)))
      yield* started
      assert.strictEqual(yield* waiting, 0)
      yield* pass
      assert.deepStrictEqual(events, [])
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(events, ["interrupted"])
    })
  )

  it.scoped("sees the caller's fiber refs, and keeps its own", () =>
    Effect.gen(function* () {
      const { run } = make()
      const ref = yield* FiberRef.make("none")
      yield* FiberRef.set(ref, "caller's")
      const seen = yield* run(limited(FiberRef.getAndSet(ref, "attempt's")))
      assert.deepStrictEqual([seen, yield* FiberRef.get(ref)], ["caller's", "caller's"])
    })
  )
})

it("Effect's own clock calls back", () => {
  assert.property(Clock.make(), "scheduler")
})
