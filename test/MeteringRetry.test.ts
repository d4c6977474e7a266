import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as MeteringClient from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as MeterUsage from "effect-marketplace-metering/MeterUsage"
import { clientLayer } from "./support/client.js"
import { meterUsage, operations } from "./support/operations.js"
import { exceptionResponse, failingConnection, type Stub, stubHttp } from "./support/stubHttp.js"

const operation = "BatchMeterUsage"

const fault = new MeteringError.InternalServiceErrorException({ operation })
const throttled = new MeteringError.ThrottlingException({ operation })
const final = new MeteringError.InvalidProductCodeException({ operation })

const asking = (retryAfter: Duration.DurationInput) =>
  new MeteringError.InternalServiceErrorException({
    operation,
    retryAfter: Duration.decode(retryAfter)
  })

/**
 * The waits between attempts that fail with these errors, the last one for ever, when chance takes `random`
 * of every delay.
 */
const waits = (
  schedule: Schedule.Schedule<unknown, unknown>,
  errors: ReadonlyArray<unknown>,
  random = 1
): Effect.Effect<ReadonlyArray<number>> =>
  Effect.gen(function* () {
    const times: Array<number> = []
    const attempt = Effect.flatMap(Clock.currentTimeMillis, (now) => {
      times.push(now)
      return Effect.fail(errors[Math.min(times.length, errors.length) - 1])
    })
    const fiber = yield* attempt.pipe(
      Effect.retry(schedule),
      Effect.flip,
      Effect.withRandom(Random.fixed([random])),
      Effect.fork
    )
    yield* TestClock.adjust("3 hours")
    assert.strictEqual(yield* Fiber.join(fiber), errors[Math.min(times.length, errors.length) - 1])
    return times.slice(1).map((time, i) => time - (times[i] ?? 0))
  })

const times = (count: number) => Schedule.intersect(MeteringRetry.backoff(), Schedule.recurs(count))

describe("standard", () => {
  it.effect.each<readonly [string, ReadonlyArray<unknown>, number, ReadonlyArray<number>]>([
    ["three attempts, doubling", [fault], 1, [50, 100]],
    ["a random part of the delay", [fault], 0.5, [25, 50]],
    ["no delay at all by chance", [fault], 0, [0, 0]],
    ["a longer base when throttled", [throttled], 1, [1000, 2000]],
    ["the base of the error at hand", [fault, throttled], 1, [50, 2000]],
    ["the base of the error at hand", [throttled, fault], 1, [1000, 100]],
    ["nothing for what cannot be helped", [final], 1, []],
    ["nothing more once it cannot be helped", [fault, final], 1, [50]],
    ["nothing for what is no error of a call", [new Error("another")], 1, []],
    ["nothing for what is no object", ["oh"], 1, []]
  ])("%s", ([, errors, random, expected]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* waits(MeteringRetry.standard, errors, random), expected)
    })
  )

  it.effect.each<readonly [string, ReadonlyArray<unknown>, number, ReadonlyArray<number>]>([
    ["raises the delay", [asking("3 seconds")], 1, [3000, 3000]],
    ["does not lower it", [asking("60 millis")], 1, [60, 100]],
    ["raises it by at most 5 s", [asking("1 hour")], 1, [5050, 5100]],
    ["raises what chance has left of it", [asking("1 hour")], 0.5, [5025, 5050]],
    ["of nothing changes nothing", [asking(0)], 1, [50, 100]]
  ])("a server's hint %s", ([, errors, random, expected]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* waits(MeteringRetry.standard, errors, random), expected)
    })
  )

  it.effect("waits whole milliseconds, which a virtual clock can measure", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* waits(MeteringRetry.standard, [fault], 0.333), [17, 34])
      assert.deepStrictEqual(yield* waits(MeteringRetry.standard, [asking(60.5)], 0), [61, 61])
      const fiber = yield* Effect.fail(fault).pipe(
        Effect.retry(MeteringRetry.standard),
        Effect.flip,
        Effect.timed,
        Effect.withRandom(Random.fixed([0.333])),
        Effect.fork
      )
      yield* TestClock.adjust("1 minute")
      const [taken] = yield* Fiber.join(fiber)
      assert.strictEqual(Duration.toMillis(taken), 51)
    })
  )

  it.effect("is fresh for each effect that it retries", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 2; i++) {
        assert.deepStrictEqual(yield* waits(MeteringRetry.standard, [fault]), [50, 100])
      }
    })
  )
})

describe("backoff", () => {
  it.effect.each<readonly [string, MeteringRetry.BackoffOptions, unknown, ReadonlyArray<number>]>([
    [
      "doubles up to 20 s",
      {},
      fault,
      [50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 20_000, 20_000]
    ],
    [
      "doubles up to 20 s when throttled too",
      {},
      throttled,
      [1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]
    ],
    ["takes another base", { base: "200 millis" }, fault, [200, 400, 800]],
    [
      "takes another base for throttling",
      { throttledBase: "5 seconds" },
      throttled,
      [5000, 10_000]
    ],
    ["takes another bound", { max: "75 millis" }, fault, [50, 75, 75]],
    [
      "a hint raises what is beyond the bound too",
      { max: "75 millis" },
      asking("1 hour"),
      [5050, 5075, 5075]
    ]
  ])("%s", ([, options, error, expected]) =>
    Effect.gen(function* () {
      const schedule = Schedule.intersect(
        MeteringRetry.backoff(options),
        Schedule.recurs(expected.length)
      )
      assert.deepStrictEqual(yield* waits(schedule, [error]), expected)
    })
  )

  it.effect("does not end by itself, whatever the error, and takes any part of each delay", () =>
    Effect.gen(function* () {
      const all = yield* Schedule.run(MeteringRetry.backoff(), 0, Array(1500).fill(final)).pipe(
        Effect.withRandom(Random.make("seed"))
      )
      assert.lengthOf([...all], 1500)
      const parts = [...all].map(
        (wait, n) => Duration.toMillis(wait) / Math.min(50 * 2 ** n, 20_000)
      )
      assert.isTrue(parts.every((part) => part >= 0 && part <= 1))
      assert.isBelow(Math.min(...parts), 0.01)
      assert.isAbove(Math.max(...parts), 0.99)
    })
  )

  it.effect("outputs the wait", () =>
    Effect.gen(function* () {
      const driver = yield* Schedule.driver(MeteringRetry.backoff())
      const outputs = yield* Effect.replicateEffect(driver.next(fault), 3).pipe(
        Effect.withRandom(Random.fixed([1])),
        Effect.zipLeft(TestClock.adjust("1 minute"), { concurrent: true })
      )
      assert.deepStrictEqual(outputs.map(Duration.toMillis), [50, 100, 200])
    })
  )

  it.effect("combines with `whileRetryable` and a number of retries", () =>
    Effect.gen(function* () {
      const schedule = times(5).pipe(Schedule.intersect(MeteringRetry.whileRetryable))
      assert.lengthOf(yield* waits(schedule, [fault]), 5)
      assert.lengthOf(yield* waits(schedule, [fault, fault, final]), 2)
    })
  )
})

describe("patient", () => {
  it.effect("retries for half an hour, with up to a minute between attempts", () =>
    Effect.gen(function* () {
      const all = yield* waits(MeteringRetry.patient, [fault])
      assert.deepStrictEqual(all.slice(0, 4), [200, 400, 800, 1600])
      assert.strictEqual(Math.max(...all), 60_000)
      const total = all.reduce((sum, wait) => sum + wait, 0)
      assert.isTrue(total >= 30 * 60_000 && total <= 31 * 60_000, `${total} ms`)
    })
  )

  it.effect("retries for the same time when throttled", () =>
    Effect.gen(function* () {
      const all = yield* waits(MeteringRetry.patient, [throttled])
      assert.deepStrictEqual(all.slice(0, 7), [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000])
    })
  )

  it.effect("does not retry an error that is not retryable", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* waits(MeteringRetry.patient, [final]), [])
    })
  )
})

describe("over HTTP", () => {
  const retrying = <A, E>(
    call: Effect.Effect<A, E, MeteringClient.MeteringClient>,
    ...replies: ReadonlyArray<Stub>
  ) =>
    Effect.gen(function* () {
      const http = stubHttp(...replies)
      const fiber = yield* call.pipe(
        Effect.either,
        Effect.provide(clientLayer(http.layer)),
        Effect.withRandom(Random.fixed([1])),
        Effect.fork
      )
      yield* TestClock.adjust("1 hour")
      return { outcome: yield* Fiber.join(fiber), sent: http.sent }
    })

  const busy = exceptionResponse("ThrottlingException")
  const down: Stub = { status: 503, body: "<html>" }
  const { call } = operations.BatchMeterUsage

  it.effect.each<readonly [string, ReadonlyArray<Stub>, number, string]>([
    ["throttled twice", [busy, busy, {}], 3, "Right"],
    ["a proxy that is down, once", [down, {}], 2, "Right"],
    ["a refused connection, once", [failingConnection("ECONNREFUSED"), {}], 2, "Right"],
    ["throttled for ever", [busy], 3, "Left"],
    ["a request that is wrong", [exceptionResponse("InvalidProductCodeException"), {}], 1, "Left"],
    ["a permission that lacks", [exceptionResponse("AccessDeniedException"), {}], 1, "Left"]
  ])("%s", ([, replies, attempts, outcome]) =>
    Effect.gen(function* () {
      const answered = yield* retrying(
        call().pipe(Effect.retry(MeteringRetry.standard)),
        ...replies
      )
      assert.lengthOf(answered.sent, attempts)
      assert.strictEqual(answered.outcome._tag, outcome)
    })
  )

  it.effect("waits for `Retry-After`", () =>
    Effect.gen(function* () {
      const start = yield* Clock.currentTimeMillis
      const hint = exceptionResponse("ThrottlingException", { headers: { "retry-after": "4" } })
      let end = 0
      yield* retrying(
        call().pipe(
          Effect.retry(MeteringRetry.standard),
          Effect.zipRight(Clock.currentTimeMillis),
          Effect.tap((now) => Effect.sync(() => (end = now)))
        ),
        hint,
        {}
      )
      assert.strictEqual(end - start, 4000)
    })
  )

  it.effect("the client alone does not retry", () =>
    Effect.gen(function* () {
      assert.lengthOf((yield* retrying(call(), busy, {})).sent, 1)
    })
  )

  /** The same charge, retried: however it is written, it keeps its client token. */
  const retried: Record<
    string,
    Effect.Effect<unknown, MeteringError.MeteringError, MeteringClient.MeteringClient>
  > = {
    "the fields of a request": MeteringClient.meterUsage(meterUsage).pipe(
      Effect.retry(MeteringRetry.standard)
    ),
    "an instance": MeteringClient.meterUsage(MeterUsage.make(meterUsage)).pipe(
      Effect.retry(MeteringRetry.standard)
    ),
    "an instance in a function that is called for each attempt": Effect.suspend(() => {
      const request = MeterUsage.make(meterUsage)
      return Effect.suspend(() => MeteringClient.meterUsage(request)).pipe(
        Effect.retry(MeteringRetry.standard)
      )
    }),
    "a method": Effect.flatMap(MeteringClient.MeteringClient, (client) =>
      client.meterUsage(meterUsage).pipe(Effect.retry(MeteringRetry.standard))
    ),
    "a method with an instance": Effect.flatMap(MeteringClient.MeteringClient, (client) =>
      client.meterUsage(MeterUsage.make(meterUsage)).pipe(Effect.retry(MeteringRetry.standard))
    ),
    "a retry inside of a generator": Effect.gen(function* () {
      return yield* MeteringClient.meterUsage(meterUsage).pipe(Effect.retry(MeteringRetry.standard))
    }),
    "a retry around a generator that was given a call": Effect.suspend(() => {
      const call = MeteringClient.meterUsage(meterUsage)
      return Effect.gen(function* () {
        return yield* call
      }).pipe(Effect.retry(MeteringRetry.standard))
    }),
    "options of a retry": MeteringClient.meterUsage(meterUsage).pipe(
      Effect.retry({
        schedule: MeteringRetry.backoff(),
        while: (error) => error.isRetryable,
        times: 2
      })
    )
  }

  it.effect.each(Object.entries(retried))("a charge keeps its client token: %s", ([, call]) =>
    Effect.gen(function* () {
      const { outcome, sent } = yield* retrying(
        call,
        busy,
        exceptionResponse("InternalServiceErrorException"),
        {}
      )
      assert.strictEqual(outcome._tag, "Right")
      assert.lengthOf(sent, 3)
      const tokens = new Set(sent.map(({ json }) => json.ClientToken))
      assert.strictEqual(tokens.size, 1)
      assert.match(String([...tokens][0]), /^[0-9a-f-]{36}$/)
    })
  )

  it.effect("a call that is made inside of the retried effect is a new charge", () =>
    Effect.gen(function* () {
      const { sent } = yield* retrying(
        Effect.gen(function* () {
          return yield* MeteringClient.meterUsage(meterUsage)
        }).pipe(Effect.retry(MeteringRetry.standard)),
        busy,
        {}
      )
      assert.lengthOf(new Set(sent.map(({ json }) => json.ClientToken)), 2)
    })
  )
})

describe("trackDelivery", () => {
  const endpoint = "https://metering.example"
  const lost = new MeteringError.ConnectionError({
    operation,
    endpoint,
    reason: "ECONNRESET",
    delivery: "unknown"
  })
  const unreached = new MeteringError.ConnectionError({
    operation,
    endpoint,
    reason: "ECONNREFUSED",
    delivery: "notSent"
  })

  it.effect.each<
    readonly [ReadonlyArray<MeteringError.MeteringError>, ReadonlyArray<MeteringError.Delivery>]
  >([
    [
      [unreached, throttled, unreached],
      ["notSent", "rejected", "rejected"]
    ],
    [
      [lost, unreached, final],
      ["unknown", "unknown", "unknown"]
    ],
    [
      [throttled, fault, throttled],
      ["rejected", "unknown", "unknown"]
    ]
  ])("keeps what is least certain of all attempts: %j", ([errors, expected]) =>
    Effect.gen(function* () {
      const left = [...errors]
      const { call, delivery } = yield* MeteringRetry.trackDelivery(
        Effect.suspend(() => Effect.fail(left.shift() ?? final))
      )
      assert.strictEqual(yield* delivery, "notSent")
      for (const [i, error] of errors.entries()) {
        assert.strictEqual(yield* Effect.flip(call), error)
        assert.strictEqual(yield* delivery, expected[i])
      }
    })
  )

  it.effect("is unknown for an attempt that is in flight, was interrupted or died", () =>
    Effect.gen(function* () {
      const { call, delivery } = yield* MeteringRetry.trackDelivery(Effect.never)
      const fiber = yield* Effect.fork(call)
      yield* Effect.yieldNow()
      assert.strictEqual(yield* delivery, "unknown")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* delivery, "unknown")
      const dying = yield* MeteringRetry.trackDelivery(Effect.dieMessage("a defect"))
      yield* Effect.exit(dying.call)
      assert.strictEqual(yield* dying.delivery, "unknown")
    })
  )

  it.effect("reports overlapping attempts", () =>
    Effect.gen(function* () {
      const outcomes = [Effect.never, Effect.fail(unreached)]
      const { call, delivery } = yield* MeteringRetry.trackDelivery(
        Effect.suspend(() => outcomes.shift() ?? Effect.never)
      )
      const first = yield* Effect.fork(call)
      yield* Effect.yieldNow()
      yield* Effect.flip(call)
      assert.strictEqual(yield* delivery, "unknown")
      yield* Fiber.interrupt(first)
    })
  )
})
