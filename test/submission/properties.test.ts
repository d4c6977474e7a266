/** What must hold for any records and any faults, of the sandbox's and beyond them. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Deferred, Effect, FastCheck, Fiber, Random, Stream } from "effect"
import type { MeteringClient } from "effect-marketplace-metering/MeteringClient"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import type * as UsageOutcome from "effect-marketplace-metering/UsageOutcome"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import {
  assertBilling,
  assertOneOutcomeEach,
  billedLines,
  isAcceptable,
  keyOfOutcome
} from "./invariants.js"
import { isTooLate } from "./oracle.js"
import {
  type Conditions,
  canonical,
  conditions,
  expiringAccount,
  type Item,
  itemAt,
  rawCalls,
  type Simulation,
  serverCheckedRules,
  simulate,
  wireOf,
  withCertainResponses
} from "./simulation.js"
import * as virtualClock from "./virtualClock.js"

/** Last month closes in a minute. */
const start = DateTime.unsafeMake("2026-12-01T05:59:00Z")

const items = FastCheck.array(itemAt(start), { maxLength: 120, size: "max" })

const optionsFor = ({
  isPatient,
  isTrusting: skipsClientRules
}: Conditions): UsageSubmission.Options => ({
  bufferSize: 60,
  skipRules: skipsClientRules ? serverCheckedRules : [],
  schedule: isPatient ? MeteringRetry.patient : MeteringRetry.standard
})

const submitAll = (items: ReadonlyArray<Item>, conditions: Conditions) =>
  UsageSubmission.submitAll(items, optionsFor(conditions)).pipe(
    // a submission that never ends would make the clock go on for ever
    Effect.timeoutFail({ duration: "3 days", onTimeout: () => new Error("it never ends") }),
    Effect.orDie,
    Effect.map(({ outcomes }) => outcomes)
  )

const simulateInVirtualTime = <A, E>(
  conditions: Conditions,
  use: (world: Simulation) => Effect.Effect<A, E, MeteringClient>
) =>
  simulate(conditions, use).pipe(
    Effect.withClock(virtualClock.make(start.epochMillis)),
    // so that what has been found happens again
    Effect.withRandom(Random.make(conditions.seed))
  )

const propertyOptions = {
  // where faults are planted, it is always the same that is tried, and the smallest counterexample is not looked for
  fastCheck: { numRuns: 60, ...("PLANTED" in process.env && { seed: 1, endOnFailure: true }) },
  timeout: 600_000
}

describe("for any records and any faults", () => {
  it.effect.prop(
    "each record has one outcome, what is accepted is billed once, and what is not sent is never billed: accepted <= billed <= accepted + unknown",
    [items, conditions],
    ([items, weather]) =>
      simulateInVirtualTime(weather, (world) =>
        Effect.gen(function* () {
          const outcomes = yield* submitAll(items, weather)
          assertOneOutcomeEach(outcomes, items.length)
          yield* assertBilling(world, outcomes)
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "accepted = billed, and nothing is unknown, where every answer came and told of all",
    [items, conditions.map(withCertainResponses)],
    ([items, weather]) =>
      simulateInVirtualTime(weather, (world) =>
        Effect.gen(function* () {
          const outcomes = yield* submitAll(items, weather)
          yield* assertBilling(world, outcomes, { isCertain: true })
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "what is submitted again is billed once: a second run bills nothing more, and accepts what was accepted under the same id",
    [items, conditions],
    ([items, weather]) =>
      simulateInVirtualTime(weather, (world) =>
        Effect.gen(function* () {
          const lasting = items.filter(
            ({ record }) =>
              DateTime.greaterThanOrEqualTo(record.timestamp, DateTime.startOf(start, "month")) &&
              record.customerAWSAccountId !== expiringAccount
          )
          const first = yield* submitAll(lasting, weather)
          const before = yield* billedLines(world)
          yield* world.clearFaults
          const second = yield* submitAll(lasting, weather)
          yield* assertBilling(world, second, { isCertain: true })

          // no record is refused for another's sake
          const now = yield* Clock.currentTimeMillis
          for (const outcome of second) {
            assert.strictEqual(
              acceptableTags.has(outcome._tag),
              isAcceptable(world.catalog, outcome, now)
            )
          }

          // of what may have been billed, or was refused for no fault of its own, the second run decides
          const open = new Set(
            first
              .filter(
                (outcome) =>
                  outcome._tag === "Unknown" ||
                  (!acceptableTags.has(outcome._tag) && isAcceptable(world.catalog, outcome, now))
              )
              .map((outcome) => keyOfOutcome(world.catalog, outcome))
          )
          for (const [key, line] of yield* billedLines(world)) {
            if (before.has(key) || !open.has(key)) {
              assert.deepStrictEqual(before.get(key), line, `billed by the second run: ${key}`)
            }
          }
          for (const [i, outcome] of first.entries()) {
            if (outcome._tag !== "Accepted") continue
            const again = second[i]
            assert.deepStrictEqual(
              [again?._tag, again?._tag === "Accepted" && again.meteringRecordId],
              ["Accepted", outcome.meteringRecordId]
            )
          }
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "what is sent of a record is what was submitted, in time; no call has a key twice, or over 25",
    [items, conditions],
    ([items, weather]) =>
      simulateInVirtualTime(weather, ({ sandbox, sent }) =>
        Effect.gen(function* () {
          yield* submitAll(items, weather)
          const given = new Set(items.map(({ record }) => JSON.stringify(wireOf(record))))
          for (const { at, request } of sent) {
            assert.isAtMost(request.UsageRecords.length, 25)
            const keys = request.UsageRecords.map((record) => {
              assert.isTrue(given.has(JSON.stringify(record)), JSON.stringify(record))
              assert.isFalse(isTooLate(Math.round(record.Timestamp * 1000), at), "sent too late")
              const { Quantity: _, UsageAllocations: __, ...key } = record
              return JSON.stringify({ ...key, Timestamp: Math.floor(record.Timestamp / 3600) })
            })
            assert.strictEqual(new Set(keys).size, keys.length)
          }
          // and no other call reached the sandbox
          const calls = new Set(sent.map(({ request }) => canonical(request)))
          for (const { body } of rawCalls(yield* sandbox.report.log)) {
            assert.isTrue(calls.has(canonical(JSON.parse(body))), body)
          }
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "an interruption at any time leaves no record without its outcome, and none with two",
    [items, conditions, FastCheck.nat({ max: 5_000 })],
    ([items, weather, millis]) =>
      simulateInVirtualTime(weather, (world) =>
        Effect.gen(function* () {
          const outcomes: Array<UsageOutcome.Outcome> = []
          const add = (some: Iterable<UsageOutcome.Outcome>) =>
            Effect.sync(() => outcomes.push(...some))
          const fiber = yield* UsageSubmission.submit(items, {
            ...optionsFor(weather),
            bufferSize: items.length + 1,
            onInterrupt: add
          }).pipe(
            Stream.runForEach((outcome) => add([outcome])),
            Effect.fork
          )
          yield* Effect.sleep(millis)
          yield* Fiber.interrupt(fiber)
          assertOneOutcomeEach(outcomes, items.length)
          yield* assertBilling(world, outcomes)
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "a stop at any time does neither",
    [items, conditions, FastCheck.nat({ max: 5_000 })],
    ([items, weather, millis]) =>
      simulateInVirtualTime(weather, (world) =>
        Effect.gen(function* () {
          const stop = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(
            UsageSubmission.submitAll(items, {
              ...optionsFor(weather),
              gracePeriod: "10 seconds",
              stop: Deferred.await(stop)
            })
          )
          yield* Effect.sleep(millis)
          const calls = world.sent.length
          yield* Deferred.succeed(stop, undefined)
          const { outcomes } = yield* Fiber.join(fiber)
          assertOneOutcomeEach(outcomes, items.length)
          yield* assertBilling(world, outcomes)
          // those that had just left
          assert.isAtMost(world.sent.length - calls, 10)
        })
      ),
    propertyOptions
  )
})

/** What is said only of records that a call may carry. */
const acceptableTags: ReadonlySet<UsageOutcome.Outcome["_tag"]> = new Set([
  "Accepted",
  "Duplicate",
  "CustomerNotSubscribed"
])
