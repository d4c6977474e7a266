/** How many calls it takes, and how large they are. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, TestClock } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import { bodyEncoder } from "../../src/internal/awsJson.js"
import { bytesOf, envelopeOf } from "../../src/internal/submission/size.js"
import {
  accept,
  at,
  type Call,
  client,
  now,
  product,
  record,
  records,
  refuse,
  submitAll,
  tags
} from "./support.js"

const wrongDimension = new MeteringError.InvalidUsageDimensionException({
  operation: "BatchMeterUsage"
})

/** Refuses every call that has one of these records in it. */
const refusing = (culprits: ReadonlyArray<number>) => (call: Call) =>
  call.records.some(({ dimension }) => culprits.some((culprit) => dimension === `d${culprit}`))
    ? refuse(wrongDimension)
    : accept(call)

const callsFor = (count: number, culprits: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const answers = client(refusing(culprits))
    // without a pace and without retries no time passes
    yield* TestClock.setTime(at(now).epochMillis)
    const { outcomes } = yield* Effect.provide(
      UsageSubmission.submitAll(records(count), { productCode: product, rate: Infinity }),
      answers.layer
    )
    assert.deepStrictEqual(
      tags(outcomes),
      records(count).map(({ dimension }, i) =>
        culprits.includes(i) ? `Rejected ${wrongDimension._tag}` : `Accepted id-${dimension}`
      )
    )
    return answers.calls.length
  })

describe("good records take as many calls as they fill", () => {
  it.effect.each<readonly [number, number, number]>([
    [1, 1, 1],
    [24, 1, 1],
    [25, 1, 1],
    [26, 1, 2],
    [1_000, 1, 40],
    [1_001, 1, 41],
    [1_000, 7, 42],
    [10_000, 13, 403]
  ])("%i records of %i products: %i calls", ([count, products, expected]) =>
    Effect.gen(function* () {
      const answers = client(accept)
      const items = records(count).map((record, i) => ({
        record,
        productCode: `p${i % products}`
      }))
      const outcomes = yield* submitAll(items, answers, { rate: Infinity, bufferSize: 500 })
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
      const sizes = new Map<string, number>()
      for (const { productCode } of items) sizes.set(productCode, (sizes.get(productCode) ?? 0) + 1)
      const sum = [...sizes.values()].reduce((sum, size) => sum + Math.ceil(size / 25), 0)
      assert.deepStrictEqual([answers.calls.length, expected], [sum, sum])
    })
  )
})

describe("one culprit takes at most 2 * ceil(log2 n) calls more", () => {
  it.effect.each(Array.from({ length: 25 }, (_, i) => [i + 1] as const))(
    "among %i, wherever it is",
    ([count]) =>
      Effect.gen(function* () {
        const extra: Array<number> = []
        for (let culprit = 0; culprit < count; culprit++) {
          extra.push((yield* callsFor(count, [culprit])) - 1)
        }
        assert.isAtMost(Math.max(...extra), 2 * Math.ceil(Math.log2(count)))
        if (count === 25) assert.deepStrictEqual([Math.max(...extra), Math.min(...extra)], [10, 5])
      })
  )

  it.effect("and among more than fit in a call", () =>
    Effect.gen(function* () {
      assert.isAtMost(yield* callsFor(1_000, [511]), 40 + 10)
    })
  )

  it.effect("several are found as well", () =>
    Effect.gen(function* () {
      assert.isAtMost(yield* callsFor(25, [0, 12, 24]), 1 + 3 * 10)
      assert.strictEqual(
        yield* callsFor(
          25,
          Array.from({ length: 25 }, (_, i) => i)
        ),
        49
      )
    })
  )
})

describe("a call's size", () => {
  const encode = bodyEncoder<BatchMeterUsage.BatchMeterUsageRequest>(BatchMeterUsage.operation)
  const bodyOf = ({ productCode, records }: Call) =>
    new TextEncoder().encode(
      encode(
        BatchMeterUsage.make(
          { ...(productCode !== undefined && { productCode }), usageRecords: records },
          { except: ["recordCount"] }
        )
      )
    ).length

  const allocated = (i: number, count: number) =>
    record(i, {
      quantity: count,
      usageAllocations: Array.from({ length: count }, (_, n) => ({
        allocatedUsageQuantity: 1,
        tags: [{ key: "team", value: `${"t".repeat(240)}${n}` }]
      })) as never
    })

  it.effect("stays under a megabyte, and comes near to it", () =>
    Effect.gen(function* () {
      const answers = client(accept)
      // some 300 bytes an allocation: 290 kB a record
      yield* submitAll(
        Array.from({ length: 7 }, (_, i) => allocated(i, 1_000)),
        answers
      )
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.length),
        [3, 3, 1]
      )
      for (const call of answers.calls) assert.isBelow(bodyOf(call), 1_000_000)
    })
  )

  it.effect("a record that is too large for any call is invalid", () =>
    Effect.gen(function* () {
      const answers = client(accept)
      const large = record(0, {
        quantity: 2_500,
        usageAllocations: Array.from({ length: 2_500 }, (_, n) => ({
          allocatedUsageQuantity: 1,
          tags: ["a", "b"].map((key) => ({ key, value: `${"t".repeat(240)}${n}` }))
        })) as never
      })
      assert.deepStrictEqual(tags(yield* submitAll([large, record(1)], answers)), [
        "Invalid request requestSize",
        "Accepted id-d1"
      ])
      assert.deepStrictEqual(
        tags(yield* submitAll([large], answers, { except: ["requestSize"] })),
        ["Accepted id-d0"]
      )
    })
  )

  const anyText = FastCheck.oneof(
    FastCheck.fullUnicodeString({ minLength: 1, maxLength: 255 }),
    FastCheck.string16bits({ minLength: 1, maxLength: 255 }),
    FastCheck.constant("\u0000".repeat(255))
  )

  it.prop(
    "is never more than it is taken for",
    [FastCheck.array(FastCheck.tuple(anyText, anyText), { minLength: 1, maxLength: 25 })],
    ([texts]) => {
      const all = texts.map(([dimension, customerIdentifier]) =>
        UsageRecord.make(
          { ...record(0, { customerIdentifier }), dimension },
          { except: ["dimension", "customerIdentifier"] }
        )
      )
      const taken = all.reduce((sum, one) => sum + bytesOf(one), envelopeOf(product))
      const request = new BatchMeterUsage.BatchMeterUsageRequest(
        { productCode: product, usageRecords: all },
        true
      )
      assert.isAtMost(new TextEncoder().encode(encode(request)).length, taken)
    }
  )
})
