/** Which records of a rejected call are rejected, and how many calls it takes to find them. */
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

const operation = "BatchMeterUsage"

const wrongDimension = new MeteringError.InvalidUsageDimensionException({ operation })
const wrongLicense = new MeteringError.InvalidLicenseException({ operation })
const wrongTag = new MeteringError.InvalidTagException({ operation })
const wrongCustomer = new MeteringError.InvalidCustomerIdentifierException({ operation })
const wrongTime = new MeteringError.TimestampOutOfBoundsException({ operation })
const multipleProducts = new MeteringError.UnknownServiceError({
  operation,
  code: "ValidationException",
  statusCode: 400
})

const license = (n: number) =>
  `arn:aws:license-manager::111122223333:license:l-${String(n).padStart(32, "0")}`

type ErrorOf = (record: UsageRecord.UsageRecord) => BatchMeterUsageError | undefined

/** A service that refuses a call for the error that comes first in its order of checks. */
const rejectingInOrder =
  (order: ReadonlyArray<BatchMeterUsageError>, errorOf: ErrorOf) => (call: Call) => {
    const errors = new Set(call.records.map(errorOf))
    const first = order.find((error) => errors.has(error))
    return first === undefined ? accept(call) : reject(first)
  }

/** More calls than this are a defect of the client, which ends the submission: one without end would end no test. */
const limitCalls =
  (count: number, service: (call: Call) => ResponseEffect) =>
  (call: Call, n: number): ResponseEffect =>
    n > count ? Effect.die(new Error(`more than ${count} calls`)) : service(call)

/** Two for each record, and four bisections of a full call. */
const maxCalls = (records: number): number => 2 * records + 4 * Math.ceil(Math.log2(25))

const delayed = <A>(seconds: number, values: Iterable<A>) =>
  Stream.unwrap(Effect.as(Effect.sleep(`${seconds} seconds`), Stream.fromIterable(values)))

/** Submits two records, and the others once those were taken: exactly the records at fault are rejected. */
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
    ["ends where calls are small", 0],
    ["ends among records that are suspected of another error", 1]
  ])("%s", ([, suspects]) =>
    Effect.gen(function* () {
      const begin = at("2026-11-24T10:00:00Z").epochMillis
      const faultOf: ErrorOf = ({ dimension, timestamp }) =>
        timestamp.epochMillis < begin
          ? wrongLicense
          : dimension.startsWith("bad")
            ? wrongDimension
            : undefined
      const of = (i: number, change: Partial<UsageRecord.Input>) =>
        record(i, { licenseArn: license(1), ...change })
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
      const service = rejectingInOrder([wrongLicense, wrongDimension], faultOf)
      const answers = stubClient(limitCalls(2 * items.length, service))
      const outcomes = yield* submitAll(items, answers)
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        items.map((item) => (faultOf(item) === undefined ? "Accepted" : "Rejected"))
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

  /** What can be wrong with a record, most of it shared by few. */
  const faults = FastCheck.constantFrom<(i: number) => Partial<UsageRecord.Input>>(
    (i) => ({ dimension: `bad ${i % 40}` }),
    (i) => ({ customerAWSAccountId: `9${i % 2}` }),
    () => ({ licenseArn: license(9) }),
    () => ({ timestamp: at("2026-11-24T12:00:00Z") }),
    (i) => ({
      usageAllocations: [{ allocatedUsageQuantity: i + 1, tags: [{ key: "k", value: "bad" }] }]
    })
  )

  const world = FastCheck.record({
    order: FastCheck.shuffledSubarray([...errors], { minLength: errors.length }),
    // hours from which the licenses are active
    begins: FastCheck.array(FastCheck.integer({ min: 0, max: 8 }), { minLength: 4, maxLength: 4 }),
    products: FastCheck.constantFrom(1, 2, 4),
    share: FastCheck.constantFrom(0.01, 0.1, 0.3, 0.6, 1),
    bufferSize: FastCheck.constantFrom(30, 5_000),
    concurrency: FastCheck.constantFrom(1, 10),
    isSlow: FastCheck.boolean(),
    seed: FastCheck.integer(),
    all: FastCheck.array(
      FastCheck.tuple(usage, faults, FastCheck.double({ noNaN: true, min: 0, max: 1 })),
      {
        minLength: 150,
        maxLength: 150
      }
    )
  })

  it.effect.prop(
    "finds exactly the records at fault in at most two calls a record",
    [world],
    ([{ all, begins, bufferSize, concurrency, isSlow, order, products, seed, share }]) =>
      Effect.gen(function* () {
        const items = all.map(([{ customer, dimension, hour, license: n }, fault, chance], i) =>
          record(i, {
            dimension: `d${dimension}`,
            customerAWSAccountId: String(111122223333 + customer),
            timestamp: at(`2026-11-24T0${hour}:00:00Z`),
            ...(n !== undefined && { licenseArn: license(n) }),
            ...(chance < share ? fault(i) : {})
          })
        )
        const beginOf = (licenseArn: string) =>
          at(`2026-11-24T0${begins[Number(licenseArn.at(-1))] ?? 0}:00:00Z`).epochMillis
        const faultOf: ErrorOf = (one) => {
          const { customerAWSAccountId = "", dimension, licenseArn, timestamp } = one
          const has = new Map<BatchMeterUsageError, boolean>([
            [wrongTime, timestamp.epochMillis > at(now).epochMillis],
            [
              wrongLicense,
              licenseArn !== undefined &&
                (licenseArn === license(9) || timestamp.epochMillis < beginOf(licenseArn))
            ],
            [wrongDimension, dimension.startsWith("bad")],
            [wrongTag, one.usageAllocations !== undefined],
            [wrongCustomer, customerAWSAccountId.startsWith("9")]
          ])
          return order.find((error) => has.get(error) === true)
        }
        const service = (call: Call): ResponseEffect => {
          const found = new Set(call.records.map(faultOf))
          const productsOf = new Set(
            call.records.map(({ licenseArn }) => Number(licenseArn?.at(-1) ?? 0) % products)
          )
          if (productsOf.size > 1) found.add(multipleProducts)
          const first = order.find((error) => found.has(error))
          const told = first === undefined ? accept(call) : reject(first)
          return isSlow ? Effect.delay(told, "100 millis") : told
        }
        const answers = stubClient(limitCalls(maxCalls(items.length), service))
        const { outcomes } = yield* UsageSubmission.submitAll(items, {
          productCode: product,
          rate: Number.POSITIVE_INFINITY,
          bufferSize,
          concurrency
        }).pipe(
          Effect.provide(answers.layer),
          Effect.withClock(virtualClock.make(at(now).epochMillis)),
          Effect.withRandom(Random.make(seed))
        )
        assert.deepStrictEqual(
          outcomes.map(({ _tag }) => _tag),
          items.map((item) => (faultOf(item) === undefined ? "Accepted" : "Rejected"))
        )
      }),
    { fastCheck: { numRuns: 60 }, timeout: 120_000 }
  )
})

describe("a rejection", () => {
  /** What a record has to share to be refused for the same, whatever else differs. */
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
    "follows a rejected call of records that share its cause, even where the service changes its mind",
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
    ([all, moods]) =>
      Effect.gen(function* () {
        const items = all.map(({ customer, dimension, license: n, minute }, i) =>
          record(i, {
            dimension: `d${dimension}`,
            customerAWSAccountId: String(111122223333 + customer),
            timestamp: at(`2026-11-24T10:${String(minute).padStart(2, "0")}:00Z`),
            ...(n > 0 && { licenseArn: license(n) })
          })
        )
        const refused: Array<readonly [BatchMeterUsageError, Call["records"]]> = []
        const service = (call: Call): ResponseEffect => {
          const mood = moods.next().value
          if (mood === undefined) return accept(call)
          refused.push([mood, call.records])
          return reject(mood)
        }
        const answers = stubClient(limitCalls(maxCalls(items.length), service))
        const { outcomes } = yield* UsageSubmission.submitAll(items, {
          productCode: product,
          rate: Number.POSITIVE_INFINITY
        }).pipe(
          Effect.provide(answers.layer),
          Effect.withClock(virtualClock.make(at(now).epochMillis))
        )
        for (const outcome of outcomes) {
          if (outcome._tag !== "Rejected") continue
          const cause = causeOf(outcome.error, outcome.record)
          const isProven = refused.some(
            ([error, records]) =>
              error === outcome.error && records.every((record) => causeOf(error, record) === cause)
          )
          assert.isTrue(isProven, `record ${outcome.index}: no call proves it`)
        }
      }),
    { fastCheck: { numRuns: 100 }, timeout: 120_000 }
  )

  it.effect("is never inferred from the acceptance of the other records of a call", () =>
    Effect.gen(function* () {
      const answers = stubClient(() => reject(wrongDimension), accept)
      const later = Array.from({ length: 200 }, (_, i) =>
        record(i, { dimension: "y", customerAWSAccountId: String(222200000000 + i) })
      )
      const source = Stream.concat(
        Stream.make(record(0, { dimension: "x" }), record(1, { dimension: "y" })),
        delayed(10, later)
      )
      const outcomes = yield* submitAll(source, answers)
      assert.deepStrictEqual(
        outcomes.filter(({ _tag }) => _tag !== "Accepted"),
        []
      )
      assert.deepStrictEqual(
        answers.calls.slice(0, 3).map(({ records }) => records.length),
        [2, 1, 1]
      )
    })
  )

  it.effect("is not repeated from memory once a record with its cause was accepted", () =>
    Effect.gen(function* () {
      const of = (i: number) =>
        record(i, { dimension: "y", customerAWSAccountId: String(222200000000 + i) })
      // the first is refused while the second is under way, which then is accepted
      const answers = stubClient(
        () => Effect.delay(reject(wrongDimension), "5 seconds"),
        (call) => Effect.delay(accept(call), "10 seconds"),
        accept
      )
      const source = Stream.concat(
        Stream.make(of(0)),
        Stream.concat(delayed(3, [of(1)]), delayed(17, [of(2)]))
      )
      assert.deepStrictEqual(summaries(yield* submitAll(source, answers)), [
        `Rejected ${wrongDimension._tag}`,
        "Accepted id-y",
        "Accepted id-y"
      ])
    })
  )

  it.effect("for a dimension is of one license, even where a call with two was accepted", () =>
    Effect.gen(function* () {
      const faultOf: ErrorOf = ({ dimension, licenseArn }) =>
        dimension === "b" && licenseArn === license(1) ? wrongDimension : undefined
      const items = [
        // taken together
        ...[1, 2].map((n) => record(n, { dimension: "a", licenseArn: license(n) })),
        ...Array.from({ length: 120 }, (_, i) =>
          record(i, {
            dimension: "b",
            customerAWSAccountId: String(222200000000 + i),
            licenseArn: license(1 + (i % 2))
          })
        )
      ]
      yield* expectExactlyRejected(items, wrongDimension, faultOf)
    })
  )

  it.effect("for tags or a product code is of one license as well", () =>
    Effect.gen(function* () {
      for (const error of [
        wrongTag,
        new MeteringError.InvalidProductCodeException({ operation })
      ]) {
        const usageAllocations = (i: number) =>
          [{ allocatedUsageQuantity: i + 1, tags: [{ key: "k", value: "v" }] }] as const
        const faultOf: ErrorOf = (one) =>
          one.licenseArn === license(1) && one.usageAllocations !== undefined ? error : undefined
        const items = [
          ...[1, 2].map((n) => record(n, { licenseArn: license(n) })),
          ...Array.from({ length: 60 }, (_, i) =>
            record(i, { usageAllocations: usageAllocations(i), licenseArn: license(1 + (i % 2)) })
          )
        ]
        yield* expectExactlyRejected(items, error, faultOf)
      }
    })
  )

  it.effect("for usage shortly ahead is of one customer, whose agreement may have ended", () =>
    Effect.gen(function* () {
      const items = Array.from({ length: 60 }, (_, i) =>
        record(i, {
          customerAWSAccountId: String(222200000000 + i),
          timestamp: at("2026-11-24T10:33:00Z")
        })
      )
      const faultOf: ErrorOf = ({ customerAWSAccountId }) =>
        customerAWSAccountId === "222200000007" ? wrongTime : undefined
      const outcomes = yield* submitAll(items, stubClient(rejectingInOrder([wrongTime], faultOf)))
      assert.deepStrictEqual(
        outcomes.map(({ _tag }) => _tag),
        items.map((item) => (faultOf(item) === undefined ? "Accepted" : "Rejected"))
      )
    })
  )

  it.effect("for a license is of one time of usage, not of the times between two", () =>
    Effect.gen(function* () {
      const [begin, end] = [at("2026-11-24T10:10:00Z"), at("2026-11-24T10:20:00Z")]
      const faultOf: ErrorOf = ({ timestamp: { epochMillis } }) =>
        begin.epochMillis <= epochMillis && epochMillis < end.epochMillis ? undefined : wrongLicense
      const answers = stubClient(rejectingInOrder([wrongLicense], faultOf))
      const of = (i: number, time: string) =>
        record(i, { licenseArn: license(1), timestamp: at(`2026-11-24T${time}:00Z`) })
      const source = Stream.concat(
        Stream.make(of(0, "10:05")),
        Stream.concat(delayed(5, [of(1, "10:25")]), delayed(5, [of(2, "10:15")]))
      )
      assert.deepStrictEqual(summaries(yield* submitAll(source, answers)), [
        `Rejected ${wrongLicense._tag}`,
        `Rejected ${wrongLicense._tag}`,
        "Accepted id-d2"
      ])
    })
  )
})
