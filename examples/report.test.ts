/** Tests the program of report.ts with a sandbox in memory and its faults. */

import { FileSystem } from "@effect/platform"
import { NodeContext } from "@effect/platform-node"
import { describe, expect, it } from "@effect/vitest"
import { DateTime, Effect, Fiber, Schema, TestClock } from "effect"
import { type Fault, MeteringSandbox } from "effect-marketplace-metering/sandbox"
import { report, run, Usage } from "./report.js"

const sandboxLayer = (faults: Fault.Faults = {}) =>
  MeteringSandbox.layer({
    products: [{ code: "my-product", dimensions: ["requests"] }],
    customers: [
      { customerAWSAccountId: "111122223333", agreements: [{ productCode: "my-product" }] },
      { customerAWSAccountId: "444455556666", agreements: [] }
    ],
    faults
  })

const hour = DateTime.unsafeMake("2026-11-25T10:00:00Z")

const usageOf = (customerAWSAccountId: string, quantity = 7, dimension = "requests") =>
  new Usage({ hour, customerAWSAccountId, dimension, quantity })

/** Lets the event loop run once, since files are read in real time. */
const yieldToEventLoop = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Advances the clock until the program ends. A minute is longer than any delay between retries. */
const runToEnd = <A, E, R>(program: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.fork(program)
    while ((yield* Fiber.status(fiber))._tag !== "Done") {
      yield* yieldToEventLoop
      if ((yield* TestClock.sleeps()).length > 0) yield* TestClock.adjust("1 minute")
    }
    return yield* Fiber.join(fiber)
  })

const reportAfterHour = (usage: ReadonlyArray<Usage>) =>
  TestClock.setTime(hour.epochMillis + 70 * 60_000).pipe(
    Effect.zipRight(runToEnd(report("my-product", usage)))
  )

const billed = Effect.gen(function* () {
  const sandbox = yield* MeteringSandbox.MeteringSandbox
  return (yield* sandbox.report.billed).map(({ quantity }) => quantity)
})

describe("report", () => {
  it.effect("returns usage that was not billed with reasons, and bills the other", () =>
    Effect.gen(function* () {
      const notSubscribed = usageOf("444455556666")
      const negative = usageOf("111122223333", -1)
      const misspelt = usageOf("111122223333", 7, "Requests")
      const notBilled = yield* reportAfterHour([
        usageOf("111122223333"),
        notSubscribed,
        negative,
        misspelt
      ])
      expect(notBilled).toEqual([
        { usage: notSubscribed, reason: "not subscribed", shouldRetry: false },
        {
          usage: negative,
          reason: "quantity: expected a whole number from 0 to 2147483647",
          shouldRetry: false
        },
        {
          usage: misspelt,
          reason: expect.stringContaining("Dimension Requests is not one of the product's"),
          shouldRetry: false
        }
      ])
      expect(yield* billed).toEqual([7])
    }).pipe(Effect.provide(sandboxLayer()))
  )

  it.effect("bills retried usage once", () =>
    Effect.gen(function* () {
      expect(yield* reportAfterHour([usageOf("111122223333")])).toEqual([])
      expect(yield* billed).toEqual([7])
      const sandbox = yield* MeteringSandbox.MeteringSandbox
      expect((yield* sandbox.report.callCounts).BatchMeterUsage).toBe(3)
    }).pipe(
      Effect.provide(sandboxLayer({ script: [{ fault: "throttling" }, { fault: "cutAfter" }] }))
    )
  )
})

describe("run", () => {
  it.scoped("sends unknown usage again an hour later, with its own hour, and bills it once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(hour.epochMillis + 70 * 60_000)
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped()
      const [usageFile, pendingFile] = [`${folder}/usage.ndjson`, `${folder}/pending.ndjson`]
      const line = yield* Schema.encode(Schema.parseJson(Usage))(usageOf("111122223333"))
      yield* files.writeFileString(usageFile, `${line}\n`)

      const first = yield* runToEnd(run("my-product", usageFile, pendingFile))
      expect(first).toEqual([
        { usage: usageOf("111122223333"), reason: "perhaps billed: NoResponse", shouldRetry: true }
      ])
      expect(yield* files.readFileString(pendingFile)).toBe(`${line}\n`)

      const sandbox = yield* MeteringSandbox.MeteringSandbox
      yield* sandbox.control.setFaults({})
      // the hour after that, with nothing new
      yield* files.writeFileString(usageFile, "")
      expect(yield* runToEnd(run("my-product", usageFile, pendingFile))).toEqual([])
      expect(yield* files.readFileString(pendingFile)).toBe("")
      expect(
        (yield* sandbox.report.billed).map(({ hour, quantity }) => [
          DateTime.formatIso(hour),
          quantity
        ])
      ).toEqual([["2026-11-25T10:00:00.000Z", 7]])
    }).pipe(
      Effect.provide([
        NodeContext.layer,
        sandboxLayer({ chances: [{ fault: "cutAfter", probability: 1 }] })
      ])
    )
  )
})
