import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Chunk,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Queue,
  Ref,
  Schedule,
  Stream,
  TestClock
} from "effect"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type * as UsageOutcome from "effect-marketplace-metering/UsageOutcome"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import {
  accept,
  at,
  type Call,
  licenseArnOf,
  makeException,
  makeResponse,
  now,
  product,
  record,
  records,
  reject,
  result,
  stubClient,
  submitAll,
  summaries,
  summarize
} from "./internal/submission/support.js"
import * as virtualClock from "./internal/submission/virtualClock.js"

const operation = "BatchMeterUsage"
const dimensions = (calls: ReadonlyArray<Call>) =>
  calls.map(({ records }) => records.map(({ dimension }) => dimension).join(" "))

const respondingWith = (status: string, id?: string) => (call: Call) =>
  Effect.succeed(makeResponse(call.records.map((record) => result(record, status, id ?? ""))))

type Outcomes = Stream.Stream<UsageOutcome.Outcome, never, MeteringClient>

const setNow = TestClock.setTime(at(now).epochMillis)

const submit = (
  source: Stream.Stream<UsageSubmission.Input, string> | Iterable<UsageSubmission.Input>,
  stub: ReturnType<typeof stubClient>,
  options: UsageSubmission.Options = {}
) =>
  UsageSubmission.submit(source, { productCode: product, ...options }).pipe(
    Stream.provideLayer(stub.layer)
  )

describe("submit", () => {
  it.effect("emits Accepted with the ID of the metering record", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const outcomes = yield* submitAll(records(60), stub)
      assert.deepStrictEqual(
        summaries(outcomes),
        records(60).map(({ dimension }) => `Accepted id-${dimension}`)
      )
      assert.deepStrictEqual(
        outcomes.map(({ index }) => index),
        Array.from({ length: 60 }, (_, i) => i)
      )
    })
  )

  it.effect("makes no call without records", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      assert.deepStrictEqual(yield* submitAll([], stub), [])
      assert.strictEqual(stub.calls.length, 0)
    })
  )

  it.effect.each<readonly [string, string]>([
    ["DuplicateRecord", "Duplicate"],
    ["CustomerNotSubscribed", "CustomerNotSubscribed"],
    ["Pending", "UnknownStatus Pending"],
    ["success", "UnknownStatus success"]
  ])("maps the status %s to %s without a retry", ([status, expected]) =>
    Effect.gen(function* () {
      const stub = stubClient(respondingWith(status))
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), stub)), [expected, expected])
      assert.strictEqual(stub.calls.length, 1)
    })
  )

  it.effect("accepts a success without an ID", () =>
    Effect.gen(function* () {
      const stub = stubClient(({ records }) =>
        Effect.succeed(makeResponse(records.map((record) => result(record, "Success", ""))))
      )
      const [outcome] = yield* submitAll(records(1), stub)
      assert.strictEqual(outcome?._tag, "Accepted")
    })
  )

  it.effect("emits the record as it was sent, with its product code", () =>
    Effect.gen(function* () {
      const submitted = record(0)
      const [outcome] = yield* submitAll([submitted], stubClient(accept))
      assert.strictEqual(outcome?.record, submitted)
      assert.strictEqual(outcome?.productCode, product)
    })
  )

  it.effect("emits Invalid with every invalid field, without sending the record", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const outcomes = yield* submitAll(
        [
          record(0),
          { ...record(1), quantity: -1, dimension: "" },
          // not allowed by the types
          null as never,
          { ...record(2), timestamp: new Date(0) as never },
          record(3)
        ],
        stub
      )
      assert.deepStrictEqual(summaries(outcomes), [
        "Accepted id-d0",
        "Invalid dimension dimension,quantity quantity",
        "Invalid value type",
        "Invalid timestamp type",
        "Accepted id-d3"
      ])
      assert.deepStrictEqual(dimensions(stub.calls), ["d0 d3"])
    })
  )

  it.effect("emits Invalid for a record without product code and license", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll([record(0)], stubClient(accept), { productCode: undefined })
      assert.deepStrictEqual(summaries(outcomes), ["Invalid licenseArn productCodeOrLicense"])
    })
  )

  it.effect("emits Invalid for an invalid product code", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll([record(0)], stubClient(accept), { productCode: "no code" })
      assert.deepStrictEqual(summaries(outcomes), ["Invalid productCode productCode"])
    })
  )

  it.effect("emits Invalid for a timestamp outside the range of Date, and submits the others", () =>
    Effect.gen(function* () {
      const beyond = (epochMillis: number) => ({
        ...record(0),
        timestamp: Object.assign(at(now), { epochMillis })
      })
      const stub = stubClient(accept)
      const outcomes = yield* submitAll(
        [
          record(0),
          beyond(8.64e15 + 1),
          beyond(-8.64e15 - 1),
          beyond(1e300),
          beyond(Number.NaN),
          beyond(Number.POSITIVE_INFINITY),
          record(1)
        ],
        stub
      )
      assert.deepStrictEqual(summaries(outcomes), [
        "Accepted id-d0",
        ...Array.from({ length: 5 }, () => "Invalid timestamp type"),
        "Accepted id-d1"
      ])
      assert.deepStrictEqual(dimensions(stub.calls), ["d0 d1"])
    })
  )

  it.effect("submits a timestamp in the last month of Date", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll(
        [record(0, { timestamp: at("+275760-09-13T00:00:00Z") })],
        stubClient(accept)
      )
      assert.deepStrictEqual(summaries(outcomes), ["Accepted id-d0"])
    })
  )

  it.effect("emits Invalid for a value with throwing getters, and submits the others", () =>
    Effect.gen(function* () {
      const { proxy, revoke } = Proxy.revocable(record(0), {})
      revoke()
      const throwing = Object.defineProperty({ ...record(1) }, "dimension", {
        enumerable: true,
        get: () => {
          throw new Error("unreadable")
        }
      })
      const outcomes = yield* submitAll([record(0), proxy, throwing, record(2)], stubClient(accept))
      assert.deepStrictEqual(summaries(outcomes), [
        "Accepted id-d0",
        "Invalid value type",
        "Invalid value type",
        "Accepted id-d2"
      ])
    })
  )

  it.effect("does not check rules in skipRules", () =>
    Effect.gen(function* () {
      const longDimension = { ...record(0), dimension: "d".repeat(300) }
      const outcomes = yield* submitAll([longDimension], stubClient(accept), {
        skipRules: ["dimension"]
      })
      assert.strictEqual(outcomes[0]?._tag, "Accepted")
    })
  )
})

describe("the deadline", () => {
  const expired = "2026-11-24T10:30:00.000Z"

  it.effect.each<readonly [string, string, string, string]>([
    ["below 24 hours is sent", now, "2026-11-23T10:30:00.001Z", "Accepted id-d0"],
    ["at 24 hours is expired", now, "2026-11-23T10:30:00.000Z", `Expired ${expired}`],
    ["in the future is sent", now, "2026-11-24T12:00:00Z", "Accepted id-d0"],
    [
      "of last month is sent before 06:00 on the first",
      "2026-12-01T05:59:59.999Z",
      "2026-11-30T23:59:59.999Z",
      "Accepted id-d0"
    ],
    [
      "of last month is expired at 06:00 on the first",
      "2026-12-01T06:00:00Z",
      "2026-11-30T23:59:59.999Z",
      "Expired 2026-12-01T06:00:00.000Z"
    ],
    [
      "of this month is sent at 06:00 on the first",
      "2026-12-01T06:00:00Z",
      "2026-12-01T00:00:00Z",
      "Accepted id-d0"
    ],
    [
      "of last year is expired at 06:00 on January 1",
      "2027-01-01T06:00:00Z",
      "2026-12-31T23:00:00Z",
      "Expired 2027-01-01T06:00:00.000Z"
    ]
  ])("usage %s", ([, time, timestamp, expected]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at(time).epochMillis)
      const stub = stubClient(accept)
      const outcomes = yield* Stream.runCollect(
        submit([record(0, { timestamp: at(timestamp) })], stub)
      )
      assert.deepStrictEqual(summaries(Chunk.toReadonlyArray(outcomes)), [expected])
      assert.strictEqual(stub.calls.length, expected.startsWith("Expired") ? 0 : 1)
    })
  )

  it.effect("is earlier by deadlineMargin, and is reported without it", () =>
    Effect.gen(function* () {
      const timestamp = at("2026-11-23T10:40:00Z")
      const outcomes = yield* submitAll([record(0, { timestamp })], stubClient(accept), {
        deadlineMargin: "10 minutes"
      })
      assert.deepStrictEqual(summaries(outcomes), ["Expired 2026-11-24T10:40:00.000Z"])
    })
  )

  it.effect("orders records by deadline", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const hoursAgo = (i: number) => at(`2026-11-24T0${i % 10}:00:00Z`)
      yield* submitAll(
        Array.from({ length: 30 }, (_, i) => record(i, { timestamp: hoursAgo(i) })),
        stub
      )
      assert.deepStrictEqual(dimensions(stub.calls), [
        "d0 d10 d20 d1 d11 d21 d2 d12 d22 d3 d13 d23 d4 d14 d24 d5 d15 d25 d6 d16 d26 d7 d17 d27 d8",
        "d18 d28 d9 d19 d29"
      ])
    })
  )

  it.effect("ends retries at once if the next one would be too late", () =>
    Effect.gen(function* () {
      yield* setNow
      const error = makeException(MeteringError.ThrottlingException)
      const stub = stubClient(() => reject(error))
      const soon = record(0, { timestamp: at("2026-11-23T10:30:00.200Z") })
      const outcomes = yield* Stream.runHead(submit([soon], stub)).pipe(
        Effect.withRandomFixed([0.9])
      )
      // the next attempt would be 900 ms later, 700 ms after the deadline
      assert.strictEqual(
        outcomes._tag === "Some" && summarize(outcomes.value),
        `NotSent Throttled ${error._tag}`
      )
      assert.strictEqual(stub.calls.length, 1)
    })
  )

  it.effect("is checked before each call", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const soon = at("2026-11-23T10:30:02.000Z")
      const outcomes = yield* submitAll(records(75, { timestamp: soon }), stub, { rate: 1 })
      assert.deepStrictEqual(
        [0, 25, 50].map((i) => outcomes[i]?._tag),
        ["Accepted", "Accepted", "Expired"]
      )
      assert.strictEqual(stub.calls.length, 2)
    })
  )
})

describe("records with the same key", () => {
  const sameKey = [
    record(0, { quantity: 1 }),
    record(1),
    record(0, { quantity: 2, timestamp: at("2026-11-24T10:00:00Z") }),
    record(0, { quantity: 1, timestamp: at("2026-11-24T09:59:59Z") }),
    record(0, { quantity: 3, customerIdentifier: "cust" })
  ]

  it.effect("never share a call, keep the order of the input, and report earlierIndex", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const outcomes = yield* submitAll(sameKey, stub)
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.map((record) => sameKey.indexOf(record))),
        [[3, 0, 1, 4], [2]]
      )
      assert.deepStrictEqual(
        outcomes.map(({ earlierIndex }) => earlierIndex),
        [undefined, undefined, 0, undefined, undefined]
      )
    })
  )

  it.effect("are those of one license, in each form of its ARN", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const forms = [licenseArnOf(1), licenseArnOf(1).replace("::", ":us-east-1:")]
      const outcomes = yield* submitAll(
        forms.map((licenseArn) => record(0, { licenseArn })),
        stub
      )
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.map(({ licenseArn }) => licenseArn)),
        forms.map((licenseArn) => [licenseArn])
      )
      assert.deepStrictEqual(
        outcomes.map(({ earlierIndex }) => earlierIndex),
        [undefined, 0]
      )
    })
  )

  it.effect("wait for the outcome of the earlier record and its retries", () =>
    Effect.gen(function* () {
      const error = makeException(MeteringError.InternalServiceErrorException)
      const stub = stubClient(() => reject(error), accept)
      const pair = [record(0, { quantity: 1 }), record(0, { quantity: 2 })]
      const outcomes = yield* submitAll(pair, stub)
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.map(({ quantity }) => quantity)),
        [[1], [1], [2]]
      )
      assert.deepStrictEqual(summaries(outcomes), ["Accepted id-d0", "Accepted id-d0"])
    })
  )

  it.effect("do not wait for an invalid record", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll(
        [{ ...record(0), quantity: -1 }, record(0)],
        stubClient(accept)
      )
      assert.strictEqual(outcomes[1]?.earlierIndex, undefined)
      assert.strictEqual(outcomes[1]?._tag, "Accepted")
    })
  )
})

describe("batching", () => {
  it.effect("separates products and licenses", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const items = Array.from({ length: 60 }, (_, i) => ({
        record: i % 3 === 2 ? record(i, { licenseArn: licenseArnOf(i) }) : record(i),
        ...(i % 3 === 1 && { productCode: "prod-2" })
      }))
      yield* submitAll(items, stub)
      assert.deepStrictEqual(
        stub.calls.map(({ productCode, records }) => [productCode, records.length]).sort(),
        [
          [product, 20],
          ["prod-2", 20],
          [undefined, 20]
        ].sort()
      )
    })
  )

  it.effect("separates licenses by product code", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const items = Array.from({ length: 10 }, (_, i) => ({
        record: record(i, { licenseArn: licenseArnOf(i) }),
        productCode: `prod-${i % 2}`
      }))
      yield* submitAll(items, stub)
      assert.deepStrictEqual(
        stub.calls.map(({ productCode }) => productCode),
        [undefined, undefined]
      )
      assert.deepStrictEqual(dimensions(stub.calls), ["d0 d2 d4 d6 d8", "d1 d3 d5 d7 d9"])
    })
  )
})

describe("the source", () => {
  it.effect("passes its failure on after the outcomes of all records that were read", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const received: Array<string> = []
      const source = Stream.concat(Stream.fromIterable(records(30)), Stream.fail("no more"))
      const exit = yield* submit(source, stub).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => received.push(summarize(outcome)))),
        Effect.exit,
        Effect.fork,
        Effect.tap(setNow),
        Effect.zipLeft(TestClock.adjust("1 minute")),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(exit, Exit.fail("no more"))
      assert.strictEqual(received.filter((one) => one.startsWith("Accepted")).length, 30)
    })
  )

  it.effect("passes its defect on", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const source = Stream.concat(Stream.fromIterable(records(3)), Stream.die("oh"))
      const exit = yield* Effect.exit(Stream.runDrain(submit(source, stub)))
      assert.deepStrictEqual(exit, Exit.die("oh"))
    })
  )

  it.effect.each<readonly [string, number]>([
    ["loses no element if it throws while it is iterated", 30],
    ["may throw at once", 0]
  ])("%s", ([, count]) =>
    Effect.gen(function* () {
      const received: Array<string> = []
      function* source() {
        yield* records(count)
        throw "no more"
      }
      const exit = yield* submit(source(), stubClient(accept)).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => received.push(summarize(outcome)))),
        Effect.exit,
        Effect.fork,
        Effect.tap(setNow),
        Effect.zipLeft(TestClock.adjust("1 minute")),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(exit, Exit.die("no more"))
      assert.deepStrictEqual(
        received,
        records(count).map(({ dimension }) => `Accepted id-${dimension}`)
      )
    })
  )

  it.effect("is read to its end in chunks if it is an iterable", () =>
    Effect.gen(function* () {
      function* source() {
        for (let i = 0; i < 8_193; i++) yield record(i)
      }
      const outcomes = yield* submitAll(source(), stubClient(accept), { rate: Infinity })
      assert.strictEqual(outcomes.length, 8_193)
      assert.isTrue(outcomes.every(({ _tag, index }, i) => _tag === "Accepted" && index === i))
    })
  )

  it.effect("is read only up to bufferSize", () =>
    Effect.gen(function* () {
      let pulled = 0
      const source = Stream.fromIterable(records(1_000)).pipe(
        Stream.rechunk(10),
        Stream.tap(() => Effect.sync(() => (pulled += 1)))
      )
      const stub = stubClient(() => Effect.never)
      const fiber = yield* Effect.fork(
        Stream.runDrain(submit(source, stub, { bufferSize: 100, rate: Infinity }))
      )
      yield* TestClock.adjust("1 second")
      assert.isAtMost(pulled, 110)
      assert.isAtLeast(pulled, 100)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("is not read while no outcomes are taken", () =>
    Effect.gen(function* () {
      let pulled = 0
      const source = Stream.fromIterable(records(10_000)).pipe(
        Stream.rechunk(100),
        Stream.tap(() => Effect.sync(() => (pulled += 1)))
      )
      const fiber = yield* submit(source, stubClient(accept), {
        bufferSize: 100,
        rate: Infinity
      }).pipe(
        Stream.runForEach(() => Effect.never),
        Effect.fork
      )
      yield* TestClock.adjust("1 hour")
      assert.isAtMost(pulled, 3_000)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("pauses: its records are sent after the linger", () =>
    Effect.gen(function* () {
      yield* setNow
      const stub = stubClient(accept)
      const queue = yield* Queue.unbounded<UsageSubmission.Input>()
      const fiber = yield* Effect.fork(
        Stream.runDrain(submit(Stream.fromQueue(queue), stub, { linger: "2 seconds" }))
      )
      yield* Queue.offerAll(queue, records(27))
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.length),
        [25]
      )
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.length),
        [25, 2]
      )
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect.each<Duration.DurationInput>(["1 hour", Duration.infinity])(
    "pauses: records that would expire within a linger of %s are sent with half of their time left",
    (linger) =>
      Effect.gen(function* () {
        yield* setNow
        const stub = stubClient(accept)
        const queue = yield* Queue.unbounded<UsageSubmission.Input>()
        const fiber = yield* Effect.fork(
          Stream.runDrain(submit(Stream.fromQueue(queue), stub, { linger }))
        )
        const soon = { timestamp: at("2026-11-23T11:00:00Z") }
        yield* Queue.offer(queue, record(0, soon))
        yield* TestClock.adjust("5 minutes")
        yield* Queue.offerAll(queue, [record(1, soon), record(2)])
        yield* TestClock.adjust(Duration.subtract("10 minutes", "1 millis"))
        assert.deepStrictEqual(dimensions(stub.calls), [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(dimensions(stub.calls), ["d0 d1 d2"])
        yield* Fiber.interrupt(fiber)
      })
  )

  it.effect("pauses: a record about to expire is sent at once, with those that wait", () =>
    Effect.gen(function* () {
      yield* setNow
      const stub = stubClient(accept)
      const queue = yield* Queue.unbounded<UsageSubmission.Input>()
      const fiber = yield* Effect.fork(
        Stream.runDrain(submit(Stream.fromQueue(queue), stub, { linger: Duration.infinity }))
      )
      yield* Queue.offer(queue, record(0))
      yield* TestClock.adjust("1 hour")
      yield* Queue.offer(queue, record(1, { timestamp: at("2026-11-23T11:31:00Z") }))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(dimensions(stub.calls), ["d1 d0"])
      yield* Fiber.interrupt(fiber)
    })
  )
})

describe("the rate", () => {
  const timesOf = (calls: ReadonlyArray<Call>) => calls.map((call) => call.at - at(now).epochMillis)

  it.effect("applies to all products together", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const items = records(100).map((record, i) => ({ record, productCode: `p${i % 4}` }))
      yield* submitAll(items, stub)
      assert.deepStrictEqual(timesOf(stub.calls), [0, 100, 200, 300])
    })
  )

  it.effect("keeps to concurrency", () =>
    Effect.gen(function* () {
      let most = 0
      let running = 0
      const slow = (call: Call) =>
        Effect.sync(() => (most = Math.max(most, (running += 1)))).pipe(
          Effect.zipRight(Effect.sleep("10 seconds")),
          Effect.zipRight(Effect.sync(() => (running -= 1))),
          Effect.zipRight(accept(call))
        )
      yield* submitAll(records(250), stubClient(slow), { concurrency: 3 })
      assert.strictEqual(most, 3)
    })
  )

  it.effect("works with intervals of a fraction of a millisecond", () =>
    Effect.gen(function* () {
      // a third of a second, rounded to nanoseconds, is a little less than a third
      const stub = stubClient(accept)
      const { counts } = yield* UsageSubmission.submitAll(
        records(75, { timestamp: at("1970-01-01T00:00:00Z") }),
        {
          productCode: product,
          rate: 3
        }
      ).pipe(Effect.provide(stub.layer), Effect.withClock(virtualClock.make(0)))
      assert.strictEqual(counts.Accepted, 75)
      assert.strictEqual(stub.calls.length, 3)
    })
  )

  it.effect("is halved by throttling, and recovers", () =>
    Effect.gen(function* () {
      const throttled = makeException(MeteringError.ThrottlingException)
      const stub = stubClient((call, n) => (n === 2 ? reject(throttled) : accept(call)))
      const outcomes = yield* submitAll(records(25 * 40), stub)
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Accepted").length, 25 * 40)
      const times = timesOf(stub.calls)
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
      assert.deepStrictEqual(gaps.slice(0, 2), [100, 100])
      assert.isAtLeast(gaps[2] ?? 0, 190)
      assert.isBelow(gaps.at(-1) ?? 0, gaps[2] ?? 0)
    })
  )

  it.effect("is 0 until retryAfter ends", () =>
    Effect.gen(function* () {
      const throttled = new MeteringError.ThrottlingException({
        operation,
        retryAfter: Duration.seconds(4)
      })
      const stub = stubClient(() => reject(throttled), accept)
      yield* submitAll(records(75), stub)
      assert.isAtLeast((timesOf(stub.calls)[1] ?? 0) - (timesOf(stub.calls)[0] ?? 0), 4_000)
    })
  )
})

describe("a clock change", () => {
  const throttled = new MeteringError.ThrottlingException({
    operation,
    retryAfter: Duration.seconds(4)
  })
  const hour = 3_600_000

  it.effect.each<readonly [string, number, boolean]>([
    ["back by an hour", -hour, false],
    ["back by an hour, with its nanoseconds", -hour, true],
    ["forward by an hour", hour, false],
    ["forward by an hour, with its nanoseconds", hour, true]
  ])("%s delays no call beyond rate and retryAfter", ([, by, setsNanos]) =>
    Effect.gen(function* () {
      for (const second of [accept, () => reject(throttled)]) {
        const { clock, elapsed, set } = virtualClock.settable(at(now).epochMillis, { setsNanos })
        const times: Array<number> = []
        const timed = (respond: typeof accept) => (call: Call) =>
          Effect.suspend(() => {
            times.push(elapsed())
            return respond(call)
          })
        const setting = (call: Call) =>
          Effect.suspend(() => {
            set(by)
            return accept(call)
          })
        const stub = stubClient(timed(setting), timed(second), timed(setting), timed(accept))
        const { counts } = yield* UsageSubmission.submitAll(records(250), {
          productCode: product
        }).pipe(Effect.provide(stub.layer), Effect.withClock(clock))
        assert.strictEqual(counts.Accepted, 250)
        const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
        const most = second === accept ? 200 : 10_000
        assert.isAtMost(Math.max(...gaps), most, String(gaps))
        assert.isAtMost(elapsed(), second === accept ? 1_200 : 15_000)
      }
    })
  )

  it.effect.each<readonly [string, number]>([
    ["back", -hour],
    ["forward", hour]
  ])("%s does not delay lingering and retried records", ([, by]) =>
    Effect.gen(function* () {
      const { clock, elapsed, set } = virtualClock.settable(at(now).epochMillis)
      const error = makeException(MeteringError.InternalServiceErrorException)
      const stub = stubClient(
        () =>
          Effect.suspend(() => {
            set(by)
            return reject(error)
          }),
        accept
      )
      const source = Stream.concat(
        Stream.fromIterable(records(10)),
        Stream.drain(Stream.fromEffect(Effect.sleep("20 seconds")))
      )
      const { counts } = yield* UsageSubmission.submitAll(source, {
        productCode: product,
        schedule: Schedule.intersect(Schedule.spaced("5 seconds"), Schedule.recurs(3))
      }).pipe(Effect.provide(stub.layer), Effect.withClock(clock))
      assert.strictEqual(counts.Accepted, 10)
      assert.isAtMost(elapsed(), 20_000)
    })
  )

  it.effect("forward is noticed within a minute while a deadline is awaited", () =>
    Effect.gen(function* () {
      const { clock, set } = virtualClock.settable(at(now).epochMillis)
      const stub = stubClient(accept)
      // two hours are left, and the record lingers for half of them
      const soon = record(0, { timestamp: at("2026-11-23T12:30:00Z") })
      const source = Stream.concat(
        Stream.make(soon),
        Stream.drain(Stream.fromEffect(Effect.sleep("10 hours")))
      )
      const outcomes = yield* UsageSubmission.submitAll(source, {
        productCode: product,
        linger: Duration.infinity
      }).pipe(
        Effect.zipLeft(
          Effect.delay(
            Effect.sync(() => set(100 * 60_000)),
            "10 minutes"
          ),
          { concurrent: true }
        ),
        Effect.provide(stub.layer),
        Effect.withClock(clock)
      )
      assert.deepStrictEqual(summaries(outcomes.outcomes), ["Accepted id-d0"])
    })
  )
})

describe("the progress", () => {
  it.effect("counts records that are read, resolved, buffered, in flight and remaining", () =>
    Effect.gen(function* () {
      yield* setNow
      const progress = yield* Ref.make(UsageSubmission.initialProgress)
      const stub = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const fiber = yield* Effect.fork(
        Stream.runDrain(
          submit([...records(60), { ...record(0), quantity: -1 }], stub, { progress })
        )
      )
      yield* TestClock.adjust("10 seconds")
      const state = yield* Ref.get(progress)
      assert.deepStrictEqual(
        { ...state, counts: { Accepted: state.counts.Accepted, Invalid: state.counts.Invalid } },
        {
          read: 61,
          resolved: 26,
          counts: { Accepted: 25, Invalid: 1 },
          buffered: 35,
          inFlight: 0,
          calls: 1,
          rate: 10,
          recordsPerSecond: 0,
          remaining: 35
        }
      )
      yield* Fiber.interrupt(fiber)
    })
  )
})

describe("stop", () => {
  const stopping = (
    source: Stream.Stream<UsageSubmission.Input, string> | Iterable<UsageSubmission.Input>,
    responseTime: "20 seconds" | "40 seconds"
  ) =>
    Effect.gen(function* () {
      yield* setNow
      const stop = yield* Deferred.make<void>()
      const stub = stubClient((call) => Effect.delay(accept(call), responseTime))
      const fiber = yield* submit(source, stub, {
        stop: Deferred.await(stop),
        concurrency: 2,
        bufferSize: 100
      }).pipe(Stream.runCollect, Effect.fork)
      yield* TestClock.adjust("1 second")
      yield* Deferred.succeed(stop, undefined)
      yield* TestClock.adjust("30 seconds")
      const outcomes = Chunk.toReadonlyArray(yield* Fiber.join(fiber))
      assert.strictEqual(new Set(outcomes.map(({ index }) => index)).size, outcomes.length)
      assert.strictEqual(stub.calls.length, 2)
      const counts = new Map<string, number>()
      for (const one of outcomes) {
        const name = one._tag === "Accepted" ? one._tag : summarize(one)
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      return Object.fromEntries(counts)
    })

  it.effect("makes no more calls, and waits for those in flight", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* stopping(records(1_000), "20 seconds"), {
        "NotSent Stopped": 950,
        Accepted: 50
      })
    })
  )

  it.effect("makes records in flight Unknown after the grace period", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* stopping(records(1_000), "40 seconds"), {
        "NotSent Stopped": 950,
        "Unknown Interrupted": 50
      })
    })
  )

  it.effect.each<readonly ["20 seconds" | "40 seconds", string]>([
    ["20 seconds", "Accepted"],
    ["40 seconds", "Unknown Interrupted"]
  ])(
    "waits for an uninterruptible source no longer than the grace period: calls of %s",
    ([responseTime, expected]) =>
      Effect.gen(function* () {
        const uninterruptible = Stream.fromEffect(Effect.uninterruptible(Effect.never))
        const source = Stream.concat(Stream.fromIterable(records(60)), uninterruptible)
        assert.deepStrictEqual(yield* stopping(source, responseTime), {
          [expected]: 50,
          "NotSent Stopped": 10
        })
      })
  )

  it.effect("passes a defect on, and stops the submission", () =>
    Effect.gen(function* () {
      yield* setNow
      const received: Array<string> = []
      const stop = Effect.zipRight(Effect.sleep("1 second"), Effect.die("oh"))
      const stub = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const fiber = yield* submit(records(100), stub, { stop, concurrency: 2 }).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => received.push(summarize(outcome)))),
        Effect.fork
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.die("oh"))
      assert.deepStrictEqual([0, 25, 75].map((i) => received[i]).concat(String(received.length)), [
        "Accepted id-d0",
        "NotSent Stopped",
        "Unknown Interrupted",
        "100"
      ])
    })
  )

  it.effect("ends the reading of a stream", () =>
    Effect.gen(function* () {
      const source = Stream.rechunk(Stream.fromIterable(records(1_000)), 10)
      const counts = yield* stopping(Stream.concat(source, Stream.never), "20 seconds")
      assert.strictEqual(counts.Accepted, 50)
      assert.isAtMost(counts["NotSent Stopped"] ?? 0, 60)
    })
  )
})

describe("onInterrupt", () => {
  it.effect("receives records in flight as Unknown and the rest as NotSent, each once", () =>
    Effect.gen(function* () {
      yield* setNow
      const stub = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const received: Array<UsageOutcome.Outcome> = []
      const interrupted: Array<UsageOutcome.Outcome> = []
      const fiber = yield* submit(records(100), stub, {
        concurrency: 2,
        onInterrupt: (outcomes) => Effect.sync(() => interrupted.push(...outcomes))
      }).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => received.push(outcome))),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        received.map(({ index }) => index),
        Array.from({ length: 25 }, (_, i) => i)
      )
      assert.deepStrictEqual(
        interrupted.map((outcome) => `${outcome.index} ${summarize(outcome)}`),
        Array.from({ length: 75 }, (_, i) =>
          i < 50 ? `${i + 25} Unknown Interrupted` : `${i + 25} NotSent Stopped`
        )
      )
    })
  )

  it.effect("receives an outcome again that was being processed", () =>
    Effect.gen(function* () {
      yield* setNow
      const interrupted: Array<number> = []
      const fiber = yield* submit(records(25), stubClient(accept), {
        onInterrupt: (outcomes) =>
          Effect.sync(() => interrupted.push(...outcomes.map(({ index }) => index)))
      }).pipe(
        Stream.runForEach(({ index }) => (index < 10 ? Effect.void : Effect.never)),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        interrupted,
        Array.from({ length: 15 }, (_, i) => i + 10)
      )
    })
  )

  it.effect("does not wait for an uninterruptible source", () =>
    Effect.gen(function* () {
      yield* setNow
      const interrupted: Array<string> = []
      const uninterruptible = Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const stub = stubClient(() => Effect.never)
      const handlerCalled = yield* Deferred.make<void>()
      const fiber = yield* submit(
        Stream.concat(Stream.fromIterable(records(30)), uninterruptible),
        stub,
        {
          onInterrupt: (outcomes) =>
            Effect.zipRight(
              Effect.sync(() => interrupted.push(...summaries(outcomes))),
              Deferred.succeed(handlerCalled, undefined)
            )
        }
      ).pipe(Stream.runDrain, Effect.forkDaemon)
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interruptFork(fiber)
      yield* Deferred.await(handlerCalled)
      assert.deepStrictEqual(interrupted, [
        ...Array.from({ length: 25 }, () => "Unknown Interrupted"),
        ...Array.from({ length: 5 }, () => "NotSent Stopped")
      ])
    })
  )

  it.effect("receives all records that have left the source", () =>
    Effect.gen(function* () {
      yield* setNow
      const interrupted: Array<number> = []
      const source = Stream.fromIterable(records(100))
      const fiber = yield* submit(
        source,
        stubClient(() => Effect.never),
        {
          bufferSize: 50,
          onInterrupt: (outcomes) =>
            Effect.sync(() => interrupted.push(...outcomes.map(({ index }) => index)))
        }
      ).pipe(Stream.runDrain, Effect.fork)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        interrupted.sort((left, right) => left - right),
        Array.from({ length: 100 }, (_, i) => i)
      )
    })
  )

  it.effect("receives the rest, and none again, if the consumer takes no more", () =>
    Effect.gen(function* () {
      yield* setNow
      const interrupted: Array<number> = []
      const received = yield* submit(records(25), stubClient(accept), {
        onInterrupt: (outcomes) =>
          Effect.sync(() => interrupted.push(...outcomes.map(({ index }) => index)))
      }).pipe(Stream.take(5), Stream.runCollect)
      assert.deepStrictEqual(
        [...Chunk.map(received, ({ index }) => index), ...interrupted],
        Array.from({ length: 25 }, (_, i) => i)
      )
    })
  )

  it.effect("of submitAll receives all records that were read", () =>
    Effect.gen(function* () {
      yield* setNow
      const all: Array<string> = []
      const stub = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const fiber = yield* UsageSubmission.submitAll(records(60), {
        productCode: product,
        concurrency: 1,
        onInterrupt: (outcomes) => Effect.sync(() => all.push(...summaries(outcomes)))
      }).pipe(Effect.provide(stub.layer), Effect.fork)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(all, [
        ...records(25).map(({ dimension }) => `Accepted id-${dimension}`),
        ...Array.from({ length: 25 }, () => "Unknown Interrupted"),
        ...Array.from({ length: 10 }, () => "NotSent Stopped")
      ])
    })
  )

  describe("passes its defect on", () => {
    const failingHandler: UsageSubmission.Options = { onInterrupt: () => Effect.die("oh") }
    const defectsOf = (exit: Exit.Exit<unknown, unknown>) =>
      Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.defects(exit.cause)) : []

    // a layer provided to a stream drops the defects of finalizers
    const submitWithFailingHandler = <A, E>(
      use: (outcomes: Outcomes) => Effect.Effect<A, E, MeteringClient>,
      stub: ReturnType<typeof stubClient>
    ) =>
      use(UsageSubmission.submit(records(60), { productCode: product, ...failingHandler })).pipe(
        Effect.provide(stub.layer)
      )

    it.effect.each<readonly [string, Effect.Effect<unknown, unknown>]>([
      [
        "the stream",
        submitWithFailingHandler(
          Stream.runDrain,
          stubClient(() => Effect.never)
        )
      ],
      [
        "the report",
        UsageSubmission.submitAll(records(60), { productCode: product, ...failingHandler }).pipe(
          Effect.provide(stubClient(() => Effect.never).layer)
        )
      ]
    ])("to the fiber that interrupts %s", ([, all]) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(all)
        yield* setNow
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(defectsOf(yield* Fiber.interrupt(fiber)), ["oh"])
      })
    )

    it.effect("to a consumer that takes no more", () =>
      Effect.gen(function* () {
        yield* setNow
        const some = (outcomes: Outcomes) => Stream.runDrain(Stream.take(outcomes, 5))
        const exit = yield* Effect.exit(submitWithFailingHandler(some, stubClient(accept)))
        assert.deepStrictEqual(defectsOf(exit), ["oh"])
      })
    )

    it.effect("to a consumer that fails", () =>
      Effect.gen(function* () {
        yield* setNow
        const exit = yield* Effect.exit(
          submitWithFailingHandler(
            Stream.runForEach(() => Effect.fail("down")),
            stubClient(accept)
          )
        )
        assert.deepStrictEqual(defectsOf(exit), ["oh"])
        assert.isTrue(Exit.isFailure(exit) && Cause.contains(exit.cause, Cause.fail("down")))
      })
    )
  })

  it.effect("is not called after all outcomes were taken", () =>
    Effect.gen(function* () {
      let isCalled = false
      yield* submitAll(records(30), stubClient(accept), {
        onInterrupt: () => Effect.sync(() => (isCalled = true))
      })
      assert.isFalse(isCalled)
    })
  )
})

describe("invalid options are a defect", () => {
  it.effect.each<readonly [string, UsageSubmission.Options]>([
    ["rate: expected more than 0, got 0", { rate: 0 }],
    ["rate: expected more than 0, got NaN", { rate: Number.NaN }],
    ["concurrency: expected a whole number more than 0, got 0", { concurrency: 0 }],
    ["bufferSize: expected a whole number more than 0, got 1.5", { bufferSize: 1.5 }],
    [
      "deadlineMargin: expected a finite duration, got Infinity",
      { deadlineMargin: Duration.infinity }
    ]
  ])("%s", ([message, options]) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(
        Stream.runDrain(submit(records(1), stubClient(accept), options))
      )
      assert.include(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", message)
    })
  )
})
