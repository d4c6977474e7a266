import { assert, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { type BatchMeterUsage, MeteringClient, MeteringError } from "effect-marketplace-metering"
import * as dryRun from "../../src/bin/internal/dryRun.js"
import * as outage from "../../src/bin/internal/outage.js"

const operation = "BatchMeterUsage"
const down = Option.some(new MeteringError.InternalServiceErrorException({ operation }))
const throttled = Option.some(new MeteringError.ThrottlingException({ operation }))
const success = Option.none()

type Failure = Option.Option<BatchMeterUsage.BatchMeterUsageError>

/** What is told of calls that end so, by the second at which each is made. */
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
  }).pipe(Effect.provide(dryRun.makeClient().layer))

it.effect("a service that does not answer is told of at once, sparsely, and when it is back", () =>
  Effect.gen(function* () {
    const everySecond = Array.from({ length: 300 }, (_, i) => [i, down] as const)
    const texts = yield* noticesOf([...everySecond, [300, success], [301, success]])
    assert.match(texts[0] ?? "", /^A call failed, and is made again for up to 5 minutes: /)
    assert.match(texts[1] ?? "", /^No answer for 10s, by 11 calls: /)
    assert.match(texts[2] ?? "", /^No answer for 30s, by 31 calls: /)
    assert.strictEqual(texts.at(-1), "The service answers again.")
    assert.isAtMost(texts.length, 9)
  })
)

it.effect("throttling is not told, nor more than one of many short failures", () =>
  Effect.gen(function* () {
    assert.deepStrictEqual(yield* noticesOf([[0, throttled]]), [])
    const flapping = Array.from(
      { length: 10 },
      (_, i) => [i, i % 2 === 0 ? down : success] as const
    )
    assert.lengthOf(yield* noticesOf(flapping), 1)
  })
)
