/** The number and the size of calls. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Fiber, Queue, Stream, TestClock } from "effect"
import * as BatchMeterUsage from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type * as UsageOutcome from "effect-marketplace-metering/UsageOutcome"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import { requestEncoder } from "../../../src/internal/protocol/awsJson.js"
import { envelopeBytes, recordBytes } from "../../../src/internal/submission/recordSize.js"
import {
  accept,
  account,
  at,
  type Call,
  licenseArnOf,
  makeException,
  makeResponse,
  now,
  product,
  record,
  records,
  reject,
  result,
  stubClient,
  submitAll,
  summaries
} from "./support.js"

const wrongDimension = makeException(MeteringError.InvalidUsageDimensionException)

/** Rejects every call with one of these records. */
const rejectingRecords = (invalidIndexes: ReadonlyArray<number>) => (call: Call) =>
  call.records.some(({ dimension }) =>
    invalidIndexes.some((invalidIndex) => dimension === `d${invalidIndex}`)
  )
    ? reject(wrongDimension)
    : accept(call)

const callsFor = (count: number, invalidIndexes: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const stub = stubClient(rejectingRecords(invalidIndexes))
    // without a rate limit and without retries no time passes
    yield* TestClock.setTime(at(now).epochMillis)
    const { outcomes } = yield* Effect.provide(
      UsageSubmission.submitAll(records(count), { productCode: product, rate: Infinity }),
      stub.layer
    )
    assert.deepStrictEqual(
      summaries(outcomes),
      records(count).map(({ dimension }, i) =>
        invalidIndexes.includes(i) ? `Rejected ${wrongDimension._tag}` : `Accepted id-${dimension}`
      )
    )
    return stub.calls.length
  })

describe("valid records fill their calls", () => {
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
      const stub = stubClient(accept)
      const items = records(count).map((record, i) => ({
        record,
        productCode: `p${i % products}`
      }))
      const outcomes = yield* submitAll(items, stub, { rate: Infinity, bufferSize: 500 })
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
      const sizes = new Map<string, number>()
      for (const { productCode } of items) sizes.set(productCode, (sizes.get(productCode) ?? 0) + 1)
      const sum = [...sizes.values()].reduce((sum, size) => sum + Math.ceil(size / 25), 0)
      assert.deepStrictEqual([stub.calls.length, expected], [sum, sum])
    })
  )
})

describe("one invalid record takes at most 2 * ceil(log2 n) more calls", () => {
  it.effect.each(Array.from({ length: 25 }, (_, i) => [i + 1] as const))(
    "among %i records, at any index",
    ([count]) =>
      Effect.gen(function* () {
        const extra: Array<number> = []
        for (let invalidIndex = 0; invalidIndex < count; invalidIndex++) {
          extra.push((yield* callsFor(count, [invalidIndex])) - 1)
        }
        assert.isAtMost(Math.max(...extra), 2 * Math.ceil(Math.log2(count)))
        if (count === 25) assert.deepStrictEqual([Math.max(...extra), Math.min(...extra)], [9, 5])
      })
  )

  it.effect("among more records than fit in a call", () =>
    Effect.gen(function* () {
      assert.isAtMost(yield* callsFor(1_000, [511]), 40 + 10)
    })
  )

  it.effect("finds several invalid records", () =>
    Effect.gen(function* () {
      assert.isAtMost(yield* callsFor(25, [0, 12, 24]), 1 + 3 * 10)
      assert.strictEqual(
        yield* callsFor(
          25,
          Array.from({ length: 25 }, (_, i) => i)
        ),
        37
      )
    })
  )
})

/** A pseudo-random sequence from a seed. */
const randomly = (share: number, seed: number) => {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state / 2_147_483_648 < share
  }
}

describe("invalid records among 3000, where valid records take 120 calls", () => {
  const count = 3_000

  interface RejectionCase {
    readonly error: BatchMeterUsage.BatchMeterUsageError
    readonly wrong: (i: number) => Partial<UsageRecord.Input>
    readonly right: (i: number) => Partial<UsageRecord.Input>
    readonly isWrong: (record: UsageRecord.UsageRecord) => boolean
  }

  const customer = (i: number) => String(100_000_000_000 + i)
  const rejectionCases: { readonly [name: string]: RejectionCase } = {
    "one dimension": {
      error: wrongDimension,
      wrong: () => ({ dimension: "wrong" }),
      right: () => ({ dimension: "right" }),
      isWrong: ({ dimension }) => dimension === "wrong"
    },
    "a dimension each": {
      error: wrongDimension,
      wrong: (i) => ({ dimension: `wrong ${i}` }),
      right: () => ({ dimension: "right" }),
      isWrong: ({ dimension }) => dimension.startsWith("wrong")
    },
    "one set of tags": {
      error: makeException(MeteringError.InvalidTagException),
      wrong: (i) => ({
        usageAllocations: [{ allocatedUsageQuantity: i + 1, tags: [{ key: "wrong", value: "1" }] }]
      }),
      right: () => ({}),
      isWrong: ({ usageAllocations }) => usageAllocations !== undefined
    },
    "one customer": {
      error: makeException(MeteringError.InvalidCustomerIdentifierException),
      wrong: (i) => ({ dimension: `d${i}`, customerAWSAccountId: "1" }),
      right: () => ({}),
      isWrong: ({ customerAWSAccountId }) => customerAWSAccountId === "1"
    },
    "one time ahead": {
      error: makeException(MeteringError.TimestampOutOfBoundsException),
      wrong: () => ({ timestamp: at("2026-11-24T12:00:00Z") }),
      right: () => ({}),
      isWrong: ({ timestamp }) => timestamp.epochMillis > at(now).epochMillis
    },
    "one license, at all times of an hour": {
      error: makeException(MeteringError.InvalidLicenseException),
      wrong: (i) => ({
        dimension: `d${i}`,
        customerAWSAccountId: account,
        licenseArn: licenseArnOf(1),
        timestamp: at(`2026-11-24T09:${String((i * 37) % 60).padStart(2, "0")}:00Z`)
      }),
      right: () => ({ licenseArn: licenseArnOf(2) }),
      isWrong: ({ licenseArn }) => licenseArn === licenseArnOf(1)
    },
    "one license's product": {
      error: makeException(MeteringError.InvalidProductCodeException),
      wrong: (i) => ({
        dimension: `d${i}`,
        customerAWSAccountId: account,
        licenseArn: licenseArnOf(1)
      }),
      right: () => ({ licenseArn: licenseArnOf(2) }),
      isWrong: ({ licenseArn }) => licenseArn === licenseArnOf(1)
    }
  }

  it.effect.each<readonly [string, number, number]>([
    ["one dimension", 0.01, 180],
    ["one dimension", 0.2, 240],
    ["one dimension", 0.5, 240],
    ["one set of tags", 0.01, 180],
    ["one set of tags", 0.2, 240],
    ["one customer", 0.01, 180],
    ["one customer", 0.2, 240],
    ["one time ahead", 0.01, 180],
    ["one time ahead", 0.2, 240],
    ["one license, at all times of an hour", 0.01, 180],
    ["one license, at all times of an hour", 0.2, 240],
    ["one license's product", 0.01, 180],
    ["one license's product", 0.2, 240],
    // no rejection applies to another record
    ["a dimension each", 0.01, 360],
    ["a dimension each", 0.2, 2_600],
    ["a dimension each", 0.5, 3_030],
    ["a dimension each", 1, 3_030]
  ])("%s in a share of %d: at most %i calls", ([name, share, most]) =>
    Effect.gen(function* () {
      const rejectionCase = rejectionCases[name]
      if (rejectionCase === undefined) return assert.fail(name)
      const isWrong = randomly(share, 7)
      const items = Array.from({ length: count }, (_, i) => {
        const change = isWrong() ? rejectionCase.wrong(i) : rejectionCase.right(i)
        return record(i, { dimension: "right", customerAWSAccountId: customer(i), ...change })
      })
      const stub = stubClient((call) =>
        call.records.some(rejectionCase.isWrong) ? reject(rejectionCase.error) : accept(call)
      )
      yield* TestClock.setTime(at(now).epochMillis)
      const { outcomes } = yield* Effect.provide(
        UsageSubmission.submitAll(items, { productCode: product, rate: Infinity }),
        stub.layer
      )
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        items.map((item) => (rejectionCase.isWrong(item) ? "Rejected" : "Accepted"))
      )
      assert.isAtMost(stub.calls.length, most)
    })
  )

  it.effect("unprocessed records in half of the calls do not double the calls", () =>
    Effect.gen(function* () {
      const hasUnprocessed = randomly(0.5, 3)
      const stub = stubClient((call) => {
        if (!hasUnprocessed()) return accept(call)
        const [first, ...others] = call.records
        return Effect.succeed(
          makeResponse(
            others.map((record) => result(record)),
            first === undefined ? [] : [first]
          )
        )
      })
      const outcomes = yield* submitAll(records(count), stub)
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
      assert.isAtMost(stub.calls.length, 140)
    })
  )
})

describe("a cached rejection does not apply", () => {
  it.effect("after 5 minutes", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(at(now).epochMillis)
      const stub = stubClient((call, n) => (n === 1 ? reject(wrongDimension) : accept(call)))
      const queue = yield* Queue.unbounded<UsageRecord.UsageRecord>()
      const received: Array<UsageOutcome.Outcome> = []
      const fiber = yield* UsageSubmission.submit(Stream.fromQueue(queue), {
        productCode: product
      }).pipe(
        Stream.runForEach((outcome) => Effect.sync(() => received.push(outcome))),
        Effect.provide(stub.layer),
        Effect.fork
      )
      for (const quantity of [1, 2, 3]) {
        yield* Queue.offer(queue, record(0, { quantity }))
        yield* TestClock.adjust("3 minutes")
      }
      assert.deepStrictEqual(summaries(received), [
        "Rejected InvalidUsageDimensionException",
        "Rejected InvalidUsageDimensionException",
        "Accepted id-d0"
      ])
      assert.strictEqual(stub.calls.length, 2)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("to usage of another time under the same license", () =>
    Effect.gen(function* () {
      // the license starts at 10:10
      const licenseArn = "arn:aws:license-manager::111122223333:license:l-1"
      const licenseStart = at("2026-11-24T10:10:00Z").epochMillis
      const stub = stubClient((call) =>
        call.records.some(({ timestamp }) => timestamp.epochMillis < licenseStart)
          ? reject(makeException(MeteringError.InvalidLicenseException))
          : accept(call)
      )
      const times = ["09:00", "09:30", "10:00", "10:05", "10:12", "10:20", "10:25"]
      const outcomes = yield* submitAll(
        times.map((time, i) => record(i, { licenseArn, timestamp: at(`2026-11-24T${time}:00Z`) })),
        stub
      )
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        times.map((time) => (time < "10:10" ? "Rejected" : "Accepted"))
      )
    })
  )
})

describe("licenses of several products", () => {
  const errors: ReadonlyArray<BatchMeterUsage.BatchMeterUsageError> = [
    makeException(MeteringError.InvalidProductCodeException),
    makeException(MeteringError.InvalidLicenseException),
    makeException(MeteringError.InvalidUsageDimensionException),
    makeException(MeteringError.InvalidCustomerIdentifierException),
    new MeteringError.UnknownServiceError({
      operation: "BatchMeterUsage",
      code: "ValidationException",
      statusCode: 400
    }),
    new MeteringError.UnknownServiceError({
      operation: "BatchMeterUsage",
      code: "UnheardOfException",
      statusCode: 400
    })
  ]

  const cases = errors.flatMap((error) =>
    (
      [
        [2, 4],
        [2, 100],
        [3, 30]
      ] as const
    ).map(
      ([products, licenses]) =>
        [
          "code" in error && error.code !== undefined ? error.code : error._tag,
          products,
          licenses,
          error
        ] as const
    )
  )

  it.effect.each(cases)(
    "rejected with %s, of %i products and %i licenses: one bisection, then calls per license",
    ([, products, licenses, error]) =>
      Effect.gen(function* () {
        const productOf = (licenseArn = "") => Number(licenseArn.slice(-32)) % products
        const stub = stubClient((call) =>
          new Set(call.records.map(({ licenseArn }) => productOf(licenseArn))).size > 1
            ? reject(error)
            : accept(call)
        )
        const items = Array.from({ length: 1_000 }, (_, i) =>
          record(i, { licenseArn: licenseArnOf((i * 7) % licenses) })
        )
        const outcomes = yield* submitAll(items, stub, {
          productCode: undefined,
          rate: Infinity
        })
        assert.deepStrictEqual(
          outcomes.filter(({ _tag }) => _tag !== "Accepted"),
          []
        )
        const callsOfLicenses = licenses * Math.ceil(1_000 / licenses / 25)
        assert.isAtMost(stub.calls.length, callsOfLicenses + 10)
        // after the first bisection no call mixes products
        const hasSeveralProducts = stub.calls.map(
          ({ records }) => new Set(records.map(({ licenseArn }) => productOf(licenseArn))).size > 1
        )
        assert.isAtMost(hasSeveralProducts.lastIndexOf(true), 20)
      })
  )

  it.effect("of one product share calls from the start", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const items = Array.from({ length: 1_000 }, (_, i) =>
        record(i, { licenseArn: licenseArnOf(i) })
      )
      yield* submitAll(items, stub, { productCode: undefined, rate: Infinity })
      assert.strictEqual(stub.calls.length, 40)
    })
  )
})

describe("a call's size", () => {
  const encode = requestEncoder<BatchMeterUsage.BatchMeterUsageRequest>(BatchMeterUsage.operation)
  const bodyOf = ({ productCode, records }: Call) =>
    new TextEncoder().encode(
      encode(
        BatchMeterUsage.make(
          { ...(productCode !== undefined && { productCode }), usageRecords: records },
          { skipRules: ["recordCount"] }
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

  it.effect("stays below a megabyte, and comes close to it", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      // about 300 bytes per allocation: 290 kB per record
      yield* submitAll(
        Array.from({ length: 7 }, (_, i) => allocated(i, 1_000)),
        stub
      )
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.length),
        [3, 3, 1]
      )
      for (const call of stub.calls) assert.isBelow(bodyOf(call), 1_000_000)
    })
  )

  it.effect("makes a record invalid that is too large for any call", () =>
    Effect.gen(function* () {
      const stub = stubClient(accept)
      const large = record(0, {
        quantity: 2_500,
        usageAllocations: Array.from({ length: 2_500 }, (_, n) => ({
          allocatedUsageQuantity: 1,
          tags: ["a", "b"].map((key) => ({ key, value: `${"t".repeat(240)}${n}` }))
        })) as never
      })
      assert.deepStrictEqual(summaries(yield* submitAll([large, record(1)], stub)), [
        "Invalid request requestSize",
        "Accepted id-d1"
      ])
      assert.deepStrictEqual(
        summaries(yield* submitAll([large], stub, { skipRules: ["requestSize"] })),
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
    "is never above its estimate",
    [FastCheck.array(FastCheck.tuple(anyText, anyText), { minLength: 1, maxLength: 25 })],
    ([texts]) => {
      const all = texts.map(([dimension, customerIdentifier]) =>
        UsageRecord.make(
          { ...record(0, { customerIdentifier }), dimension },
          { skipRules: ["dimension", "customerIdentifier"] }
        )
      )
      const estimate = all.reduce((sum, one) => sum + recordBytes(one), envelopeBytes(product))
      const request = new BatchMeterUsage.BatchMeterUsageRequest(
        { productCode: product, usageRecords: all },
        true
      )
      assert.isAtMost(new TextEncoder().encode(encode(request)).length, estimate)
    }
  )
})
