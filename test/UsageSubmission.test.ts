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
} from "./submission/support.js"
import * as virtualClock from "./submission/virtualClock.js"

const operation = "BatchMeterUsage"
const dimensions = (calls: ReadonlyArray<Call>) =>
  calls.map(({ records }) => records.map(({ dimension }) => dimension).join(" "))

const respondingWith = (status: string, id?: string) => (call: Call) =>
  Effect.succeed(makeResponse(call.records.map((record) => result(record, status, id ?? ""))))

const licenseArnOf = (n: number) =>
  `arn:aws:license-manager::111122223333:license:l-${String(n).padStart(32, "0")}`

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

describe("an outcome", () => {
  it.effect("for every record, accepted under the id that it is billed by", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const outcomes = yield* submitAll(records(60), answers)
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

  it.effect("none for no record, and no call", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      assert.deepStrictEqual(yield* submitAll([], answers), [])
      assert.strictEqual(answers.calls.length, 0)
    })
  )

  it.effect.each<readonly [string, string]>([
    ["DuplicateRecord", "Duplicate"],
    ["CustomerNotSubscribed", "CustomerNotSubscribed"],
    ["Pending", "UnknownStatus Pending"],
    ["success", "UnknownStatus success"]
  ])("for the status %s is %s, and it is not sent again", ([status, expected]) =>
    Effect.gen(function* () {
      const answers = stubClient(respondingWith(status))
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), answers)), [expected, expected])
      assert.strictEqual(answers.calls.length, 1)
    })
  )

  it.effect("for a success without an id is accepted", () =>
    Effect.gen(function* () {
      const answers = stubClient(({ records }) =>
        Effect.succeed(makeResponse(records.map((record) => result(record, "Success", ""))))
      )
      const [outcome] = yield* submitAll(records(1), answers)
      assert.strictEqual(outcome?._tag, "Accepted")
    })
  )

  it.effect("names the record as it was sent, and the product that it was submitted for", () =>
    Effect.gen(function* () {
      const given = record(0)
      const [outcome] = yield* submitAll([given], stubClient(accept))
      assert.strictEqual(outcome?.record, given)
      assert.strictEqual(outcome?.productCode, product)
    })
  )

  it.effect("for an invalid record names every field at fault, and it is not sent", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const outcomes = yield* submitAll(
        [
          record(0),
          { ...record(1), quantity: -1, dimension: "" },
          // what no type would let through
          null as never,
          { ...record(2), timestamp: new Date(0) as never },
          record(3)
        ],
        answers
      )
      assert.deepStrictEqual(summaries(outcomes), [
        "Accepted id-d0",
        "Invalid dimension dimension,quantity quantity",
        "Invalid value type",
        "Invalid timestamp type",
        "Accepted id-d3"
      ])
      assert.deepStrictEqual(dimensions(answers.calls), ["d0 d3"])
    })
  )

  it.effect("for a record that names no product and has no licence is invalid", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll([record(0)], stubClient(accept), { productCode: undefined })
      assert.deepStrictEqual(summaries(outcomes), ["Invalid licenseArn productCodeOrLicense"])
    })
  )

  it.effect("for a record of an impossible product is invalid", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll([record(0)], stubClient(accept), { productCode: "no code" })
      assert.deepStrictEqual(summaries(outcomes), ["Invalid productCode productCode"])
    })
  )

  it.effect("for a time that no calendar has is invalid, and all others go on", () =>
    Effect.gen(function* () {
      const beyond = (epochMillis: number) => ({
        ...record(0),
        timestamp: Object.assign(at(now), { epochMillis })
      })
      const answers = stubClient(accept)
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
        answers
      )
      assert.deepStrictEqual(summaries(outcomes), [
        "Accepted id-d0",
        ...Array.from({ length: 5 }, () => "Invalid timestamp type"),
        "Accepted id-d1"
      ])
      assert.deepStrictEqual(dimensions(answers.calls), ["d0 d1"])
    })
  )

  it.effect("for a time in the calendar's last month is the service's to judge", () =>
    Effect.gen(function* () {
      const outcomes = yield* submitAll(
        [record(0, { timestamp: at("+275760-09-13T00:00:00Z") })],
        stubClient(accept)
      )
      assert.deepStrictEqual(summaries(outcomes), ["Accepted id-d0"])
    })
  )

  it.effect("for a value that throws when it is read is invalid, and all others go on", () =>
    Effect.gen(function* () {
      const { proxy, revoke } = Proxy.revocable(record(0), {})
      revoke()
      const throwing = Object.defineProperty({ ...record(1) }, "dimension", {
        enumerable: true,
        get: () => {
          throw new Error("not now")
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

  it.effect("a rule that is switched off is not checked", () =>
    Effect.gen(function* () {
      const odd = { ...record(0), dimension: "d".repeat(300) }
      const outcomes = yield* submitAll([odd], stubClient(accept), { skipRules: ["dimension"] })
      assert.strictEqual(outcomes[0]?._tag, "Accepted")
    })
  )
})

describe("a deadline", () => {
  const expired = "2026-11-24T10:30:00.000Z"

  it.effect.each<readonly [string, string, string, string]>([
    ["just inside of 24 hours is sent", now, "2026-11-23T10:30:00.001Z", "Accepted id-d0"],
    ["at 24 hours is not", now, "2026-11-23T10:30:00.000Z", `Expired ${expired}`],
    ["of the future is the service's to judge", now, "2026-11-24T12:00:00Z", "Accepted id-d0"],
    [
      "last month's is sent until 06:00 on the first",
      "2026-12-01T05:59:59.999Z",
      "2026-11-30T23:59:59.999Z",
      "Accepted id-d0"
    ],
    [
      "last month's is not at 06:00 on the first",
      "2026-12-01T06:00:00Z",
      "2026-11-30T23:59:59.999Z",
      "Expired 2026-12-01T06:00:00.000Z"
    ],
    [
      "this month's is at 06:00 on the first",
      "2026-12-01T06:00:00Z",
      "2026-12-01T00:00:00Z",
      "Accepted id-d0"
    ],
    [
      "last year's is not",
      "2027-01-01T06:00:00Z",
      "2026-12-31T23:00:00Z",
      "Expired 2027-01-01T06:00:00.000Z"
    ]
  ])("%s", ([, time, timestamp, expected]) =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at(time).epochMillis)
      const answers = stubClient(accept)
      const outcomes = yield* Stream.runCollect(
        submit([record(0, { timestamp: at(timestamp) })], answers)
      )
      assert.deepStrictEqual(summaries(Chunk.toReadonlyArray(outcomes)), [expected])
      assert.strictEqual(answers.calls.length, expected.startsWith("Expired") ? 0 : 1)
    })
  )

  it.effect("comes earlier by the margin, and says when it really is", () =>
    Effect.gen(function* () {
      const timestamp = at("2026-11-23T10:40:00Z")
      const outcomes = yield* submitAll([record(0, { timestamp })], stubClient(accept), {
        deadlineMargin: "10 minutes"
      })
      assert.deepStrictEqual(summaries(outcomes), ["Expired 2026-11-24T10:40:00.000Z"])
    })
  )

  it.effect("that is near goes first", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const hoursAgo = (i: number) => at(`2026-11-24T0${i % 10}:00:00Z`)
      yield* submitAll(
        Array.from({ length: 30 }, (_, i) => record(i, { timestamp: hoursAgo(i) })),
        answers
      )
      assert.deepStrictEqual(dimensions(answers.calls), [
        "d0 d10 d20 d1 d11 d21 d2 d12 d22 d3 d13 d23 d4 d14 d24 d5 d15 d25 d6 d16 d26 d7 d17 d27 d8",
        "d18 d28 d9 d19 d29"
      ])
    })
  )

  it.effect("is not slept across: what could not be sent in time is given up at once", () =>
    Effect.gen(function* () {
      yield* setNow
      const error = new MeteringError.ThrottlingException({ operation })
      const answers = stubClient(() => reject(error))
      const soon = record(0, { timestamp: at("2026-11-23T10:30:00.200Z") })
      const outcomes = yield* Stream.runHead(submit([soon], answers)).pipe(
        Effect.withRandomFixed([0.9])
      )
      // the next attempt would have been 900 ms later, 700 ms too late
      assert.strictEqual(
        outcomes._tag === "Some" && summarize(outcomes.value),
        `NotSent Throttled ${error._tag}`
      )
      assert.strictEqual(answers.calls.length, 1)
    })
  )

  it.effect("that passes while calls are held back is found out before the call", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const soon = at("2026-11-23T10:30:02.000Z")
      const outcomes = yield* submitAll(records(75, { timestamp: soon }), answers, { rate: 1 })
      assert.deepStrictEqual(
        [0, 25, 50].map((i) => outcomes[i]?._tag),
        ["Accepted", "Accepted", "Expired"]
      )
      assert.strictEqual(answers.calls.length, 2)
    })
  )
})

describe("records of one product, customer, dimension and hour", () => {
  const twice = [
    record(0, { quantity: 1 }),
    record(1),
    record(0, { quantity: 2, timestamp: at("2026-11-24T10:00:00Z") }),
    record(0, { quantity: 1, timestamp: at("2026-11-24T09:59:59Z") }),
    record(0, { quantity: 3, customerIdentifier: "cust" })
  ]

  it.effect("never share a call, go in the order of the input, and are pointed out", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const outcomes = yield* submitAll(twice, answers)
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.map((record) => twice.indexOf(record))),
        [[3, 0, 1, 4], [2]]
      )
      assert.deepStrictEqual(
        outcomes.map(({ earlierIndex: sameKeyAs }) => sameKeyAs),
        [undefined, undefined, 0, undefined, undefined]
      )
    })
  )

  it.effect("wait for the outcome of the earlier one, whatever it takes", () =>
    Effect.gen(function* () {
      const fault = new MeteringError.InternalServiceErrorException({ operation })
      const answers = stubClient(() => reject(fault), accept)
      const pair = [record(0, { quantity: 1 }), record(0, { quantity: 2 })]
      const outcomes = yield* submitAll(pair, answers)
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.map(({ quantity }) => quantity)),
        [[1], [1], [2]]
      )
      assert.deepStrictEqual(summaries(outcomes), ["Accepted id-d0", "Accepted id-d0"])
    })
  )

  it.effect("are not held back by one that was invalid", () =>
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

describe("packing", () => {
  it.effect("keeps products apart, and licences from both", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const items = Array.from({ length: 60 }, (_, i) => ({
        record: i % 3 === 2 ? record(i, { licenseArn: licenseArnOf(i) }) : record(i),
        ...(i % 3 === 1 && { productCode: "prod-2" })
      }))
      yield* submitAll(items, answers)
      assert.deepStrictEqual(
        answers.calls.map(({ productCode, records }) => [productCode, records.length]).sort(),
        [
          [product, 20],
          ["prod-2", 20],
          [undefined, 20]
        ].sort()
      )
    })
  )

  it.effect("keeps licences of different products apart where products are named", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const items = Array.from({ length: 10 }, (_, i) => ({
        record: record(i, { licenseArn: licenseArnOf(i) }),
        productCode: `prod-${i % 2}`
      }))
      yield* submitAll(items, answers)
      assert.deepStrictEqual(
        answers.calls.map(({ productCode }) => productCode),
        [undefined, undefined]
      )
      assert.deepStrictEqual(dimensions(answers.calls), ["d0 d2 d4 d6 d8", "d1 d3 d5 d7 d9"])
    })
  )
})

describe("a source", () => {
  it.effect("that fails: what was read has its outcome, and then it fails", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const seen: Array<string> = []
      const source = Stream.concat(Stream.fromIterable(records(30)), Stream.fail("no more"))
      const exit = yield* submit(source, answers).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => seen.push(summarize(outcome)))),
        Effect.exit,
        Effect.fork,
        Effect.tap(setNow),
        Effect.zipLeft(TestClock.adjust("1 minute")),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(exit, Exit.fail("no more"))
      assert.strictEqual(seen.filter((one) => one.startsWith("Accepted")).length, 30)
    })
  )

  it.effect("that dies is passed on as well", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const source = Stream.concat(Stream.fromIterable(records(3)), Stream.die("oh"))
      const exit = yield* Effect.exit(Stream.runDrain(submit(source, answers)))
      assert.deepStrictEqual(exit, Exit.die("oh"))
    })
  )

  it.effect.each<readonly [string, number]>([
    ["that throws while it is iterated loses nothing that it gave", 30],
    ["that throws at once has nothing to lose", 0]
  ])("%s", ([, count]) =>
    Effect.gen(function* () {
      const seen: Array<string> = []
      function* source() {
        yield* records(count)
        throw "no more"
      }
      const exit = yield* submit(source(), stubClient(accept)).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => seen.push(summarize(outcome)))),
        Effect.exit,
        Effect.fork,
        Effect.tap(setNow),
        Effect.zipLeft(TestClock.adjust("1 minute")),
        Effect.flatMap(Fiber.join)
      )
      assert.deepStrictEqual(exit, Exit.die("no more"))
      assert.deepStrictEqual(
        seen,
        records(count).map(({ dimension }) => `Accepted id-${dimension}`)
      )
    })
  )

  it.effect("that is iterated is read to its end, chunk by chunk", () =>
    Effect.gen(function* () {
      function* source() {
        for (let i = 0; i < 8_193; i++) yield record(i)
      }
      const outcomes = yield* submitAll(source(), stubClient(accept), { rate: Infinity })
      assert.strictEqual(outcomes.length, 8_193)
      assert.isTrue(outcomes.every(({ _tag, index }, i) => _tag === "Accepted" && index === i))
    })
  )

  it.effect("is not read further than there is room for", () =>
    Effect.gen(function* () {
      let pulled = 0
      const source = Stream.fromIterable(records(1_000)).pipe(
        Stream.rechunk(10),
        Stream.tap(() => Effect.sync(() => (pulled += 1)))
      )
      const answers = stubClient(() => Effect.never)
      const fiber = yield* Effect.fork(
        Stream.runDrain(submit(source, answers, { bufferSize: 100, rate: Infinity }))
      )
      yield* TestClock.adjust("1 second")
      assert.isAtMost(pulled, 110)
      assert.isAtLeast(pulled, 100)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("is not read further while nobody takes outcomes", () =>
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

  it.effect("that has no more to give for now has its records sent after a while", () =>
    Effect.gen(function* () {
      yield* setNow
      const answers = stubClient(accept)
      const queue = yield* Queue.unbounded<UsageSubmission.Input>()
      const fiber = yield* Effect.fork(
        Stream.runDrain(submit(Stream.fromQueue(queue), answers, { linger: "2 seconds" }))
      )
      yield* Queue.offerAll(queue, records(27))
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.length),
        [25]
      )
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.length),
        [25, 2]
      )
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect.each<Duration.DurationInput>(["1 hour", Duration.infinity])(
    "of records that would expire within a linger of %s has them sent while half of their time is left",
    (linger) =>
      Effect.gen(function* () {
        yield* setNow
        const answers = stubClient(accept)
        const queue = yield* Queue.unbounded<UsageSubmission.Input>()
        const fiber = yield* Effect.fork(
          Stream.runDrain(submit(Stream.fromQueue(queue), answers, { linger }))
        )
        const soon = { timestamp: at("2026-11-23T11:00:00Z") }
        yield* Queue.offer(queue, record(0, soon))
        yield* TestClock.adjust("5 minutes")
        yield* Queue.offerAll(queue, [record(1, soon), record(2)])
        yield* TestClock.adjust(Duration.subtract("10 minutes", "1 millis"))
        assert.deepStrictEqual(dimensions(answers.calls), [])
        yield* TestClock.adjust("1 millis")
        assert.deepStrictEqual(dimensions(answers.calls), ["d0 d1 d2"])
        yield* Fiber.interrupt(fiber)
      })
  )

  it.effect("of records that are about to expire has them sent at once, with those that wait", () =>
    Effect.gen(function* () {
      yield* setNow
      const answers = stubClient(accept)
      const queue = yield* Queue.unbounded<UsageSubmission.Input>()
      const fiber = yield* Effect.fork(
        Stream.runDrain(submit(Stream.fromQueue(queue), answers, { linger: Duration.infinity }))
      )
      yield* Queue.offer(queue, record(0))
      yield* TestClock.adjust("1 hour")
      yield* Queue.offer(queue, record(1, { timestamp: at("2026-11-23T11:31:00Z") }))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(dimensions(answers.calls), ["d1 d0"])
      yield* Fiber.interrupt(fiber)
    })
  )
})

describe("pacing", () => {
  const timesOf = (calls: ReadonlyArray<Call>) => calls.map((call) => call.at - at(now).epochMillis)

  it.effect("keeps to the rate, over all products", () =>
    Effect.gen(function* () {
      const answers = stubClient(accept)
      const items = records(100).map((record, i) => ({ record, productCode: `p${i % 4}` }))
      yield* submitAll(items, answers)
      assert.deepStrictEqual(timesOf(answers.calls), [0, 100, 200, 300])
    })
  )

  it.effect("has no more calls under way than asked for", () =>
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

  it.effect("comes to its end where calls are a fraction of a millisecond apart", () =>
    Effect.gen(function* () {
      // a third of a second, to the nanosecond, is a little less than that
      const answers = stubClient(accept)
      const { counts } = yield* UsageSubmission.submitAll(
        records(75, { timestamp: at("1970-01-01T00:00:00Z") }),
        {
          productCode: product,
          rate: 3
        }
      ).pipe(Effect.provide(answers.layer), Effect.withClock(virtualClock.make(0)))
      assert.strictEqual(counts.Accepted, 75)
      assert.strictEqual(answers.calls.length, 3)
    })
  )

  it.effect("slows down when throttled, and recovers", () =>
    Effect.gen(function* () {
      const throttled = new MeteringError.ThrottlingException({ operation })
      const answers = stubClient((call, n) => (n === 2 ? reject(throttled) : accept(call)))
      const outcomes = yield* submitAll(records(25 * 40), answers)
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Accepted").length, 25 * 40)
      const times = timesOf(answers.calls)
      const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0))
      assert.deepStrictEqual(gaps.slice(0, 2), [100, 100])
      assert.isAtLeast(gaps[2] ?? 0, 190)
      assert.isBelow(gaps.at(-1) ?? 0, gaps[2] ?? 0)
    })
  )

  it.effect("is silent for as long as the service asks for", () =>
    Effect.gen(function* () {
      const throttled = new MeteringError.ThrottlingException({
        operation,
        retryAfter: Duration.seconds(4)
      })
      const answers = stubClient(() => reject(throttled), accept)
      yield* submitAll(records(75), answers)
      assert.isAtLeast((timesOf(answers.calls)[1] ?? 0) - (timesOf(answers.calls)[0] ?? 0), 4_000)
    })
  )
})

describe("a clock that is set", () => {
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
  ])("%s makes nobody wait longer than the pace and the service ask for", ([, by, setsNanos]) =>
    Effect.gen(function* () {
      for (const second of [accept, () => reject(throttled)]) {
        const { clock, elapsed, set } = virtualClock.settable(at(now).epochMillis, { setsNanos })
        const times: Array<number> = []
        const timed = (answer: typeof accept) => (call: Call) =>
          Effect.suspend(() => {
            times.push(elapsed())
            return answer(call)
          })
        const setting = (call: Call) =>
          Effect.suspend(() => {
            set(by)
            return accept(call)
          })
        const answers = stubClient(timed(setting), timed(second), timed(setting), timed(accept))
        const { counts } = yield* UsageSubmission.submitAll(records(250), {
          productCode: product
        }).pipe(Effect.provide(answers.layer), Effect.withClock(clock))
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
  ])("%s has records that linger and are retried sent all the same", ([, by]) =>
    Effect.gen(function* () {
      const { clock, elapsed, set } = virtualClock.settable(at(now).epochMillis)
      const fault = new MeteringError.InternalServiceErrorException({ operation })
      const answers = stubClient(
        () =>
          Effect.suspend(() => {
            set(by)
            return reject(fault)
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
      }).pipe(Effect.provide(answers.layer), Effect.withClock(clock))
      assert.strictEqual(counts.Accepted, 10)
      assert.isAtMost(elapsed(), 20_000)
    })
  )

  it.effect("forward is seen within a minute by who waits for a deadline", () =>
    Effect.gen(function* () {
      const { clock, set } = virtualClock.settable(at(now).epochMillis)
      const answers = stubClient(accept)
      // two hours are left, and half of them is waited for
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
        Effect.provide(answers.layer),
        Effect.withClock(clock)
      )
      assert.deepStrictEqual(summaries(outcomes.outcomes), ["Accepted id-d0"])
    })
  )
})

describe("progress", () => {
  it.effect(
    "tells what was read, what is settled and how, what is under way and what is left",
    () =>
      Effect.gen(function* () {
        yield* setNow
        const progress = yield* Ref.make(UsageSubmission.initialProgress)
        const answers = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
        const fiber = yield* Effect.fork(
          Stream.runDrain(
            submit([...records(60), { ...record(0), quantity: -1 }], answers, { progress })
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

describe("a stop", () => {
  const stopping = (
    source: Stream.Stream<UsageSubmission.Input, string> | Iterable<UsageSubmission.Input>,
    answerAfter: "20 seconds" | "40 seconds"
  ) =>
    Effect.gen(function* () {
      yield* setNow
      const stop = yield* Deferred.make<void>()
      const answers = stubClient((call) => Effect.delay(accept(call), answerAfter))
      const fiber = yield* submit(source, answers, {
        stop: Deferred.await(stop),
        concurrency: 2,
        bufferSize: 100
      }).pipe(Stream.runCollect, Effect.fork)
      yield* TestClock.adjust("1 second")
      yield* Deferred.succeed(stop, undefined)
      yield* TestClock.adjust("30 seconds")
      const outcomes = Chunk.toReadonlyArray(yield* Fiber.join(fiber))
      assert.strictEqual(new Set(outcomes.map(({ index }) => index)).size, outcomes.length)
      assert.strictEqual(answers.calls.length, 2)
      const counts = new Map<string, number>()
      for (const one of outcomes) {
        const name = one._tag === "Accepted" ? one._tag : summarize(one)
        counts.set(name, (counts.get(name) ?? 0) + 1)
      }
      return Object.fromEntries(counts)
    })

  it.effect("makes no more calls, and awaits those under way", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* stopping(records(1_000), "20 seconds"), {
        "NotSent Stopped": 950,
        Accepted: 50
      })
    })
  )

  it.effect("awaits them for so long; then they are unknown", () =>
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
    "does not wait longer than that for a source that cannot be interrupted: calls of %s",
    ([answerAfter, expected]) =>
      Effect.gen(function* () {
        const stuck = Stream.fromEffect(Effect.uninterruptible(Effect.never))
        const source = Stream.concat(Stream.fromIterable(records(60)), stuck)
        assert.deepStrictEqual(yield* stopping(source, answerAfter), {
          [expected]: 50,
          "NotSent Stopped": 10
        })
      })
  )

  it.effect("that dies is passed on, and stops the submission all the same", () =>
    Effect.gen(function* () {
      yield* setNow
      const seen: Array<string> = []
      const stop = Effect.zipRight(Effect.sleep("1 second"), Effect.die("oh"))
      const answers = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const fiber = yield* submit(records(100), answers, { stop, concurrency: 2 }).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => seen.push(summarize(outcome)))),
        Effect.fork
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.await(fiber), Exit.die("oh"))
      assert.deepStrictEqual([0, 25, 75].map((i) => seen[i]).concat(String(seen.length)), [
        "Accepted id-d0",
        "NotSent Stopped",
        "Unknown Interrupted",
        "100"
      ])
    })
  )

  it.effect("reads a stream no further", () =>
    Effect.gen(function* () {
      const source = Stream.rechunk(Stream.fromIterable(records(1_000)), 10)
      const counts = yield* stopping(Stream.concat(source, Stream.never), "20 seconds")
      assert.strictEqual(counts.Accepted, 50)
      assert.isAtMost(counts["NotSent Stopped"] ?? 0, 60)
    })
  )
})

describe("an interruption", () => {
  it.effect("gives what was under way as unknown and the rest as not sent, each once", () =>
    Effect.gen(function* () {
      yield* setNow
      const answers = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const taken: Array<UsageOutcome.Outcome> = []
      const left: Array<UsageOutcome.Outcome> = []
      const fiber = yield* submit(records(100), answers, {
        concurrency: 2,
        onInterrupt: (outcomes) => Effect.sync(() => left.push(...outcomes))
      }).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => taken.push(outcome))),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        taken.map(({ index }) => index),
        Array.from({ length: 25 }, (_, i) => i)
      )
      assert.deepStrictEqual(
        left.map((outcome) => `${outcome.index} ${summarize(outcome)}`),
        Array.from({ length: 75 }, (_, i) =>
          i < 50 ? `${i + 25} Unknown Interrupted` : `${i + 25} NotSent Stopped`
        )
      )
    })
  )

  it.effect("in the midst of an outcome gives that one again", () =>
    Effect.gen(function* () {
      yield* setNow
      const left: Array<number> = []
      const fiber = yield* submit(records(25), stubClient(accept), {
        onInterrupt: (outcomes) =>
          Effect.sync(() => left.push(...outcomes.map(({ index }) => index)))
      }).pipe(
        Stream.runForEach(({ index }) => (index < 10 ? Effect.void : Effect.never)),
        Effect.fork
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        left,
        Array.from({ length: 15 }, (_, i) => i + 10)
      )
    })
  )

  it.effect("does not wait for a source that cannot be interrupted", () =>
    Effect.gen(function* () {
      yield* setNow
      const left: Array<string> = []
      const stuck = Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const answers = stubClient(() => Effect.never)
      const given = yield* Deferred.make<void>()
      const fiber = yield* submit(Stream.concat(Stream.fromIterable(records(30)), stuck), answers, {
        onInterrupt: (outcomes) =>
          Effect.zipRight(
            Effect.sync(() => left.push(...summaries(outcomes))),
            Deferred.succeed(given, undefined)
          )
      }).pipe(Stream.runDrain, Effect.forkDaemon)
      yield* TestClock.adjust("500 millis")
      yield* Fiber.interruptFork(fiber)
      yield* Deferred.await(given)
      assert.deepStrictEqual(left, [
        ...Array.from({ length: 25 }, () => "Unknown Interrupted"),
        ...Array.from({ length: 5 }, () => "NotSent Stopped")
      ])
    })
  )

  it.effect("forgets nothing that has left the source", () =>
    Effect.gen(function* () {
      yield* setNow
      const left: Array<number> = []
      const source = Stream.fromIterable(records(100))
      const fiber = yield* submit(
        source,
        stubClient(() => Effect.never),
        {
          bufferSize: 50,
          onInterrupt: (outcomes) =>
            Effect.sync(() => left.push(...outcomes.map(({ index }) => index)))
        }
      ).pipe(Stream.runDrain, Effect.fork)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(
        left.sort((left, right) => left - right),
        Array.from({ length: 100 }, (_, i) => i)
      )
    })
  )

  it.effect("that is only that no more is taken gives the rest, and nothing again", () =>
    Effect.gen(function* () {
      yield* setNow
      const left: Array<number> = []
      const taken = yield* submit(records(25), stubClient(accept), {
        onInterrupt: (outcomes) =>
          Effect.sync(() => left.push(...outcomes.map(({ index }) => index)))
      }).pipe(Stream.take(5), Stream.runCollect)
      assert.deepStrictEqual(
        [...Chunk.map(taken, ({ index }) => index), ...left],
        Array.from({ length: 25 }, (_, i) => i)
      )
    })
  )

  it.effect("of a report gives everything that was read", () =>
    Effect.gen(function* () {
      yield* setNow
      const all: Array<string> = []
      const answers = stubClient((call, n) => (n === 1 ? accept(call) : Effect.never))
      const fiber = yield* UsageSubmission.submitAll(records(60), {
        productCode: product,
        concurrency: 1,
        onInterrupt: (outcomes) => Effect.sync(() => all.push(...summaries(outcomes)))
      }).pipe(Effect.provide(answers.layer), Effect.fork)
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(all, [
        ...records(25).map(({ dimension }) => `Accepted id-${dimension}`),
        ...Array.from({ length: 25 }, () => "Unknown Interrupted"),
        ...Array.from({ length: 10 }, () => "NotSent Stopped")
      ])
    })
  )

  describe("whose handler dies is told", () => {
    const dying: UsageSubmission.Options = { onInterrupt: () => Effect.die("oh") }
    const defectsOf = (exit: Exit.Exit<unknown, unknown>) =>
      Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.defects(exit.cause)) : []

    // a layer that is provided to a stream would keep a defect of its end to itself
    const dyingIn = <A, E>(
      use: (outcomes: Outcomes) => Effect.Effect<A, E, MeteringClient>,
      answers: ReturnType<typeof stubClient>
    ) =>
      use(UsageSubmission.submit(records(60), { productCode: product, ...dying })).pipe(
        Effect.provide(answers.layer)
      )

    it.effect.each<readonly [string, Effect.Effect<unknown, unknown>]>([
      [
        "the stream",
        dyingIn(
          Stream.runDrain,
          stubClient(() => Effect.never)
        )
      ],
      [
        "the report",
        UsageSubmission.submitAll(records(60), { productCode: product, ...dying }).pipe(
          Effect.provide(stubClient(() => Effect.never).layer)
        )
      ]
    ])("to who interrupts %s", ([, all]) =>
      Effect.gen(function* () {
        const fiber = yield* Effect.fork(all)
        yield* setNow
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(defectsOf(yield* Fiber.interrupt(fiber)), ["oh"])
      })
    )

    it.effect("to who takes no more", () =>
      Effect.gen(function* () {
        yield* setNow
        const some = (outcomes: Outcomes) => Stream.runDrain(Stream.take(outcomes, 5))
        const exit = yield* Effect.exit(dyingIn(some, stubClient(accept)))
        assert.deepStrictEqual(defectsOf(exit), ["oh"])
      })
    )

    it.effect("to who fails", () =>
      Effect.gen(function* () {
        yield* setNow
        const exit = yield* Effect.exit(
          dyingIn(
            Stream.runForEach(() => Effect.fail("down")),
            stubClient(accept)
          )
        )
        assert.deepStrictEqual(defectsOf(exit), ["oh"])
        assert.isTrue(Exit.isFailure(exit) && Cause.contains(exit.cause, Cause.fail("down")))
      })
    )
  })

  it.effect("does not come when all was taken", () =>
    Effect.gen(function* () {
      let isGiven = false
      yield* submitAll(records(30), stubClient(accept), {
        onInterrupt: () => Effect.sync(() => (isGiven = true))
      })
      assert.isFalse(isGiven)
    })
  )
})

describe("options that make no sense are a defect", () => {
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
