/** The effect of each error of a call on its records, on other records and on later calls. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, DateTime, Duration, Effect, Exit, Schedule, Stream } from "effect"
import type { BatchMeterUsageError } from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import {
  accept,
  type Call,
  licenseArnOf,
  makeException,
  makeResponse,
  record,
  records,
  reject,
  result,
  stubClient,
  submitAll,
  summaries
} from "./support.js"

const operation = "BatchMeterUsage"
const endpoint = "https://metering.example"

const connectionError = (delivery: "notSent" | "unknown", reason = "ECONNRESET") =>
  new MeteringError.ConnectionError({ operation, endpoint, reason, delivery })
const unexpectedResponse = (statusCode: number) =>
  new MeteringError.UnexpectedResponseError({ operation, statusCode, bodyLength: 0 })
const unknownServiceError = (code: string, statusCode = 400) =>
  new MeteringError.UnknownServiceError({ operation, code, statusCode })
const makeCodedError = <E extends BatchMeterUsageError>(Class: {
  new (fields: { operation: typeof operation; code: string }): E
}) => new Class({ operation, code: "Code" })

const timeoutError = new MeteringError.RequestTimeoutError({
  operation,
  endpoint,
  timeout: Duration.seconds(30)
})

/** Every error with its meaning. */
const table: ReadonlyArray<readonly [BatchMeterUsageError, Meaning]> = [
  [makeException(MeteringError.ThrottlingException), "throttled"],
  [unknownServiceError("SlowDown"), "throttled"],
  [unexpectedResponse(429), "throttled"],

  [makeException(MeteringError.InternalServiceErrorException), "unknown"],
  [timeoutError, "unknown"],
  [connectionError("unknown"), "unknown"],
  [unexpectedResponse(200), "unknown"],
  [unexpectedResponse(502), "unknown"],
  [unexpectedResponse(503), "unknown"],
  [unknownServiceError("RequestTimeout"), "unknown"],
  [unknownServiceError("UnheardOf", 500), "unknown"],
  [unknownServiceError("AgreementLimitExceededException", 500), "unknown"],

  [connectionError("notSent", "ECONNREFUSED"), "not delivered"],

  [makeException(MeteringError.InvalidUsageDimensionException), "dimension"],
  [makeException(MeteringError.InvalidTagException), "record"],
  [makeException(MeteringError.InvalidUsageAllocationsException), "record"],
  [makeException(MeteringError.InvalidCustomerIdentifierException), "record"],
  [makeException(MeteringError.TimestampOutOfBoundsException), "record"],
  [makeException(MeteringError.InvalidLicenseException), "record"],
  [unknownServiceError("ValidationException"), "record"],
  [unknownServiceError("SerializationException"), "record"],

  [makeException(MeteringError.InvalidProductCodeException), "product"],
  [makeException(MeteringError.DisabledApiException), "product"],
  [makeCodedError(MeteringError.AccessDeniedError), "product"],
  [unknownServiceError("UnheardOfException"), "product"],
  [unknownServiceError("RequestSizeLimitExceeded", 413), "product"],

  [makeCodedError(MeteringError.CredentialsExpiredError), "caller"],
  [makeCodedError(MeteringError.CredentialsRejectedError), "caller"],
  [makeCodedError(MeteringError.ClockSkewError), "caller"],
  [unexpectedResponse(403), "caller"],
  [unexpectedResponse(302), "caller"],
  [new MeteringError.CredentialsError({ tried: ["env"], reason: "none" }), "caller, not sent"],
  [connectionError("notSent", "CERT_HAS_EXPIRED"), "caller, not sent"],
  [unexpectedResponse(408), "caller, unknown"],
  [connectionError("unknown", "CERT_HAS_EXPIRED"), "caller, unknown"]
]

type Meaning =
  | "throttled"
  | "unknown"
  | "not delivered"
  | "record"
  | "dimension"
  | "product"
  | "caller"
  | "caller, not sent"
  | "caller, unknown"

/** Outcomes of the record of the call, of a waiting record of its product, and of one of another product. */
const expectations: { readonly [M in Meaning]: (tag: string) => Expected } = {
  throttled: (tag) => ({ ownOutcome: `NotSent Throttled ${tag}`, attempts: 3 }),
  unknown: (tag) => ({ ownOutcome: `Unknown NoResponse ${tag}`, attempts: 3 }),
  "not delivered": (tag) => ({ ownOutcome: `NotSent Undelivered ${tag}`, attempts: 3 }),
  record: (tag) => ({ ownOutcome: `Rejected ${tag}`, attempts: 1 }),
  // the waiting record has the same dimension
  dimension: (tag) => ({
    ownOutcome: `Rejected ${tag}`,
    attempts: 1,
    sameProductOutcome: `Rejected ${tag}`
  }),
  product: (tag) => ({
    ownOutcome: `Rejected ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Rejected ${tag}`
  }),
  caller: (tag) => ({
    ownOutcome: `Rejected ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Rejected ${tag}`,
    otherProductOutcome: `NotSent Rejected ${tag}`
  }),
  "caller, not sent": (tag) => ({
    ownOutcome: `NotSent Undelivered ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Undelivered ${tag}`,
    otherProductOutcome: `NotSent Undelivered ${tag}`
  }),
  "caller, unknown": (tag) => ({
    ownOutcome: `Unknown NoResponse ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Rejected ${tag}`,
    otherProductOutcome: `NotSent Rejected ${tag}`
  })
}

interface Expected {
  readonly ownOutcome: string
  readonly attempts: number
  readonly sameProductOutcome?: string
  readonly otherProductOutcome?: string
}

const titleOf = (error: BatchMeterUsageError) =>
  [
    error._tag,
    "code" in error ? error.code : undefined,
    error.statusCode,
    "delivery" in error ? `${error.delivery} ${error.reason}` : undefined
  ]
    .filter((part) => part !== undefined)
    .join(" ")

const rows = table.map(([error, meaning]) => [titleOf(error), meaning, error] as const)

/** One record that is always rejected, one with its key that waits, and one of another product. */
const threeRecords = [
  { record: record(0), productCode: "rejected" },
  { record: record(0, { quantity: 2 }), productCode: "rejected" },
  { record: record(2), productCode: "other" }
]

const options = { schedule: MeteringRetry.standard, concurrency: 1 }

describe("a persistent error", () => {
  it.effect.each(rows)("%s: %s", ([, meaning, error]) =>
    Effect.gen(function* () {
      const {
        attempts,
        otherProductOutcome = "Accepted id-d2",
        ownOutcome,
        sameProductOutcome = "Accepted id-d0"
      } = expectations[meaning](error._tag)
      const isRejectedCall = (call: Call) =>
        call.records.some(({ dimension, quantity }) => dimension === "d0" && quantity === 1)
      const stub = stubClient((call) => (isRejectedCall(call) ? reject(error) : accept(call)))
      assert.deepStrictEqual(summaries(yield* submitAll(threeRecords, stub, options)), [
        ownOutcome,
        sameProductOutcome,
        otherProductOutcome
      ])
      assert.strictEqual(stub.calls.filter(isRejectedCall).length, attempts)
    })
  )
})

describe("a stop after a transient error", () => {
  it.effect.each<readonly [string, (call: Call) => ReturnType<typeof accept>, string]>([
    [
      "reports NotSent with the error",
      () => reject(makeException(MeteringError.ThrottlingException)),
      "NotSent Stopped ThrottlingException"
    ],
    [
      "reports NotSent without an error that a response came after",
      ({ records }) => Effect.succeed(makeResponse([], records)),
      "NotSent Stopped"
    ]
  ])("%s", ([, second, expected]) =>
    Effect.gen(function* () {
      const throttled = reject(makeException(MeteringError.ThrottlingException))
      const stub = stubClient(() => throttled, second)
      const outcomes = yield* submitAll([record(0)], stub, {
        schedule: Schedule.spaced("1 minute"),
        stop: Effect.sleep("90 seconds")
      })
      assert.deepStrictEqual(summaries(outcomes), [expected])
      assert.strictEqual(stub.calls.length, 2)
    })
  )
})

const transientMeanings: ReadonlySet<Meaning> = new Set(["throttled", "unknown", "not delivered"])

describe("a transient error", () => {
  it.effect.each(rows.filter(([, meaning]) => transientMeanings.has(meaning)))(
    "%s: sends the same records again until they are accepted",
    ([, , error]) =>
      Effect.gen(function* () {
        const stub = stubClient(
          () => reject(error),
          () => reject(error),
          accept
        )
        const outcomes = yield* submitAll(records(3), stub, options)
        assert.deepStrictEqual(
          summaries(outcomes),
          [0, 1, 2].map((i) => `Accepted id-d${i}`)
        )
        const [first, second = [], ...others] = stub.calls.map(({ records }) => records)
        assert.strictEqual(second.length, 3)
        const sent = others.flat()
        assert.strictEqual(sent.length, 3)
        // the same instances give the same bytes
        for (const [i, record] of [...second, ...sent].entries()) {
          assert.strictEqual(record, first?.[i % 3])
        }
      })
  )
})

describe("a record of an uncertain attempt", () => {
  const internalError = makeException(MeteringError.InternalServiceErrorException)
  const respondWith = (status: string) => (call: Call) =>
    Effect.succeed(makeResponse(call.records.map((record) => result(record, status))))

  it.effect.each<readonly [string, (call: Call) => ReturnType<typeof accept>, string]>([
    ["a success", accept, "Accepted id-d0"],
    ["a duplicate", respondWith("DuplicateRecord"), "DuplicateRecord"],
    ["not subscribed", respondWith("CustomerNotSubscribed"), "CustomerNotSubscribed"],
    ["a new status", respondWith("Pending"), "Pending"],
    [
      "a rejection of the record",
      () => reject(makeException(MeteringError.InvalidTagException)),
      "InvalidTagException"
    ],
    [
      "a rejection of the product",
      () => reject(makeException(MeteringError.DisabledApiException)),
      "DisabledApiException"
    ],
    [
      "a rejection of the caller",
      () => reject(makeCodedError(MeteringError.AccessDeniedError)),
      "AccessDeniedError"
    ],
    [
      "throttling to the end",
      () => reject(makeException(MeteringError.ThrottlingException)),
      "ThrottlingException"
    ],
    ["no connection to the end", () => reject(connectionError("notSent")), ""],
    ["another lost response", () => reject(connectionError("unknown")), ""],
    ["unprocessed to the end", ({ records }) => Effect.succeed(makeResponse([], records)), ""]
  ])("is Unknown after %s, except a success", ([, later, expected]) =>
    Effect.gen(function* () {
      const stub = stubClient(() => reject(internalError), later)
      const [outcome] = yield* submitAll([record(0)], stub, options)
      assert.strictEqual(
        summaries(outcome === undefined ? [] : [outcome])[0],
        expected.startsWith("Accepted")
          ? expected
          : `Unknown NoResponse ${internalError._tag} ${expected}`.trim()
      )
      if (outcome?._tag === "Unknown") assert.strictEqual(outcome.attempts, stub.calls.length)
    })
  )

  it.effect("is Unknown after its deadline", () =>
    Effect.gen(function* () {
      const soon = record(0, { timestamp: DateTime.unsafeMake("2026-11-23T10:40:00Z") })
      const stub = stubClient(() => reject(internalError))
      const outcomes = yield* submitAll([soon], stub, {
        schedule: MeteringRetry.patient,
        concurrency: 1
      })
      assert.deepStrictEqual(summaries(outcomes), [`Unknown NoResponse ${internalError._tag}`])
    })
  )

  it.effect("is not sent again after its deadline", () =>
    Effect.gen(function* () {
      const soon = record(0, { timestamp: DateTime.unsafeMake("2026-11-23T10:30:30Z") })
      const later = record(1)
      const stub = stubClient(() => reject(internalError), accept)
      const outcomes = yield* submitAll([soon, later], stub, {
        schedule: Schedule.spaced("1 minute")
      })
      assert.deepStrictEqual(summaries(outcomes), [
        `Unknown NoResponse ${internalError._tag}`,
        "Accepted id-d1"
      ])
      assert.deepStrictEqual(
        stub.calls.map(({ records }) => records.length),
        [2, 1]
      )
    })
  )
})

describe("records that the client rejects", () => {
  const violation = (index?: number, rule: "quantity" | "requestSize" = "quantity") => ({
    ...(index !== undefined && { index }),
    field: rule,
    rule,
    expected: "another"
  })
  const invalid = (...violations: ReadonlyArray<ReturnType<typeof violation>>) =>
    reject(
      new MeteringError.InvalidInputError(
        { operation, violations: violations as never },
        { disableValidation: true }
      )
    )

  it.effect("are Invalid, and the others are sent without them", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => invalid(violation(1), violation(3), violation(1)), accept)
      assert.deepStrictEqual(summaries(yield* submitAll(records(5), stub, options)), [
        "Accepted id-d0",
        "Invalid quantity quantity,quantity quantity",
        "Accepted id-d2",
        "Invalid quantity quantity",
        "Accepted id-d4"
      ])
      assert.strictEqual(stub.calls.length, 2)
    })
  )

  it.effect("are all Invalid if the violation names no record", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => invalid(violation()))
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), stub, options)), [
        "Invalid quantity quantity",
        "Invalid quantity quantity"
      ])
      assert.strictEqual(stub.calls.length, 1)
    })
  )

  it.effect("are halved if the call is too large", () =>
    Effect.gen(function* () {
      const stub = stubClient((call) =>
        call.records.length > 2 ? invalid(violation(undefined, "requestSize")) : accept(call)
      )
      const outcomes = yield* submitAll(records(8), stub, options)
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
    })
  )

  it.effect("include unchecked instances, which are found before any call", () =>
    Effect.gen(function* () {
      const unchecked = new UsageRecord.UsageRecord(
        { ...record(0), quantity: -1 },
        { disableValidation: true }
      )
      const stub = stubClient(accept)
      assert.deepStrictEqual(summaries(yield* submitAll([unchecked], stub, options)), [
        "Invalid quantity quantity"
      ])
      assert.strictEqual(stub.calls.length, 0)
    })
  )
})

describe("a defect of the client", () => {
  it.effect("ends the stream after its records are Unknown and all others have an outcome", () =>
    Effect.gen(function* () {
      const all: Array<string> = []
      const stub = stubClient(() => Effect.die("oh"))
      const exit = yield* Effect.exit(
        submitAll(records(30), stub, {
          ...options,
          onInterrupt: (outcomes) => Effect.sync(() => all.push(...summaries(outcomes)))
        })
      )
      assert.strictEqual(exit._tag, "Failure")
      assert.deepStrictEqual(
        [all.length, all[0], all[29]],
        [30, "Unknown Interrupted", "NotSent Stopped"]
      )
    })
  )

  it.effect.each<readonly [string, () => ReturnType<typeof accept>]>([
    ["an error of another type", () => Effect.fail(new Error("lost") as never)],
    ["an error with another tag", () => Effect.fail({ _tag: "toString" } as never)],
    ["an error without a value", () => Effect.fail(undefined as never)],
    ["a response without results", () => Effect.succeed({} as never)]
  ])("may be %s, after which its records may be billed", ([, respond]) =>
    Effect.gen(function* () {
      const all: Array<string> = []
      const exit = yield* Effect.exit(
        submitAll(records(2), stubClient(respond), {
          ...options,
          onInterrupt: (outcomes) => Effect.sync(() => all.push(...summaries(outcomes)))
        })
      )
      assert.isTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
      assert.deepStrictEqual(all, ["Unknown Interrupted", "Unknown Interrupted"])
    })
  )

  it.effect("waits for an uninterruptible source no longer than the grace period", () =>
    Effect.gen(function* () {
      const uninterruptible = Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const source = Stream.concat(Stream.fromIterable(records(30)), uninterruptible)
      const stub = stubClient(() => Effect.die("oh"))
      const exit = yield* Effect.exit(submitAll(source, stub, options))
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.effect("reads the source no further", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => Effect.die("oh"))
      const exit = yield* Effect.exit(
        submitAll(
          Stream.map(
            Stream.iterate(0, (i) => i + 1),
            (i) => record(i)
          ),
          stub,
          options
        )
      )
      assert.strictEqual(exit._tag, "Failure")
    })
  )
})

describe("licenses without a product code", () => {
  const wrongProduct = makeException(MeteringError.InvalidProductCodeException)

  it.effect("are bisected by product, because a call is for one product", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 10 }, (_, i) =>
        record(i, { licenseArn: licenseArnOf(i < 4 ? 1 : 2) })
      )
      const stub = stubClient((call) =>
        new Set(call.records.map(({ licenseArn }) => licenseArn)).size > 1
          ? reject(wrongProduct)
          : accept(call)
      )
      const outcomes = yield* submitAll(all, stub, { ...options, productCode: undefined })
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
    })
  )

  it.effect("are Rejected if their product is, and the others are sent", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 10 }, (_, i) =>
        record(i, { licenseArn: licenseArnOf(i < 4 ? 1 : 2) })
      )
      const stub = stubClient((call) =>
        call.records.some(({ licenseArn }) => licenseArn === licenseArnOf(1))
          ? reject(wrongProduct)
          : accept(call)
      )
      const outcomes = yield* submitAll(all, stub, { ...options, productCode: undefined })
      assert.deepStrictEqual(
        summaries(outcomes).map((tag) => tag.split(" ")[0]),
        [...Array(4).fill("Rejected"), ...Array(6).fill("Accepted")]
      )
    })
  )
})

describe("a record whose calls all fail without a response", () => {
  const isPoison = ({ dimension }: UsageRecord.UsageRecord) => dimension === "d7"
  const spaced = (times: number) =>
    Schedule.spaced("10 seconds").pipe(Schedule.intersect(Schedule.recurs(times)))
  const failWithPoison = (call: Call) =>
    call.records.some(isPoison) ? reject(timeoutError) : accept(call)

  it.effect.each([25, 300])(
    "is sent by itself in the end, so that %i others are accepted",
    (count) =>
      Effect.gen(function* () {
        const stub = stubClient(failWithPoison)
        const outcomes = yield* submitAll(records(count), stub, { schedule: spaced(8) })
        assert.deepStrictEqual(
          outcomes
            .filter(({ _tag }) => _tag !== "Accepted")
            .map(({ _tag, index }) => [_tag, index]),
          [["Unknown", 7]]
        )
        assert.isAtMost(stub.calls.length, Math.ceil(count / 25) + 16)
      })
  )

  it.effect("does not divide calls in an outage of the service", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => reject(timeoutError))
      yield* submitAll(records(250), stub, { schedule: spaced(4) })
      assert.lengthOf(stub.calls, 50)
      assert.isTrue(stub.calls.every(({ records }) => records.length === 25))
    })
  )

  it.effect("does not divide calls that were not delivered", () =>
    Effect.gen(function* () {
      const stub = stubClient(() => reject(connectionError("notSent", "ECONNREFUSED")))
      yield* submitAll(records(25), stub, { schedule: Schedule.recurs(4) })
      assert.lengthOf(stub.calls, 5)
    })
  )
})
