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
import type { Row } from "../../src/bin/input/parseRows.js"
import { failed } from "../../src/bin/internal/cliError.js"
import * as dryRun from "../../src/bin/internal/dryRun.js"
import { submitRows } from "../../src/bin/internal/submitRows.js"

it.effect("rows under way keep their own outcome when nothing can be written any more", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    // the first is invalid, and told before the other has its answer
    const rows = [-1, 7].map(
      (quantity, i): Row => ({
        sheet: { format: "ndjson" },
        line: i + 1,
        raw: "",
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
    ).pipe(Layer.provide(dryRun.makeClient().layer))
    const told = new Map<number, string>()
    const submitting = yield* submitRows(Stream.fromIterable(rows), {
      productCode: "p",
      progress: yield* Ref.make(UsageSubmission.initialProgress),
      stop: Effect.never,
      abort: Effect.never,
      isFull: () => told.size > 0,
      isEndless: false,
      onResult: ({ row, outcome: verdict }) => {
        told.set(row.line, verdict.status)
      },
      flush: Deferred.await(isCalled).pipe(
        Effect.zipRight(Deferred.succeed(isFailing, undefined)),
        Effect.zipRight(Effect.fail(failed("full")))
      )
    }).pipe(Effect.provide(slow), Effect.scoped, Effect.fork)
    yield* Deferred.await(isFailing)
    yield* TestClock.adjust("1 minute")
    const { isFullyRead: isReadToItsEnd, flushError: notFlushed } = yield* Fiber.join(submitting)
    assert.isTrue(isReadToItsEnd)
    assert.strictEqual(Option.getOrThrow(notFlushed).message, "full")
    assert.deepStrictEqual(Object.fromEntries(told), { 1: "Invalid", 2: "Accepted" })
  })
)

it.effect("what cannot be read after a stop is not taken for read", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    const row: Row = {
      sheet: { format: "ndjson" },
      line: 1,
      raw: "",
      content: Either.right({
        record: { timestamp, dimension: "a", quantity: 1, customerAWSAccountId: "111122223333" }
      })
    }
    const isSettled = yield* Deferred.make<void>()
    const told: Array<string> = []
    const failure = yield* submitRows(
      Stream.make(row).pipe(
        Stream.concat(Stream.execute(Deferred.await(isSettled))),
        Stream.concat(Stream.fail(failed("EIO")))
      ),
      {
        productCode: "p",
        progress: yield* Ref.make(UsageSubmission.initialProgress),
        stop: Effect.void,
        abort: Effect.never,
        isEndless: false,
        onResult: ({ outcome: verdict }) => {
          told.push(verdict.status)
          Deferred.unsafeDone(isSettled, Effect.void)
        },
        isFull: () => false,
        flush: Effect.void
      }
    ).pipe(Effect.provide(dryRun.makeClient().layer), Effect.scoped, Effect.flip)
    assert.strictEqual(failure.message, "EIO")
    assert.deepStrictEqual(told, ["NotSent"])
  })
)

it.effect("no more is read than can be written, also of rows that settle by being read", () =>
  Effect.gen(function* () {
    let read = 0
    let settled = 0
    const rows = Stream.iterate(1, (line) => line + 1).pipe(
      Stream.take(200_000),
      Stream.map((line): Row => {
        read += 1
        return { sheet: { format: "ndjson" }, line, raw: "x", content: Either.left("no") }
      }),
      Stream.rechunk(256)
    )
    const isHeld = yield* Deferred.make<void>()
    const mayGoOn = yield* Deferred.make<void>()
    const submitting = yield* submitRows(rows, {
      productCode: "p",
      progress: yield* Ref.make(UsageSubmission.initialProgress),
      stop: Effect.never,
      abort: Effect.never,
      isEndless: false,
      onResult: () => {
        settled += 1
      },
      isFull: () => settled >= 1_000,
      flush: Effect.suspend(() =>
        settled < 1_000
          ? Effect.void
          : Effect.zipRight(Deferred.succeed(isHeld, undefined), Deferred.await(mayGoOn))
      )
    }).pipe(Effect.provide(dryRun.makeClient().layer), Effect.scoped, Effect.fork)
    yield* Deferred.await(isHeld)
    yield* TestClock.adjust("1 minute")
    assert.isBelow(read, 10_000)
    yield* Deferred.succeed(mayGoOn, undefined)
    assert.isTrue((yield* Fiber.join(submitting)).isFullyRead)
    assert.strictEqual(settled, 200_000)
  })
)

it.effect("ended at once, rows of a call under way are unknown, and no more is read", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    const isCalled = yield* Deferred.make<void>()
    const stopAtOnce = yield* Deferred.make<void>()
    const endless = Stream.iterate(1, (line) => line + 1).pipe(
      Stream.map(
        (line): Row => ({
          sheet: { format: "ndjson" },
          line,
          raw: "",
          content: Either.right({
            record: {
              timestamp,
              dimension: "a",
              quantity: line,
              customerAWSAccountId: String(line)
            }
          })
        })
      ),
      Stream.rechunk(256)
    )
    const deaf = Layer.effect(
      MeteringClient.MeteringClient,
      Effect.map(MeteringClient.MeteringClient, (client) => ({
        ...client,
        batchMeterUsage: () => Effect.zipRight(Deferred.succeed(isCalled, undefined), Effect.never)
      }))
    ).pipe(Layer.provide(dryRun.makeClient().layer))
    const told = new Map<number, string>()
    const submitting = yield* submitRows(endless, {
      productCode: "p",
      rate: Number.POSITIVE_INFINITY,
      progress: yield* Ref.make(UsageSubmission.initialProgress),
      stop: Effect.never,
      abort: Deferred.await(stopAtOnce),
      isEndless: false,
      onResult: ({ row, outcome: verdict }) => {
        told.set(row.line, verdict.status)
      },
      isFull: () => false,
      flush: Effect.void
    }).pipe(Effect.provide(deaf), Effect.scoped, Effect.fork)
    yield* Deferred.await(isCalled)
    yield* TestClock.adjust("1 second")
    yield* Deferred.succeed(stopAtOnce, undefined)
    const { isFullyRead: isReadToItsEnd } = yield* Fiber.join(submitting)
    assert.isFalse(isReadToItsEnd)
    const lines = [...told.keys()].sort((a, b) => a - b)
    assert.deepStrictEqual(
      lines,
      lines.map((_, i) => i + 1)
    )
    const unknown = lines.filter((line) => told.get(line) === "Unknown")
    // as many as fit into the calls that are made at once
    assert.lengthOf(unknown, 250)
    assert.lengthOf(
      lines.filter((line) => told.get(line) === "NotSent"),
      lines.length - 250
    )
  })
)
