import { assert, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { shutdownTimeout } from "../../../src/bin/internal/signals.js"

it.effect("an abort times out after 5 seconds, but not with unfinished work", () =>
  Effect.gen(function* () {
    let unfinished: string | undefined
    const first = yield* Effect.fork(shutdownTimeout(() => unfinished))
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(first)

    unfinished = "the file"
    const second = yield* Effect.fork(shutdownTimeout(() => unfinished))
    yield* TestClock.adjust("1 hour")
    assert.isNull(second.unsafePoll())
    unfinished = undefined
    yield* TestClock.adjust("5 seconds")
    yield* Fiber.join(second)
  })
)
