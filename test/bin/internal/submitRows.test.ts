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
import type { Sheet } from "../../../src/bin/input/parseRows.js"
import type { UsageRow } from "../../../src/bin/input/usageRows.js"
import { failed } from "../../../src/bin/internal/cliError.js"
import * as dryRunClient from "../../../src/bin/internal/dryRunClient.js"
import { submitRows } from "../../../src/bin/internal/submitRows.js"

const sheet: Sheet = { format: "ndjson", isValid: () => true }

it.effect("rows under way keep their outcome when writing fails", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    // the first is invalid, and reported before the response of the other
    const rows = [-1, 7].map(
      (quantity, i): UsageRow => ({
        sheet,
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
    ).pipe(Layer.provide(dryRunClient.make().layer))
    const outcomes = new Map<number, string>()
    const submitting = yield* submitRows(Stream.fromIterable(rows), {
      productCode: "p",
      progress: yield* Ref.make(UsageSubmission.initialProgress),
      stop: Effect.never,
      abort: Effect.never,
      isFull: () => outcomes.size > 0,
      isEndless: false,
      onResult: ({ row, outcome }) => {
        outcomes.set(row.line, outcome.status)
      },
      flush: Deferred.await(isCalled).pipe(
        Effect.zipRight(Deferred.succeed(isFailing, undefined)),
        Effect.zipRight(Effect.fail(failed("full")))
      )
    }).pipe(Effect.provide(slow), Effect.scoped, Effect.fork)
    yield* Deferred.await(isFailing)
    yield* TestClock.adjust("1 minute")
    const { isFullyRead, flushError } = yield* Fiber.join(submitting)
    assert.isTrue(isFullyRead)
    assert.strictEqual(Option.getOrThrow(flushError).message, "full")
    assert.deepStrictEqual(Object.fromEntries(outcomes), { 1: "Invalid", 2: "Accepted" })
  })
)

it.effect("a read error after a stop is raised", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    const row: UsageRow = {
      sheet,
      line: 1,
      raw: "",
      content: Either.right({
        record: { timestamp, dimension: "a", quantity: 1, customerAWSAccountId: "111122223333" }
      })
    }
    const hasOutcome = yield* Deferred.make<void>()
    const outcomes: Array<string> = []
    const failure = yield* submitRows(
      Stream.make(row).pipe(
        Stream.concat(Stream.execute(Deferred.await(hasOutcome))),
        Stream.concat(Stream.fail(failed("EIO")))
      ),
      {
        productCode: "p",
        progress: yield* Ref.make(UsageSubmission.initialProgress),
        stop: Effect.void,
        abort: Effect.never,
        isEndless: false,
        onResult: ({ outcome }) => {
          outcomes.push(outcome.status)
          Deferred.unsafeDone(hasOutcome, Effect.void)
        },
        isFull: () => false,
        flush: Effect.void
      }
    ).pipe(Effect.provide(dryRunClient.make().layer), Effect.scoped, Effect.flip)
    assert.strictEqual(failure.message, "EIO")
    assert.deepStrictEqual(outcomes, ["NotSent"])
  })
)

it.effect("reads no more than can be written, also of unreadable rows", () =>
  Effect.gen(function* () {
    let read = 0
    let emitted = 0
    const rows = Stream.iterate(1, (line) => line + 1).pipe(
      Stream.take(200_000),
      Stream.map((line): UsageRow => {
        read += 1
        return { sheet, line, raw: "x", content: Either.left("no") }
      }),
      Stream.rechunk(256)
    )
    const isFlushing = yield* Deferred.make<void>()
    const mayContinue = yield* Deferred.make<void>()
    const submitting = yield* submitRows(rows, {
      productCode: "p",
      progress: yield* Ref.make(UsageSubmission.initialProgress),
      stop: Effect.never,
      abort: Effect.never,
      isEndless: false,
      onResult: () => {
        emitted += 1
      },
      isFull: () => emitted >= 1_000,
      flush: Effect.suspend(() =>
        emitted < 1_000
          ? Effect.void
          : Effect.zipRight(Deferred.succeed(isFlushing, undefined), Deferred.await(mayContinue))
      )
    }).pipe(Effect.provide(dryRunClient.make().layer), Effect.scoped, Effect.fork)
    yield* Deferred.await(isFlushing)
    yield* TestClock.adjust("1 minute")
    assert.isBelow(read, 10_000)
    yield* Deferred.succeed(mayContinue, undefined)
    assert.isTrue((yield* Fiber.join(submitting)).isFullyRead)
    assert.strictEqual(emitted, 200_000)
  })
)

it.effect("after an abort rows of calls under way are unknown, and no more is read", () =>
  Effect.gen(function* () {
    const timestamp = yield* DateTime.now
    const isCalled = yield* Deferred.make<void>()
    const abort = yield* Deferred.make<void>()
    const endless = Stream.iterate(1, (line) => line + 1).pipe(
      Stream.map(
        (line): UsageRow => ({
          sheet,
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
    const silent = Layer.effect(
      MeteringClient.MeteringClient,
      Effect.map(MeteringClient.MeteringClient, (client) => ({
        ...client,
        batchMeterUsage: () => Effect.zipRight(Deferred.succeed(isCalled, undefined), Effect.never)
      }))
    ).pipe(Layer.provide(dryRunClient.make().layer))
    const outcomes = new Map<number, string>()
    const submitting = yield* submitRows(endless, {
      productCode: "p",
      rate: Number.POSITIVE_INFINITY,
      progress: yield* Ref.make(UsageSubmission.initialProgress),
      stop: Effect.never,
      abort: Deferred.await(abort),
      isEndless: false,
      onResult: ({ row, outcome }) => {
        outcomes.set(row.line, outcome.status)
      },
      isFull: () => false,
      flush: Effect.void
    }).pipe(Effect.provide(silent), Effect.scoped, Effect.fork)
    yield* Deferred.await(isCalled)
    yield* TestClock.adjust("1 second")
    yield* Deferred.succeed(abort, undefined)
    const { isFullyRead } = yield* Fiber.join(submitting)
    assert.isFalse(isFullyRead)
    const lines = [...outcomes.keys()].sort((a, b) => a - b)
    assert.deepStrictEqual(
      lines,
      lines.map((_, i) => i + 1)
    )
    const unknown = lines.filter((line) => outcomes.get(line) === "Unknown")
    // the records of all concurrent calls
    assert.lengthOf(unknown, 250)
    assert.lengthOf(
      lines.filter((line) => outcomes.get(line) === "NotSent"),
      lines.length - 250
    )
  })
)
