/** What each error of a call means for the records that it carried, for others, and for what comes later. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, Effect, Schedule, Stream } from "effect"
import type { BatchMeterUsageError } from "effect-marketplace-metering/BatchMeterUsage"
import * as MeteringError from "effect-marketplace-metering/MeteringError"
import * as MeteringRetry from "effect-marketplace-metering/MeteringRetry"
import * as UsageRecord from "effect-marketplace-metering/UsageRecord"
import {
  accept,
  type Call,
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
const makeException = <E extends BatchMeterUsageError>(Class: {
  new (fields: { operation: typeof operation }): E
}) => new Class({ operation })
const makeCodedError = <E extends BatchMeterUsageError>(Class: {
  new (fields: { operation: typeof operation; code: string }): E
}) => new Class({ operation, code: "Code" })

const timeoutError = new MeteringError.RequestTimeoutError({
  operation,
  endpoint,
  timeout: Duration.seconds(30)
})

/** Every error, and one word for what it means. */
const table: ReadonlyArray<readonly [BatchMeterUsageError, Meaning]> = [
  [makeException(MeteringError.ThrottlingException), "refused for now"],
  [unknownServiceError("SlowDown"), "refused for now"],
  [unexpectedResponse(429), "refused for now"],

  [makeException(MeteringError.InternalServiceErrorException), "perhaps stored"],
  [timeoutError, "perhaps stored"],
  [connectionError("unknown"), "perhaps stored"],
  [unexpectedResponse(200), "perhaps stored"],
  [unexpectedResponse(502), "perhaps stored"],
  [unexpectedResponse(503), "perhaps stored"],
  [unknownServiceError("RequestTimeout"), "perhaps stored"],
  [unknownServiceError("Oddity", 500), "perhaps stored"],
  [unknownServiceError("AgreementLimitExceededException", 500), "perhaps stored"],

  [connectionError("notSent", "ECONNREFUSED"), "not delivered for now"],

  [makeException(MeteringError.InvalidUsageDimensionException), "a dimension's"],
  [makeException(MeteringError.InvalidTagException), "a record's"],
  [makeException(MeteringError.InvalidUsageAllocationsException), "a record's"],
  [makeException(MeteringError.InvalidCustomerIdentifierException), "a record's"],
  [makeException(MeteringError.TimestampOutOfBoundsException), "a record's"],
  [makeException(MeteringError.InvalidLicenseException), "a record's"],
  [unknownServiceError("ValidationException"), "a record's"],
  [unknownServiceError("SerializationException"), "a record's"],

  [makeException(MeteringError.InvalidProductCodeException), "the product's"],
  [makeException(MeteringError.DisabledApiException), "the product's"],
  [makeCodedError(MeteringError.AccessDeniedError), "the product's"],
  [unknownServiceError("NobodyKnowsException"), "the product's"],
  [unknownServiceError("RequestSizeLimitExceeded", 413), "the product's"],

  [makeCodedError(MeteringError.CredentialsExpiredError), "the caller's"],
  [makeCodedError(MeteringError.CredentialsRejectedError), "the caller's"],
  [makeCodedError(MeteringError.ClockSkewError), "the caller's"],
  [unexpectedResponse(403), "the caller's"],
  [unexpectedResponse(302), "the caller's"],
  [new MeteringError.CredentialsError({ tried: ["env"], reason: "none" }), "the caller's, unsent"],
  [connectionError("notSent", "CERT_HAS_EXPIRED"), "the caller's, unsent"],
  [unexpectedResponse(408), "the caller's, perhaps stored"],
  [connectionError("unknown", "CERT_HAS_EXPIRED"), "the caller's, perhaps stored"]
]

type Meaning =
  | "refused for now"
  | "perhaps stored"
  | "not delivered for now"
  | "a record's"
  | "a dimension's"
  | "the product's"
  | "the caller's"
  | "the caller's, unsent"
  | "the caller's, perhaps stored"

/** What comes of a lone call, of records of its product that wait, and of another product's, if it lasts. */
const expectations: { readonly [M in Meaning]: (tag: string) => Expected } = {
  "refused for now": (tag) => ({ ownOutcome: `NotSent Throttled ${tag}`, attempts: 3 }),
  "perhaps stored": (tag) => ({ ownOutcome: `Unknown NoResponse ${tag}`, attempts: 3 }),
  "not delivered for now": (tag) => ({ ownOutcome: `NotSent Undelivered ${tag}`, attempts: 3 }),
  "a record's": (tag) => ({ ownOutcome: `Rejected ${tag}`, attempts: 1 }),
  // the record that waits is of the same dimension
  "a dimension's": (tag) => ({
    ownOutcome: `Rejected ${tag}`,
    attempts: 1,
    sameProductOutcome: `Rejected ${tag}`
  }),
  "the product's": (tag) => ({
    ownOutcome: `Rejected ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Rejected ${tag}`
  }),
  "the caller's": (tag) => ({
    ownOutcome: `Rejected ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Rejected ${tag}`,
    otherProductOutcome: `NotSent Rejected ${tag}`
  }),
  "the caller's, unsent": (tag) => ({
    ownOutcome: `NotSent Undelivered ${tag}`,
    attempts: 1,
    sameProductOutcome: `NotSent Undelivered ${tag}`,
    otherProductOutcome: `NotSent Undelivered ${tag}`
  }),
  "the caller's, perhaps stored": (tag) => ({
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

/** One record that is always refused, one of the same product that waits behind it, and one of another product. */
const threeRecords = [
  { record: record(0), productCode: "refused" },
  { record: record(0, { quantity: 2 }), productCode: "refused" },
  { record: record(2), productCode: "other" }
]

const options = { schedule: MeteringRetry.standard, concurrency: 1 }

describe("an error that does not pass", () => {
  it.effect.each(rows)("%s is %s", ([, meaning, error]) =>
    Effect.gen(function* () {
      const {
        otherProductOutcome: all,
        attempts,
        ownOutcome: own,
        sameProductOutcome: product
      } = expectations[meaning](error._tag)
      const isTheirs = (call: Call) =>
        call.records.some(({ dimension, quantity }) => dimension === "d0" && quantity === 1)
      const answers = stubClient((call) => (isTheirs(call) ? reject(error) : accept(call)))
      assert.deepStrictEqual(summaries(yield* submitAll(threeRecords, answers, options)), [
        own,
        product ?? "Accepted id-d0",
        all ?? "Accepted id-d2"
      ])
      assert.strictEqual(answers.calls.filter(isTheirs).length, attempts)
    })
  )
})

describe("a stop after an error that passes", () => {
  it.effect.each<readonly [string, (call: Call) => ReturnType<typeof accept>, string]>([
    [
      "is not sent, with the error",
      () => reject(makeException(MeteringError.ThrottlingException)),
      "NotSent Stopped ThrottlingException"
    ],
    [
      "is not sent, without an error that an answer came after",
      ({ records }) => Effect.succeed(makeResponse([], records)),
      "NotSent Stopped"
    ]
  ])("%s", ([, second, expected]) =>
    Effect.gen(function* () {
      const throttled = reject(makeException(MeteringError.ThrottlingException))
      const answers = stubClient(() => throttled, second)
      const outcomes = yield* submitAll([record(0)], answers, {
        schedule: Schedule.spaced("1 minute"),
        stop: Effect.sleep("90 seconds")
      })
      assert.deepStrictEqual(summaries(outcomes), [expected])
      assert.strictEqual(answers.calls.length, 2)
    })
  )
})

const transientMeanings: ReadonlySet<Meaning> = new Set([
  "refused for now",
  "perhaps stored",
  "not delivered for now"
])

describe("an error that passes", () => {
  it.effect.each(rows.filter(([, meaning]) => transientMeanings.has(meaning)))(
    "%s: the same records are sent again, and accepted",
    ([, , error]) =>
      Effect.gen(function* () {
        const answers = stubClient(
          () => reject(error),
          () => reject(error),
          accept
        )
        const outcomes = yield* submitAll(records(3), answers, options)
        assert.deepStrictEqual(
          summaries(outcomes),
          [0, 1, 2].map((i) => `Accepted id-d${i}`)
        )
        const [first, ...others] = answers.calls
        assert.strictEqual(others.length, 2)
        for (const { records } of others) {
          // the very same values, so the very same bytes
          for (const [i, record] of records.entries()) {
            assert.strictEqual(record, first?.records[i])
          }
        }
      })
  )
})

describe("a record that may have been stored is perhaps billed, and never told as not sent:", () => {
  const lost = makeException(MeteringError.InternalServiceErrorException)
  const told = (status: string) => (call: Call) =>
    Effect.succeed(makeResponse(call.records.map((record) => result(record, status))))

  it.effect.each<readonly [string, (call: Call) => ReturnType<typeof accept>, string]>([
    ["a success", accept, "Accepted id-d0"],
    ["a duplicate", told("DuplicateRecord"), "DuplicateRecord"],
    ["not subscribed", told("CustomerNotSubscribed"), "CustomerNotSubscribed"],
    ["a new status", told("Pending"), "Pending"],
    [
      "a refusal for its sake",
      () => reject(makeException(MeteringError.InvalidTagException)),
      "InvalidTagException"
    ],
    [
      "a refusal of the product",
      () => reject(makeException(MeteringError.DisabledApiException)),
      "DisabledApiException"
    ],
    [
      "a refusal of the caller",
      () => reject(makeCodedError(MeteringError.AccessDeniedError)),
      "AccessDeniedError"
    ],
    [
      "throttling to the end",
      () => reject(makeException(MeteringError.ThrottlingException)),
      "ThrottlingException"
    ],
    ["no connection to the end", () => reject(connectionError("notSent")), ""],
    ["another lost answer", () => reject(connectionError("unknown")), ""],
    ["unprocessed to the end", ({ records }) => Effect.succeed(makeResponse([], records)), ""]
  ])("stays so after %s, unless that is a success", ([, later, expected]) =>
    Effect.gen(function* () {
      const answers = stubClient(() => reject(lost), later)
      const [outcome] = yield* submitAll([record(0)], answers, options)
      assert.strictEqual(
        summaries(outcome === undefined ? [] : [outcome])[0],
        expected.startsWith("Accepted")
          ? expected
          : `Unknown NoResponse ${lost._tag} ${expected}`.trim()
      )
      if (outcome?._tag === "Unknown") assert.strictEqual(outcome.attempts, answers.calls.length)
    })
  )

  it.effect("stays so when its time runs out", () =>
    Effect.gen(function* () {
      const soon = record(0, { timestamp: DateTime.unsafeMake("2026-11-23T10:40:00Z") })
      const answers = stubClient(() => reject(lost))
      const outcomes = yield* submitAll([soon], answers, {
        schedule: MeteringRetry.patient,
        concurrency: 1
      })
      assert.deepStrictEqual(summaries(outcomes), [`Unknown NoResponse ${lost._tag}`])
    })
  )

  it.effect("is not sent again past its time", () =>
    Effect.gen(function* () {
      const soon = record(0, { timestamp: DateTime.unsafeMake("2026-11-23T10:30:30Z") })
      const later = record(1)
      const answers = stubClient(() => reject(lost), accept)
      const outcomes = yield* submitAll([soon, later], answers, {
        schedule: Schedule.spaced("1 minute")
      })
      assert.deepStrictEqual(summaries(outcomes), [
        `Unknown NoResponse ${lost._tag}`,
        "Accepted id-d1"
      ])
      assert.deepStrictEqual(
        answers.calls.map(({ records }) => records.length),
        [2, 1]
      )
    })
  )
})

describe("records that the client itself refuses", () => {
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

  it.effect("are invalid, and the others are sent without them", () =>
    Effect.gen(function* () {
      const answers = stubClient(() => invalid(violation(1), violation(3), violation(1)), accept)
      assert.deepStrictEqual(summaries(yield* submitAll(records(5), answers, options)), [
        "Accepted id-d0",
        "Invalid quantity quantity,quantity quantity",
        "Accepted id-d2",
        "Invalid quantity quantity",
        "Accepted id-d4"
      ])
      assert.strictEqual(answers.calls.length, 2)
    })
  )

  it.effect("are all invalid when it is for the call's sake", () =>
    Effect.gen(function* () {
      const answers = stubClient(() => invalid(violation()))
      assert.deepStrictEqual(summaries(yield* submitAll(records(2), answers, options)), [
        "Invalid quantity quantity",
        "Invalid quantity quantity"
      ])
      assert.strictEqual(answers.calls.length, 1)
    })
  )

  it.effect("are halved when the call is too large", () =>
    Effect.gen(function* () {
      const answers = stubClient((call) =>
        call.records.length > 2 ? invalid(violation(undefined, "requestSize")) : accept(call)
      )
      const outcomes = yield* submitAll(records(8), answers, options)
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
    })
  )

  it.effect("instances that were never checked are found before any call", () =>
    Effect.gen(function* () {
      const unchecked = new UsageRecord.UsageRecord(
        { ...record(0), quantity: -1 },
        { disableValidation: true }
      )
      const answers = stubClient(accept)
      assert.deepStrictEqual(summaries(yield* submitAll([unchecked], answers, options)), [
        "Invalid quantity quantity"
      ])
      assert.strictEqual(answers.calls.length, 0)
    })
  )
})

describe("a defect of the client", () => {
  it.effect(
    "ends the stream, after the records of its call are unknown and all others have an outcome",
    () =>
      Effect.gen(function* () {
        const all: Array<string> = []
        const answers = stubClient(() => Effect.die("oh"))
        const exit = yield* Effect.exit(
          submitAll(records(30), answers, {
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

  it.effect("does not wait longer than the grace for a source that cannot be interrupted", () =>
    Effect.gen(function* () {
      const stuck = Stream.fromEffect(Effect.uninterruptible(Effect.never))
      const source = Stream.concat(Stream.fromIterable(records(30)), stuck)
      const answers = stubClient(() => Effect.die("oh"))
      const exit = yield* Effect.exit(submitAll(source, answers, options))
      assert.strictEqual(exit._tag, "Failure")
    })
  )

  it.effect("reads no further", () =>
    Effect.gen(function* () {
      const answers = stubClient(() => Effect.die("oh"))
      const exit = yield* Effect.exit(
        submitAll(
          Stream.map(
            Stream.iterate(0, (i) => i + 1),
            (i) => record(i)
          ),
          answers,
          options
        )
      )
      assert.strictEqual(exit._tag, "Failure")
    })
  )
})

describe("licences without a product", () => {
  const licence = (n: number) =>
    `arn:aws:license-manager::111122223333:license:l-${String(n).padStart(32, "0")}`
  const wrongProduct = makeException(MeteringError.InvalidProductCodeException)

  it.effect("of several products are halved apart, for a call is for one product", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 10 }, (_, i) =>
        record(i, { licenseArn: licence(i < 4 ? 1 : 2) })
      )
      const answers = stubClient((call) =>
        new Set(call.records.map(({ licenseArn }) => licenseArn)).size > 1
          ? reject(wrongProduct)
          : accept(call)
      )
      const outcomes = yield* submitAll(all, answers, { ...options, productCode: undefined })
      assert.isTrue(outcomes.every(({ _tag }) => _tag === "Accepted"))
    })
  )

  it.effect("of a product that is refused end with it, and others go on", () =>
    Effect.gen(function* () {
      const all = Array.from({ length: 10 }, (_, i) =>
        record(i, { licenseArn: licence(i < 4 ? 1 : 2) })
      )
      const answers = stubClient((call) =>
        call.records.some(({ licenseArn }) => licenseArn === licence(1))
          ? reject(wrongProduct)
          : accept(call)
      )
      const outcomes = yield* submitAll(all, answers, { ...options, productCode: undefined })
      assert.deepStrictEqual(
        summaries(outcomes).map((tag) => tag.split(" ")[0]),
        [...Array(4).fill("Rejected"), ...Array(6).fill("Accepted")]
      )
    })
  )
})
