/** Properties for any records and any faults of sandbox and network. */
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

/** The acceptance window of the last month ends in a minute. */
const start = DateTime.unsafeMake("2026-12-01T05:59:00Z")

const items = FastCheck.array(itemAt(start), { maxLength: 120, size: "max" })

const optionsFor = ({ isPatient, skipsClientRules }: Conditions): UsageSubmission.Options => ({
  bufferSize: 60,
  skipRules: skipsClientRules ? serverCheckedRules : [],
  schedule: isPatient ? MeteringRetry.patient : MeteringRetry.standard
})

const submitAll = (items: ReadonlyArray<Item>, conditions: Conditions) =>
  UsageSubmission.submitAll(items, optionsFor(conditions)).pipe(
    // the virtual clock never stops by itself
    Effect.timeoutFail({
      duration: "3 days",
      onTimeout: () => new Error("the submission does not end")
    }),
    Effect.orDie,
    Effect.map(({ outcomes }) => outcomes)
  )

const simulateInVirtualTime = <A, E>(
  conditions: Conditions,
  use: (simulation: Simulation) => Effect.Effect<A, E, MeteringClient>
) =>
  simulate(conditions, use).pipe(
    Effect.withClock(virtualClock.make(start.epochMillis)),
    // makes counterexamples repeatable
    Effect.withRandom(Random.make(conditions.seed))
  )

const propertyOptions = {
  // with a planted mutant: a fixed seed, and no shrinking
  fastCheck: { numRuns: 60, ...("PLANTED" in process.env && { seed: 1, endOnFailure: true }) },
  timeout: 300_000
}

describe("for any records and any faults", () => {
  it.effect.prop(
    "each record has one outcome, and accepted <= billed <= accepted + unknown",
    [items, conditions],
    ([items, conditions]) =>
      simulateInVirtualTime(conditions, (simulation) =>
        Effect.gen(function* () {
          const outcomes = yield* submitAll(items, conditions)
          assertOneOutcomeEach(outcomes, items.length)
          yield* assertBilling(simulation, outcomes)
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "accepted = billed and no record is unknown, if every response has all results",
    [items, conditions.map(withCertainResponses)],
    ([items, conditions]) =>
      simulateInVirtualTime(conditions, (simulation) =>
        Effect.gen(function* () {
          const outcomes = yield* submitAll(items, conditions)
          yield* assertBilling(simulation, outcomes, { isCertain: true })
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "a second submission bills nothing twice and accepts the same records under the same IDs",
    [items, conditions],
    ([items, conditions]) =>
      simulateInVirtualTime(conditions, (simulation) =>
        Effect.gen(function* () {
          const stillValid = items.filter(
            ({ record }) =>
              DateTime.greaterThanOrEqualTo(record.timestamp, DateTime.startOf(start, "month")) &&
              record.customerAWSAccountId !== expiringAccount
          )
          const first = yield* submitAll(stillValid, conditions)
          const before = yield* billedLines(simulation)
          yield* simulation.clearFaults
          const second = yield* submitAll(stillValid, conditions)
          yield* assertBilling(simulation, second, { isCertain: true })

          // a valid record is never rejected because of another
          const now = yield* Clock.currentTimeMillis
          for (const outcome of second) {
            assert.strictEqual(
              acceptableTags.has(outcome._tag),
              isAcceptable(simulation.catalog, outcome, now)
            )
          }

          // the second submission decides unknown records, and valid ones that were not accepted
          const undecided = new Set(
            first
              .filter(
                (outcome) =>
                  outcome._tag === "Unknown" ||
                  (!acceptableTags.has(outcome._tag) &&
                    isAcceptable(simulation.catalog, outcome, now))
              )
              .map((outcome) => keyOfOutcome(simulation.catalog, outcome))
          )
          for (const [key, line] of yield* billedLines(simulation)) {
            if (before.has(key) || !undecided.has(key)) {
              assert.deepStrictEqual(
                before.get(key),
                line,
                `billed by the second submission: ${key}`
              )
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
    "records are sent unchanged and in time, at most 25 per call and none with the same key",
    [items, conditions],
    ([items, conditions]) =>
      simulateInVirtualTime(conditions, ({ sandbox, sent }) =>
        Effect.gen(function* () {
          yield* submitAll(items, conditions)
          const submitted = new Set(items.map(({ record }) => JSON.stringify(wireOf(record))))
          for (const { at, request } of sent) {
            assert.isAtMost(request.UsageRecords.length, 25)
            const keys = request.UsageRecords.map((record) => {
              assert.isTrue(submitted.has(JSON.stringify(record)), JSON.stringify(record))
              assert.isFalse(isTooLate(Math.round(record.Timestamp * 1000), at), "sent too late")
              const { Quantity: _, UsageAllocations: __, ...key } = record
              return JSON.stringify({ ...key, Timestamp: Math.floor(record.Timestamp / 3600) })
            })
            assert.strictEqual(new Set(keys).size, keys.length)
          }
          // no other call reached the sandbox
          const calls = new Set(sent.map(({ request }) => canonical(request)))
          for (const { body } of rawCalls(yield* sandbox.report.log)) {
            assert.isTrue(calls.has(canonical(JSON.parse(body))), body)
          }
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "an interruption at any time leaves each record with one outcome",
    [items, conditions, FastCheck.nat({ max: 5_000 })],
    ([items, conditions, millis]) =>
      simulateInVirtualTime(conditions, (simulation) =>
        Effect.gen(function* () {
          const outcomes: Array<UsageOutcome.Outcome> = []
          const add = (some: Iterable<UsageOutcome.Outcome>) =>
            Effect.sync(() => outcomes.push(...some))
          const fiber = yield* UsageSubmission.submit(items, {
            ...optionsFor(conditions),
            bufferSize: items.length + 1,
            onInterrupt: add
          }).pipe(
            Stream.runForEach((outcome) => add([outcome])),
            Effect.fork
          )
          yield* Effect.sleep(millis)
          yield* Fiber.interrupt(fiber)
          assertOneOutcomeEach(outcomes, items.length)
          yield* assertBilling(simulation, outcomes)
        })
      ),
    propertyOptions
  )

  it.effect.prop(
    "a stop at any time leaves each record with one outcome",
    [items, conditions, FastCheck.nat({ max: 5_000 })],
    ([items, conditions, millis]) =>
      simulateInVirtualTime(conditions, (simulation) =>
        Effect.gen(function* () {
          const stop = yield* Deferred.make<void>()
          const fiber = yield* Effect.fork(
            UsageSubmission.submitAll(items, {
              ...optionsFor(conditions),
              gracePeriod: "10 seconds",
              stop: Deferred.await(stop)
            })
          )
          yield* Effect.sleep(millis)
          const calls = simulation.sent.length
          yield* Deferred.succeed(stop, undefined)
          const { outcomes } = yield* Fiber.join(fiber)
          assertOneOutcomeEach(outcomes, items.length)
          yield* assertBilling(simulation, outcomes)
          // calls that were in flight
          assert.isAtMost(simulation.sent.length - calls, 10)
        })
      ),
    propertyOptions
  )
})

/** Outcomes of valid records only. */
const acceptableTags: ReadonlySet<UsageOutcome.Outcome["_tag"]> = new Set([
  "Accepted",
  "Duplicate",
  "CustomerNotSubscribed"
])
