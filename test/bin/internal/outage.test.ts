import { assert, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { type BatchMeterUsage, MeteringClient, MeteringError } from "effect-marketplace-metering"
import * as dryRunClient from "../../../src/bin/internal/dryRunClient.js"
import * as outage from "../../../src/bin/internal/outage.js"

const operation = "BatchMeterUsage"
const down = Option.some(new MeteringError.InternalServiceErrorException({ operation }))
const throttled = Option.some(new MeteringError.ThrottlingException({ operation }))
const success = Option.none()

type Failure = Option.Option<BatchMeterUsage.BatchMeterUsageError>

/** The notices for calls at these seconds. */
const noticesOf = (calls: ReadonlyArray<readonly [second: number, failure: Failure]>) =>
  Effect.gen(function* () {
    const texts: Array<string> = []
    const client = yield* MeteringClient.MeteringClient
    let failure: Failure = success
    const watched = outage.watch(
      {
        ...client,
        batchMeterUsage: (request) =>
          Option.match(failure, {
            onNone: () => client.batchMeterUsage(request),
            onSome: (error) => Effect.fail(error)
          })
      },
      (text) => Effect.sync(() => texts.push(text))
    )
    let now = 0
    for (const [second, next] of calls) {
      yield* TestClock.adjust((second - now) * 1_000)
      now = second
      failure = next
      yield* Effect.ignore(watched.batchMeterUsage({ usageRecords: [] }))
    }
    return texts
  }).pipe(Effect.provide(dryRunClient.make().layer))

it.effect("reports an outage at once, then at growing intervals, and its end", () =>
  Effect.gen(function* () {
    const everySecond = Array.from({ length: 300 }, (_, i) => [i, down] as const)
    const texts = yield* noticesOf([...everySecond, [300, success], [301, success]])
    assert.match(texts[0] ?? "", /^A call failed, and is retried for up to 5 minutes: /)
    assert.match(texts[1] ?? "", /^No response for 10s, to 11 calls: /)
    assert.match(texts[2] ?? "", /^No response for 30s, to 31 calls: /)
    assert.strictEqual(texts.at(-1), "The service responds again.")
    assert.isAtMost(texts.length, 9)
  })
)

it.effect("reports no throttling, and only the first of many short failures", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* noticesOf([[0, throttled]]), [])
    const flapping = Array.from(
      { length: 10 },
      (_, i) => [i, i % 2 === 0 ? down : success] as const
    )
    assert.lengthOf(yield* noticesOf(flapping), 1)
  })
)
