/** A test of the program in report.ts: the same program, over a sandbox in memory and a client that fails. */
import { describe, expect, it } from "@effect/vitest"
import { Effect, Fiber, Layer, TestClock } from "effect"
import { MeteringClient, MeteringError } from "effect-marketplace-metering"
import { MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { NotBilled, report } from "./report.js"

const SandboxLive = MeteringSandbox.layer({
  products: [{ code: "my-product", dimensions: ["requests"] }],
  customers: [
    { customerAWSAccountId: "111122223333", agreements: [{ productCode: "my-product" }] },
    { customerAWSAccountId: "444455556666", agreements: [] }
  ]
})

/** The sandbox, but the first two calls are throttled. */
const ThrottledLive = Layer.effect(
  MeteringClient.MeteringClient,
  Effect.gen(function* () {
    const client = yield* MeteringClient.MeteringClient
    let calls = 0
    return {
      ...client,
      batchMeterUsage: (request) =>
        Effect.suspend(() =>
          ++calls <= 2
            ? Effect.fail(new MeteringError.ThrottlingException({ operation: "BatchMeterUsage" }))
            : client.batchMeterUsage(request)
        )
    }
  })
).pipe(Layer.provideMerge(SandboxLive))

const used = (customerAWSAccountId: string, quantity = 7) => ({
  customerAWSAccountId,
  dimension: "requests",
  quantity
})

describe("report", () => {
  it.effect("says who was not billed, and bills the others", () =>
    Effect.gen(function* () {
      const notBilled = yield* report("my-product", [used("111122223333"), used("444455556666")])
      expect(notBilled).toEqual([new NotBilled("444455556666 requests", "CustomerNotSubscribed")])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      expect((yield* sandbox.billed).map(({ quantity }) => quantity)).toEqual([7])
    }).pipe(Effect.provide(SandboxLive))
  )

  it.effect("names the field that is wrong, and sends nothing", () =>
    Effect.gen(function* () {
      const notBilled = yield* report("my-product", [used("111122223333", -1)])
      expect(notBilled.map(({ reason }) => reason)).toEqual([
        "quantity: expected a whole number from 0 to 2147483647"
      ])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      expect((yield* sandbox.calls).BatchMeterUsage).toBe(0)
    }).pipe(Effect.provide(SandboxLive))
  )

  it.effect("goes on when it is throttled", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(report("my-product", [used("111122223333")]))
      yield* TestClock.adjust("1 minute")
      expect(yield* Fiber.join(fiber)).toEqual([])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      expect(yield* sandbox.billed).toHaveLength(1)
    }).pipe(Effect.provide(ThrottledLive))
  )
})
