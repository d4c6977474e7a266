/** Isolation of the invalid records of rejected calls, and the number of calls that it takes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Random, Stream } from "effect"
import type { BatchMeterUsageError } from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import type * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import * as UsageSubmission from "effect-marketplace-metering/UsageSubmission"
import {
  accept,
  at,
  type Call,
  licenseArnOf,
  makeException,
  now,
  product,
  type ResponseEffect,
  record,
  reject,
  stubClient,
  submitAll,
  summaries
} from "./support.js"
import * as virtualClock from "./virtualClock.js"

const wrongDimension = makeException(MeteringError.InvalidUsageDimensionException)
const wrongLicense = makeException(MeteringError.InvalidLicenseException)
const wrongTag = makeException(MeteringError.InvalidTagException)
const wrongCustomer = makeException(MeteringError.InvalidCustomerIdentifierException)
const wrongTime = makeException(MeteringError.TimestampOutOfBoundsException)
const multipleProducts = new MeteringError.UnknownServiceError({
  operation: "BatchMeterUsage",
  code: "ValidationException",
  statusCode: 400
})

type ErrorOf = (record: UsageRecord.UsageRecord) => BatchMeterUsageError | undefined

/** Rejects a call with the first error in the order of the service's checks. */
const rejectingInOrder =
  (order: ReadonlyArray<BatchMeterUsageError>, errorOf: ErrorOf) => (call: Call) => {
    const errors = new Set(call.records.map(errorOf))
    const first = order.find((error) => errors.has(error))
    return first === undefined ? accept(call) : reject(first)
  }

/** Dies after `count` calls, so that an endless submission fails its test. */
const limitCalls =
  (count: number, service: (call: Call) => ResponseEffect) =>
  (call: Call, n: number): ResponseEffect =>
    n > count ? Effect.die(new Error(`more than ${count} calls`)) : service(call)

/** Two calls per record, and four bisections of a full call. */
const maxCalls = (records: number): number => 2 * records + 4 * Math.ceil(Math.log2(25))

const delayed = <A>(seconds: number, values: Iterable<A>) =>
  Stream.unwrap(Effect.as(Effect.sleep(`${seconds} seconds`), Stream.fromIterable(values)))

/** Submits two records, and the others after their outcome. Exactly the invalid records are rejected. */
const expectExactlyRejected = (
  items: ReadonlyArray<UsageRecord.UsageRecord>,
  error: BatchMeterUsageError,
  errorOf: ErrorOf
) =>
  Effect.gen(function* () {
    const source = Stream.concat(Stream.fromIterable(items.slice(0, 2)), delayed(5, items.slice(2)))
    const outcomes = yield* submitAll(source, stubClient(rejectingInOrder([error], errorOf)))
    assert.deepStrictEqual(
      outcomes.map(({ _tag }) => _tag),
      items.map((item) => (errorOf(item) === undefined ? "Accepted" : "Rejected"))
    )
  })

describe("bisection of rejected calls", () => {
  it.effect.each<readonly [string, number]>([
    ["ends with small calls", 0],
    ["ends among records with another suspected cause", 1]
  ])("%s", ([, suspects]) =>
    Effect.gen(function* () {
      const licenseStart = at("2026-11-24T10:00:00Z").epochMillis
      const errorOf: ErrorOf = ({ dimension, timestamp }) =>
        timestamp.epochMillis < licenseStart
          ? wrongLicense
          : dimension.startsWith("bad")
            ? wrongDimension
            : undefined
      const of = (i: number, change: Partial<UsageRecord.Input>) =>
        record(i, { licenseArn: licenseArnOf(1), ...change })
      const items = [
        ...Array.from({ length: 40 }, (_, i) =>
          of(i, { dimension: `bad ${i}`, timestamp: at(`2026-11-24T10:0${i % 10}:00Z`) })
        ),
        ...Array.from({ length: suspects }, (_, i) =>
          of(i, { timestamp: at("2026-11-24T09:30:00Z") })
        ),
        ...Array.from({ length: 8 }, (_, i) => of(i, {})),
        of(0, { dimension: "bad" })
      ]
      const service = rejectingInOrder([wrongLicense, wrongDimension], errorOf)
      const stub = stubClient(limitCalls(2 * items.length, service))
      const outcomes = yield* submitAll(items, stub)
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        items.map((item) => (errorOf(item) === undefined ? "Accepted" : "Rejected"))
      )
    })
  )

  const errors = [
    wrongTime,
    wrongLicense,
    multipleProducts,
    wrongDimension,
    wrongTag,
    wrongCustomer
  ] as const

  const usage = FastCheck.record({
    license: FastCheck.constantFrom(undefined, 0, 1, 2, 3),
    customer: FastCheck.nat({ max: 2 }),
    dimension: FastCheck.nat({ max: 9 }),
    hour: FastCheck.integer({ min: 4, max: 9 })
  })

  /** Invalid fields, most of them shared by few records. */
  const invalidFields = FastCheck.constantFrom<(i: number) => Partial<UsageRecord.Input>>(
    (i) => ({ dimension: `bad ${i % 40}` }),
    (i) => ({ customerAWSAccountId: `9${i % 2}` }),
    () => ({ licenseArn: licenseArnOf(9) }),
    () => ({ timestamp: at("2026-11-24T12:00:00Z") }),
    (i) => ({
      usageAllocations: [{ allocatedUsageQuantity: i + 1, tags: [{ key: "k", value: "bad" }] }]
    })
  )

  const scenarios = FastCheck.record({
    order: FastCheck.shuffledSubarray([...errors], { minLength: errors.length }),
    // the hour of each license
    licenseStarts: FastCheck.array(FastCheck.integer({ min: 0, max: 8 }), {
      minLength: 4,
      maxLength: 4
    }),
    products: FastCheck.constantFrom(1, 2, 4),
    share: FastCheck.constantFrom(0.01, 0.1, 0.3, 0.6, 1),
    bufferSize: FastCheck.constantFrom(30, 5_000),
    concurrency: FastCheck.constantFrom(1, 10),
    isSlow: FastCheck.boolean(),
    seed: FastCheck.integer(),
    all: FastCheck.array(
      FastCheck.tuple(usage, invalidFields, FastCheck.double({ noNaN: true, min: 0, max: 1 })),
      {
        minLength: 150,
        maxLength: 150
      }
    )
  })

  it.effect.prop(
    "finds exactly the invalid records in at most two calls per record",
    [scenarios],
    ([{ all, licenseStarts, bufferSize, concurrency, isSlow, order, products, seed, share }]) =>
      Effect.gen(function* () {
        const items = all.map(([{ customer, dimension, hour, license: n }, fault, chance], i) =>
          record(i, {
            dimension: `d${dimension}`,
            customerAWSAccountId: String(111122223333 + customer),
            timestamp: at(`2026-11-24T0${hour}:00:00Z`),
            ...(n !== undefined && { licenseArn: licenseArnOf(n) }),
            ...(chance < share ? fault(i) : {})
          })
        )
        const licenseStartOf = (licenseArn: string) =>
          at(`2026-11-24T0${licenseStarts[Number(licenseArn.at(-1))] ?? 0}:00:00Z`).epochMillis
        const errorOf: ErrorOf = (one) => {
          const { customerAWSAccountId = "", dimension, licenseArn, timestamp } = one
          const has = new Map<BatchMeterUsageError, boolean>([
            [wrongTime, timestamp.epochMillis > at(now).epochMillis],
            [
              wrongLicense,
              licenseArn !== undefined &&
                (licenseArn === licenseArnOf(9) ||
                  timestamp.epochMillis < licenseStartOf(licenseArn))
            ],
            [wrongDimension, dimension.startsWith("bad")],
            [wrongTag, one.usageAllocations !== undefined],
            [wrongCustomer, customerAWSAccountId.startsWith("9")]
          ])
          return order.find((error) => has.get(error) === true)
        }
        const service = (call: Call): ResponseEffect => {
          const found = new Set(call.records.map(errorOf))
          const productsOf = new Set(
            call.records.map(({ licenseArn }) => Number(licenseArn?.at(-1) ?? 0) % products)
          )
          if (productsOf.size > 1) found.add(multipleProducts)
          const first = order.find((error) => found.has(error))
          const response = first === undefined ? accept(call) : reject(first)
          return isSlow ? Effect.delay(response, "100 millis") : response
        }
        const stub = stubClient(limitCalls(maxCalls(items.length), service))
        const { outcomes } = yield* UsageSubmission.submitAll(items, {
          productCode: product,
          rate: Number.POSITIVE_INFINITY,
          bufferSize,
          concurrency
        }).pipe(
          Effect.provide(stub.layer),
          Effect.withClock(virtualClock.make(at(now).epochMillis)),
          Effect.withRandom(Random.make(seed))
        )
        assert.deepStrictEqual(
          outcomes.map(({ _tag }) => _tag),
          items.map((item) => (errorOf(item) === undefined ? "Accepted" : "Rejected"))
        )
      }),
    { fastCheck: { numRuns: 60 }, timeout: 120_000 }
  )
})

describe("a rejection", () => {
  /** The fields that records have to share to be rejected together with this error. */
  const causeOf = (error: BatchMeterUsageError, one: UsageRecord.Input): string => {
    const { customerAWSAccountId, dimension, licenseArn, timestamp } = one
    switch (error) {
      case wrongDimension:
        return JSON.stringify([licenseArn, dimension])
      case wrongLicense:
        return JSON.stringify([licenseArn, customerAWSAccountId, timestamp.epochMillis])
      case wrongCustomer:
        return JSON.stringify([licenseArn, customerAWSAccountId])
      default:
        return JSON.stringify([licenseArn, customerAWSAccountId, dimension, timestamp.epochMillis])
    }
  }

  it.effect.prop(
    "needs a rejected call of records that share its cause, even if the service is inconsistent",
    [
      FastCheck.array(
        FastCheck.record({
          license: FastCheck.constantFrom(0, 0, 0, 1, 2),
          customer: FastCheck.nat({ max: 2 }),
          dimension: FastCheck.nat({ max: 4 }),
          minute: FastCheck.nat({ max: 29 })
        }),
        { minLength: 1, maxLength: 120, size: "max" }
      ),
      FastCheck.infiniteStream(
        FastCheck.oneof(
          { weight: 2, arbitrary: FastCheck.constant(undefined) },
          {
            weight: 1,
            arbitrary: FastCheck.constantFrom(
              wrongDimension,
              wrongLicense,
              wrongCustomer,
              multipleProducts
            )
          }
        )
      )
    ],
    ([all, responses]) =>
      Effect.gen(function* () {
        const items = all.map(({ customer, dimension, license: n, minute }, i) =>
          record(i, {
            dimension: `d${dimension}`,
            customerAWSAccountId: String(111122223333 + customer),
            timestamp: at(`2026-11-24T10:${String(minute).padStart(2, "0")}:00Z`),
            ...(n > 0 && { licenseArn: licenseArnOf(n) })
          })
        )
        const rejected: Array<readonly [BatchMeterUsageError, Call["records"]]> = []
        const service = (call: Call): ResponseEffect => {
          const error = responses.next().value
          if (error === undefined) return accept(call)
          rejected.push([error, call.records])
          return reject(error)
        }
        const stub = stubClient(limitCalls(maxCalls(items.length), service))
        const { outcomes } = yield* UsageSubmission.submitAll(items, {
          productCode: product,
          rate: Number.POSITIVE_INFINITY
        }).pipe(
          Effect.provide(stub.layer),
          Effect.withClock(virtualClock.make(at(now).epochMillis))
        )
        for (const outcome of outcomes) {
          if (outcome._tag !== "Rejected") continue
          const cause = causeOf(outcome.error, outcome.record)
          const isProven = rejected.some(
            ([error, records]) =>
              error === outcome.error && records.every((record) => causeOf(error, record) === cause)
          )
          assert.isTrue(isProven, `record ${outcome.index}: no rejected call proves it`)
        }
      }),
    { fastCheck: { numRuns: 100 }, timeout: 120_000 }
  )

  it.effect("is never inferred from the acceptance of the other records of a call", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => reject(wrongDimension), accept)
      const later = Array.from({ length: 200 }, (_, i) =>
        record(i, { dimension: "y", customerAWSAccountId: String(222200000000 + i) })
      )
      const source = Stream.concat(
        Stream.make(record(0, { dimension: "x" }), record(1, { dimension: "y" })),
        delayed(10, later)
      )
      const outcomes = yield* submitAll(source, stub)
      assert.deepStrictEqual(
        outcomes.filter(({ _tag }) => _tag !== "Accepted"),
        []
      )
      assert.deepStrictEqual(
        stub.calls.slice(0, 3).map(({ records }) => records.length),
        [2, 1, 1]
      )
    })
  )

  it.effect("is not taken from the cache after a record with its cause was accepted", () =>
    Effect.gen(function* () {
      const of = (i: number) =>
        record(i, { dimension: "y", customerAWSAccountId: String(222200000000 + i) })
      // the first is rejected while the second is in flight, which is then accepted
      const stub = stubClient(
        () => Effect.delay(reject(wrongDimension), "5 seconds"),
        (call) => Effect.delay(accept(call), "10 seconds"),
        accept
      )
      const source = Stream.concat(
        Stream.make(of(0)),
        Stream.concat(delayed(3, [of(1)]), delayed(17, [of(2)]))
      )
      assert.deepStrictEqual(summaries(yield* submitAll(source, stub)), [
        `Rejected ${wrongDimension._tag}`,
        "Accepted id-y",
        "Accepted id-y"
      ])
    })
  )

  it.effect(
    "for a dimension applies to one license, even after a call with two licenses was accepted",
    () =>
      Effect.gen(function* () {
        const errorOf: ErrorOf = ({ dimension, licenseArn }) =>
          dimension === "b" && licenseArn === licenseArnOf(1) ? wrongDimension : undefined
        const items = [
          // accepted together
          ...[1, 2].map((n) => record(n, { dimension: "a", licenseArn: licenseArnOf(n) })),
          ...Array.from({ length: 120 }, (_, i) =>
            record(i, {
              dimension: "b",
              customerAWSAccountId: String(222200000000 + i),
              licenseArn: licenseArnOf(1 + (i % 2))
            })
          )
        ]
        yield* expectExactlyRejected(items, wrongDimension, errorOf)
      })
  )

  it.effect("for tags or a product code applies to one license", () =>
    Effect.gen(function* () {
      for (const error of [wrongTag, makeException(MeteringError.InvalidProductCodeException)]) {
        const usageAllocations = (i: number) =>
          [{ allocatedUsageQuantity: i + 1, tags: [{ key: "k", value: "v" }] }] as const
        const errorOf: ErrorOf = (one) =>
          one.licenseArn === licenseArnOf(1) && one.usageAllocations !== undefined
            ? error
            : undefined
        const items = [
          ...[1, 2].map((n) => record(n, { licenseArn: licenseArnOf(n) })),
          ...Array.from({ length: 60 }, (_, i) =>
            record(i, {
              usageAllocations: usageAllocations(i),
              licenseArn: licenseArnOf(1 + (i % 2))
            })
          )
        ]
        yield* expectExactlyRejected(items, error, errorOf)
      }
    })
  )

  it.effect("for usage shortly ahead applies to one customer, whose agreement may have ended", () =>
    Effect.gen(function* () {
      const items = Array.from({ length: 60 }, (_, i) =>
        record(i, {
          customerAWSAccountId: String(222200000000 + i),
          timestamp: at("2026-11-24T10:33:00Z")
        })
      )
      const errorOf: ErrorOf = ({ customerAWSAccountId }) =>
        customerAWSAccountId === "222200000007" ? wrongTime : undefined
      const outcomes = yield* submitAll(items, stubClient(rejectingInOrder([wrongTime], errorOf)))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        items.map((item) => (errorOf(item) === undefined ? "Accepted" : "Rejected"))
      )
    })
  )

  it.effect("for a license applies to one time of usage, not to the times between two", () =>
    Effect.gen(function* () {
      const [begin, end] = [at("2026-11-24T10:10:00Z"), at("2026-11-24T10:20:00Z")]
      const errorOf: ErrorOf = ({ timestamp: { epochMillis } }) =>
        begin.epochMillis <= epochMillis && epochMillis < end.epochMillis ? undefined : wrongLicense
      const stub = stubClient(rejectingInOrder([wrongLicense], errorOf))
      const of = (i: number, time: string) =>
        record(i, { licenseArn: licenseArnOf(1), timestamp: at(`2026-11-24T${time}:00Z`) })
      const source = Stream.concat(
        Stream.make(of(0, "10:05")),
        Stream.concat(delayed(5, [of(1, "10:25")]), delayed(5, [of(2, "10:15")]))
      )
      assert.deepStrictEqual(summaries(yield* submitAll(source, stub)), [
        `Rejected ${wrongLicense._tag}`,
        `Rejected ${wrongLicense._tag}`,
        "Accepted id-d2"
      ])
    })
  )
})
