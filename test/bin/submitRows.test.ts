import { assert, it } from "@effect/vitest"
import {
  DateTime,
  Deferred,
  Effect,
  Either,
  Fiber,
  Layer,
  Option,
  Ref,
  Stream,
  TestClock
} from "effect"
import { MeteringClient, UsageSubmission } from "effect-marketplace-metering"
import { refused } from "../../src/bin/internal/failure.js"
import * as rehearsal from "../../src/bin/internal/rehearsal.js"
import type { Row } from "../../src/bin/internal/rows.js"
import { submitRows } from "../../src/bin/internal/submitRows.js"

it.effect("rows under way keep their own outcome when nothing can be written any more", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    // the first is invalid, and told before the other has its answer
    const rows = [-1, 7].map(
      (quantity, i): Row => ({
        sheet: { format: "ndjson" },
        line: i + 1,
        written: "",
        content: Either.right({
          record: { timestamp, dimension: "a", quantity, customerAWSAccountId: "111122223333" }
        })
      })
    )
    const isCalled = yield* Deferred.make<void>()
    const isFailing = yield* Deferred.make<void>()
    const slow = Layer.effect(
      MeteringClient.MeteringClient,
      Effect.map(MeteringClient.MeteringClient, (client) => ({
        ...client,
        batchMeterUsage: (request: Parameters<typeof client.batchMeterUsage>[0]) =>
          Deferred.succeed(isCalled, undefined).pipe(
            Effect.zipRight(Effect.sleep("1 second")),
            Effect.zipRight(client.batchMeterUsage(request))
          )
      }))
    ).pipe(Layer.provide(rehearsal.make().layer))
    const told = new Map<number, string>()
    const submitting = yield* submitRows(Stream.fromIterable(rows), {
      productCode: "p",
      progress: yield* Ref.make(UsageSubmission.noProgress),
      stop: Effect.never,
      stopAtOnce: Effect.never,
      isFull: () => told.size > 0,
      isEndless: false,
      onSettled: ({ row, verdict }) => {
        told.set(row.line, verdict.status)
      },
      flush: Deferred.await(isCalled).pipe(
        Effect.zipRight(Deferred.succeed(isFailing, undefined)),
        Effect.zipRight(Effect.fail(refused("full")))
      )
    }).pipe(Effect.provide(slow), Effect.scoped, Effect.fork)
    yield* Deferred.await(isFailing)
    yield* TestClock.adjust("1 minute")
    const { isReadToItsEnd, notFlushed } = yield* Fiber.join(submitting)
    assert.isTrue(isReadToItsEnd)
    assert.strictEqual(Option.getOrThrow(notFlushed).message, "full")
    assert.deepStrictEqual(Object.fromEntries(told), { 1: "Invalid", 2: "Accepted" })
  })
)
