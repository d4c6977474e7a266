import { assert, describe, it } from "@effect/vitest"
import { Effect, TestClock } from "effect"
import { MeteringSandbox, Scenario } from "../../../../src/sandbox/index.js"
import { at, batch, calls, operations, record, setTime } from "../../support.js"

const now = "2026-11-24T10:30:00Z"
const recent = at("2026-11-24T10:05:00Z")

const sandbox = MeteringSandbox.MeteringSandbox

describe("quotas", () => {
  const fate = <R>(call: Effect.Effect<unknown, { readonly _tag: string }, R>) =>
    Effect.match(call, { onFailure: ({ _tag }) => _tag, onSuccess: () => "success" })

  for (const operation of operations) {
    const quota = Scenario.documentedQuotas[operation] ?? 0

    it.effect(`${operation}: none unless asked for`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        for (let call = 0; call < 3 * quota; call++) {
          assert.strictEqual(yield* fate(calls[operation]), "success")
        }
      }).pipe(Effect.provide(MeteringSandbox.layer()))
    )

    it.effect(`${operation}: ${quota} at once, and one more when it is time`, () =>
      Effect.gen(function* () {
        yield* setTime(now)
        const burst = (length: number) =>
          Effect.forEach(Array.from({ length }), () => fate(calls[operation]))
        const full = Array.from({ length: quota }, () => "success")
        assert.deepStrictEqual(yield* burst(quota + 1), [...full, "ThrottlingException"])
        yield* TestClock.adjust(1000 / quota - 1)
        assert.strictEqual(yield* fate(calls[operation]), "ThrottlingException")
        yield* TestClock.adjust(1)
        assert.strictEqual(yield* fate(calls[operation]), "success")
        assert.strictEqual(yield* fate(calls[operation]), "ThrottlingException")
        // more than there is room for does not gather
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* burst(quota + 1), [...full, "ThrottlingException"])
      }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: Scenario.documentedQuotas })))
    )
  }

  it.effect("are of each operation alone", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "success")
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "ThrottlingException")
      assert.strictEqual(yield* fate(calls.MeterUsage), "success")
    }).pipe(
      Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1, MeterUsage: 1 } }))
    )
  )

  it.effect("of less than one a second are one every so often", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "success")
      yield* TestClock.adjust(3999)
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "ThrottlingException")
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "success")
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 0.25 } })))
  )

  it.effect("fill by the clock, not by the calendar", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "success")
      yield* Effect.flatMap(sandbox, ({ control }) => control.advance("1 hour"))
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "ThrottlingException")
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1 } })))
  )

  it.effect("come after the shape: bad input costs nothing, and is told of first", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      const bad = Effect.map(
        Effect.flip(batch(Array.from({ length: 26 }, () => record(recent)))),
        (error) => ("code" in error ? error.code : error._tag)
      )
      assert.strictEqual(yield* bad, "ValidationException")
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "success")
      assert.strictEqual(yield* bad, "ValidationException")
    }).pipe(
      Effect.provide(
        MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1 }, skipRules: ["recordCount"] })
      )
    )
  )

  it.effect("come before the checks: a call that is refused costs as much", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(
        yield* fate(batch([record(recent)], "unknown")),
        "InvalidProductCodeException"
      )
      assert.strictEqual(yield* fate(batch([record(recent)], "unknown")), "ThrottlingException")
    }).pipe(Effect.provide(MeteringSandbox.layer({ quotas: { BatchMeterUsage: 1 } })))
  )

  it.effect("are not spent by what never came so far", () =>
    Effect.gen(function* () {
      yield* setTime(now)
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "ConnectionError")
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "InternalServiceErrorException")
      assert.strictEqual(yield* fate(calls.BatchMeterUsage), "success")
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
