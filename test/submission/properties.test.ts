/** What must hold for any records and any faults, judged by what the requests alone make the service bill. */
import { assert, describe, it } from "@effect/vitest"
import { type Clock, DateTime, Deferred, Effect, FastCheck, Fiber, Stream } from "effect"
import type * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import { billing, isOpen, lineOf, type Market, type WireRecord } from "./oracle.js"
import { type Fault, faults, leavesDoubt, make, wireOf } from "./service.js"
import * as virtualClock from "./virtualClock.js"

/** Last month closes in a minute. */
const start = DateTime.unsafeMake("2026-12-01T05:59:00Z")

const market: Market = {
  dimensions: ["calls", "seats"],
  products: ["p1", "p2"],
  customers: [
    ["111122223333", "cust-1"],
    ["444455556666", "cust-2"]
  ]
}

const licence = "arn:aws:license-manager::111122223333:license:l-0123456789abcdef0123456789abcdef"

const often = <A>(usual: ReadonlyArray<A>, odd: ReadonlyArray<A>) =>
  FastCheck.oneof(
    { weight: 30, arbitrary: FastCheck.constantFrom(...usual) },
    { weight: 1, arbitrary: FastCheck.constantFrom(...odd) }
  )

const nobody = {} as { customerAWSAccountId: string }

/** Few values each, so that records meet; some of which no service takes. */
const item = FastCheck.record({
  minutesAgo: often([1, 10, 58, 70, 100, 400, 1_000, 1_438], [1_440, 3_000, -3]),
  dimension: often(["calls", "seats"], ["unheard-of", ""]),
  quantity: often([0, 1, 2, 3], [-1]),
  identity: often(
    [
      { customerAWSAccountId: "111122223333" },
      { customerAWSAccountId: "444455556666" },
      { customerIdentifier: "cust-1" },
      { customerAWSAccountId: "111122223333", licenseArn: licence }
    ],
    [{ customerAWSAccountId: "999999999999" }, nobody]
  ),
  productCode: often(["p1", "p2"], ["p3"])
}).map(({ dimension, identity, minutesAgo, productCode, quantity }) => ({
  productCode,
  record: {
    timestamp: DateTime.subtract(start, { minutes: minutesAgo }),
    dimension,
    quantity,
    ...identity
  }
}))

const items = FastCheck.array(item, { maxLength: 120, size: "max" })
const plan = FastCheck.array(FastCheck.constantFrom(...faults), { maxLength: 30, size: "max" })

type Item = typeof item extends FastCheck.Arbitrary<infer A> ? A : never
type World = ReturnType<typeof make>

const options: UsageSubmission.Options = { bufferSize: 60 }

const submitAll = (
  world: World,
  clock: Clock.Clock,
  items: ReadonlyArray<Item>,
  plan: ReadonlyArray<Fault>
) =>
  Effect.suspend(() => {
    world.setPlan(plan)
    return UsageSubmission.submitAll(items, options).pipe(
      // a submission that never ends would make the clock go on for ever
      Effect.timeoutFail({ duration: "3 days", onTimeout: () => new Error("it never ends") }),
      Effect.orDie,
      Effect.provide(world.layer),
      Effect.withClock(clock),
      Effect.map(({ outcomes }) => outcomes)
    )
  })

const lineOfOutcome = ({ productCode, record }: UsageSubmission.Outcome) => {
  const sent = record.licenseArn === undefined ? productCode : undefined
  return lineOf(market, wireOf(record as UsageRecord.UsageRecord), sent)
}

/** What was told of each line: quantities that are said to be billed, and those that may be. */
const toldOf = (outcomes: ReadonlyArray<UsageSubmission.Outcome>) => {
  const accepted = new Map<string, Set<number>>()
  const perhaps = new Map<string, Set<number>>()
  for (const outcome of outcomes) {
    const told =
      outcome._tag === "Accepted" ? accepted : outcome._tag === "Unknown" ? perhaps : undefined
    if (told === undefined) continue
    const line = lineOfOutcome(outcome)
    told.set(line, (told.get(line) ?? new Set()).add(outcome.record.quantity ?? 0))
  }
  return { accepted, perhaps }
}

const check = (
  world: World,
  outcomes: ReadonlyArray<UsageSubmission.Outcome>,
  { isWithoutDoubt }: { readonly isWithoutDoubt: boolean }
) => {
  const billed = billing(world.calls, market)
  const { accepted, perhaps } = toldOf(outcomes)
  for (const [line, quantities] of accepted) {
    assert.deepStrictEqual([...quantities], [billed.get(line)], `accepted: ${line}`)
  }
  for (const [line, quantity] of billed) {
    const isTold = accepted.has(line) || (perhaps.get(line)?.has(quantity) ?? false)
    assert.isTrue(isTold, `billed, and nobody was told: ${line}`)
    if (isWithoutDoubt) assert.isTrue(accepted.has(line), `billed without doubt: ${line}`)
  }
  if (isWithoutDoubt) assert.strictEqual(perhaps.size, 0)
}

const places = (outcomes: ReadonlyArray<UsageSubmission.Outcome>) =>
  outcomes.map(({ index }) => index).sort((left, right) => left - right)

const allPlaces = (items: ReadonlyArray<Item>) => items.map((_, index) => index)

const runs = {
  fastCheck: { numRuns: 60, endOnFailure: "PLANTED" in process.env },
  timeout: 120_000
}

describe("for any records and any faults", () => {
  it.effect.prop(
    "each record has one outcome; accepted <= billed <= accepted + unknown",
    [items, plan],
    ([items, plan]) =>
      Effect.gen(function* () {
        const world = make(market)
        const clock = virtualClock.make(start.epochMillis)
        const outcomes = yield* submitAll(world, clock, items, plan)
        assert.deepStrictEqual(places(outcomes), allPlaces(items))
        check(world, outcomes, { isWithoutDoubt: false })
      }),
    runs
  )

  it.effect.prop(
    "accepted = billed, and nothing is unknown, where every answer came and told of all",
    [items, plan.map((plan) => plan.filter((fault) => !leavesDoubt.has(fault)))],
    ([items, plan]) =>
      Effect.gen(function* () {
        const world = make(market)
        const clock = virtualClock.make(start.epochMillis)
        const outcomes = yield* submitAll(world, clock, items, plan)
        check(world, outcomes, { isWithoutDoubt: true })
      }),
    runs
  )

  it.effect.prop(
    "a second run bills nothing more, and accepts what was accepted under the same id",
    [items, plan],
    ([items, plan]) =>
      Effect.gen(function* () {
        const world = make(market)
        const inTime = items.filter(({ record }) =>
          DateTime.greaterThanOrEqualTo(record.timestamp, DateTime.startOf(start, "month"))
        )
        const clock = virtualClock.make(start.epochMillis)
        const first = yield* submitAll(world, clock, inTime, plan)
        const billed = billing(world.calls, market)
        // of what may have been billed, or never was sent, the second run decides
        const isOpen = first.some(
          ({ _tag }) => _tag === "Unknown" || _tag === "NotSent" || _tag === "Rejected"
        )
        const second = yield* submitAll(world, clock, inTime, [])
        if (!isOpen) assert.deepStrictEqual(billing(world.calls, market), billed)
        for (const [i, outcome] of first.entries()) {
          if (outcome._tag !== "Accepted") continue
          const again = second[i]
          assert.deepStrictEqual(
            [again?._tag, again?._tag === "Accepted" && again.meteringRecordId],
            ["Accepted", outcome.meteringRecordId]
          )
        }
        check(world, second, { isWithoutDoubt: false })
      }),
    runs
  )

  it.effect.prop(
    "what is sent of a record is what was submitted, in time; no call has a key twice, or over 25",
    [items, plan],
    ([items, plan]) =>
      Effect.gen(function* () {
        const world = make(market)
        const clock = virtualClock.make(start.epochMillis)
        yield* submitAll(world, clock, items, plan)
        const given = new Set(
          items.map(({ record }) =>
            JSON.stringify(wireOf(record as unknown as UsageRecord.UsageRecord))
          )
        )
        for (const { body, sentAt } of world.calls) {
          const { UsageRecords } = JSON.parse(body) as { UsageRecords: ReadonlyArray<WireRecord> }
          assert.isAtMost(UsageRecords.length, 25)
          const keys = UsageRecords.map((record) => {
            assert.isTrue(given.has(JSON.stringify(record)), JSON.stringify(record))
            assert.isTrue(isOpen(Math.round(record.Timestamp * 1000), sentAt), "sent too late")
            return JSON.stringify({
              ...record,
              Quantity: 0,
              Timestamp: Math.floor(record.Timestamp / 3600)
            })
          })
          assert.strictEqual(new Set(keys).size, keys.length)
        }
      }),
    runs
  )

  it.effect.prop(
    "an interruption at any time leaves no record without its outcome, and none with two",
    [items, plan, FastCheck.nat({ max: 5_000 })],
    ([items, plan, millis]) =>
      Effect.gen(function* () {
        const world = make(market)
        world.setPlan(plan)
        const outcomes: Array<UsageSubmission.Outcome> = []
        const add = (some: Iterable<UsageSubmission.Outcome>) =>
          Effect.sync(() => outcomes.push(...some))
        const fiber = yield* UsageSubmission.submit(items, {
          bufferSize: items.length + 1,
          onInterrupt: add
        }).pipe(
          Stream.runForEach((outcome) => add([outcome])),
          Effect.provide(world.layer),
          Effect.fork
        )
        yield* Effect.sleep(millis)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(places(outcomes), allPlaces(items))
        check(world, outcomes, { isWithoutDoubt: false })
      }).pipe(Effect.withClock(virtualClock.make(start.epochMillis))),
    runs
  )

  it.effect.prop(
    "a stop at any time does neither",
    [items, plan, FastCheck.nat({ max: 5_000 })],
    ([items, plan, millis]) =>
      Effect.gen(function* () {
        const world = make(market)
        world.setPlan(plan)
        const stop = yield* Deferred.make<void>()
        const fiber = yield* Effect.fork(
          UsageSubmission.submitAll(items, {
            ...options,
            grace: "10 seconds",
            stop: Deferred.await(stop)
          }).pipe(Effect.provide(world.layer))
        )
        yield* Effect.sleep(millis)
        const calls = world.calls.length
        yield* Deferred.succeed(stop, undefined)
        const { outcomes } = yield* Fiber.join(fiber)
        assert.deepStrictEqual(places(outcomes), allPlaces(items))
        check(world, outcomes, { isWithoutDoubt: false })
        // those that had just left
        assert.isAtMost(world.calls.length - calls, 10)
      }).pipe(Effect.withClock(virtualClock.make(start.epochMillis))),
    runs
  )
})
