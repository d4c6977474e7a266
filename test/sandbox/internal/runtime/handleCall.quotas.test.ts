import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { MeteringSandbox, Scenario } from "../../../../src/sandbox/index.js"
import { at, batch, calls, operations, record, setTime } from "../../support.js"

const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

const sandbox = MeteringSandbox.MeteringSandbox

describe("quotas", () => {
  const outcomeOf = <R>(call: Effect.Effect<unknown, { readonly _tag: string }, R>) =>
    Effect.match(call, { onFailure: ({ _tag }) => _tag, onSuccess: () => "success" })

  for (const operation of operations) {
    const quota = Scenario.documentedQuotas[operation] ?? 0

    it.effect(`${operation}: none by default`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        for (let call = 0; call < 3 * quota; call++) {
          assert.strictEqual(yield* outcomeOf(calls[operation]), "success")
        }
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )

    it.effect(`${operation}: ${quota} at once, then one per period`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const burst = (length: number) =>
          Effect.forEach(Array.from({ length }), () => outcomeOf(calls[operation]))
        const full = Array.from({ length: quota }, () => "success")
        assert.deepStrictEqual(yield* burst(quota + 1), [...full, "ThrottlingException"])
        yield* TestClock.adjust(1000 / quota - 1)
        assert.strictEqual(yield* outcomeOf(calls[operation]), "ThrottlingException")
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* outcomeOf(calls[operation]), "success")
        assert.strictEqual(yield* outcomeOf(calls[operation]), "ThrottlingException")
        // the bucket does not fill beyond its size
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* burst(quota + 1), [...full, "ThrottlingException"])
      }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: Scenario.documentedQuotas })))
    )
  }

  it.effect("are counted per operation", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "success")
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "ThrottlingException")
      assert.strictEqual(yield* outcomeOf(calls.MeterUsage), "success")
    }).pipe(
      Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1, MeterUsage: 1 } }))
    )
  )

  it.effect("of less than one per second allow one call per period", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "success")
      yield* TestClock.adjust(3999)
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "ThrottlingException")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "success")
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 0.25 } })))
  )

  it.effect("fill by the clock, not by the calendar", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "success")
      yield* Effect.flatMap(sandbox, ({ control }) => control.advance("1 hour"))
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "ThrottlingException")
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1 } })))
  )

  it.effect("are checked after validation: an invalid request costs nothing", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const bad = Effect.map(
        Effect.flip(batch(Array.from({ length: 26 }, () => record(recent)))),
        (error) => ("code" in error ? error.code : error._tag)
      )
      assert.strictEqual(yield* bad, "ValidationException")
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "success")
      assert.strictEqual(yield* bad, "ValidationException")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1 }, skipRules: ["recordCount"] })
      )
    )
  )

  it.effect("are checked before preconditions: a rejected call costs as much", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(
        yield* outcomeOf(batch([record(recent)], "unknown")),
        "InvalidProductCodeException"
      )
      assert.strictEqual(
        yield* outcomeOf(batch([record(recent)], "unknown")),
        "ThrottlingException"
      )
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1 } })))
  )

  it.effect("are not spent by calls that a fault ended before", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "ConnectionError")
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "InternalServiceErrorException")
      assert.strictEqual(yield* outcomeOf(calls.BatchMeterUsage), "success")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({
          quotas: { BatchMeterUsage: 1 },
          faults: { script: [{ fault: "cutBefore" }, { fault: "internalError" }] }
        })
      )
    )
  )
})
