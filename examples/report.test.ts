/** A test of the program in report.ts: the same program, over a sandbox in memory where things go wrong. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, TestClock } from "effect"
import { type Fault, MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { report, type Usage } from "./report.js"

const sandboxLayer = (faults: Fault.Faults = {}) =>
  MeteringSandbox.layer({
    products: [{ code: "my-product", dimensions: ["requests"] }],
    customers: [
      { customerAWSAccountId: "111122223333", agreements: [{ productCode: "my-product" }] },
      { customerAWSAccountId: "444455556666", agreements: [] }
    ],
    faults
  })

const used = (customerAWSAccountId: string, quantity = 7, dimension = "requests"): Usage => ({
  customerAWSAccountId,
  dimension,
  quantity
})

/** Reports, and lets time pass. */
const reported = (usage: ReadonlyArray<Usage>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(report("my-product", usage))
    yield* TestClock.adjust("1 hour")
    return yield* Fiber.join(fiber)
  })

const billed = Effect.gen(function* () {
  const sandbox = yield* MeteringSandbox.MeteringSandbox
  return (yield* sandbox.billed).map(({ quantity }) => quantity)
})

describe("report", () => {
  it.effect("says who was not billed and why, and bills the others", () =>
    Effect.gen(function* () {
      const notBilled = yield* reported([
        used("111122223333"),
        used("444455556666"),
        used("111122223333", -1),
        used("111122223333", 7, "Requests")
      ])
      expect(notBilled).toEqual([
        { usage: "444455556666 requests", reason: "not subscribed", again: false },
        {
          usage: "111122223333 requests",
          reason: "quantity: expected a whole number from 0 to 2147483647",
          again: false
        },
        {
          usage: "111122223333 Requests",
          reason: expect.stringContaining("Dimension Requests is not one of the product's"),
          again: false
        }
      ])
      expect(yield* billed).toEqual([7])
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.effect("bills once what had to be sent again", () =>
    Effect.gen(function* () {
      expect(yield* reported([used("111122223333")])).toEqual([])
      expect(yield* billed).toEqual([7])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      expect((yield* sandbox.calls).BatchMeterUsage).toBe(3)
    }).pipe(
      Effect.provide(sandboxLayer({ script: [{ fault: "throttling" }, { fault: "cutAfter" }] }))
    )
  )

  it.effect("leaves to the next run what it cannot tell", () =>
    Effect.gen(function* () {
      expect(yield* reported([used("111122223333")])).toEqual([
        { usage: "111122223333 requests", reason: "perhaps billed: NoAnswer", again: true }
      ])
    }).pipe(Effect.provide(sandboxLayer({ chances: [{ fault: "cutAfter", probability: 1 }] })))
  )
})
